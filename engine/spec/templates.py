"""Bots made from a template: `template: NAME` and `parameters:` in a bot file, the rest in templates/NAME.yaml.

A template is read by the same positional loader, and its values are filled in one scalar at a time, so every
error maps to a line of the template and, beside it, to the file that used it. Templates do not nest.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.model.value import Value
from engine.spec.check import check, shown
from engine.spec.diagnostics import Findings, nearest
from engine.spec.document import MappingNode, Node, ScalarNode, data_of, node_at, overlay, place_at
from engine.spec.filling import Argument, check_expressions, fill

_IN_BOT_FILE = ("template", "parameters")
_NOT_IN_A_TEMPLATE = {
    **dict.fromkeys(_IN_BOT_FILE, "templates do not nest"),
    "matrix": "it stands in the bot file, which hands its values on as `parameters`",
}


class Template(Value, frozen=True, kw_only=True):
    """A template that is fine in itself. `parameters` maps each name to its declaration."""

    parameters: dict[str, dict[str, Any]]
    defaults: dict[str, ScalarNode]
    body: MappingNode


def read_template(root: MappingNode, findings: Findings) -> Template | None:
    """A template from its file; None when anything in it is wrong."""
    if not check(root, "template", findings):
        return None
    body = root.mapping("bot")
    for key, why in _NOT_IN_A_TEMPLATE.items():
        if key in body.entries:
            message = f"a template cannot hold `{key}`: {why}"
            findings.error("nested-template", message, body.entries[key].key_place)
    parameters: dict[str, dict[str, Any]] = data_of(root.mapping("parameters"))
    for name, declared in parameters.items():
        if "default" in declared and (problem := _misfit(declared, declared["default"])):
            place = place_at(root, ("parameters", name, "default"))
            findings.error("bad-parameter", f"the default of `{name}` {problem}", place)
    check_expressions(body, "the template has no parameter", parameters, findings)
    if findings.has_errors:
        return None
    found = {name: node_at(root, ("parameters", name, "default")) for name in parameters}
    defaults = {name: node for name, node in found.items() if isinstance(node, ScalarNode)}
    return Template(parameters=parameters, defaults=defaults, body=body)


def expand(bot: MappingNode, template: Template, findings: Findings) -> MappingNode:
    """The bot file over the template's body, filled in with the file's parameters."""
    arguments = _arguments(bot, template, findings)
    if findings.has_errors:
        return bot
    return overlay(bot.without(*_IN_BOT_FILE), fill(template.body, arguments, findings))


def _arguments(bot: MappingNode, template: Template, findings: Findings) -> dict[str, Argument]:
    """The parameters' values, given or default; everything wrong with them is reported."""
    given = bot.mapping("parameters")
    for name, entry in given.entries.items():
        if name not in template.parameters:
            message = f"the template has no parameter `{name}`"
            findings.error("unknown-parameter", message, entry.key_place, hint=nearest(name, template.parameters))
    arguments: dict[str, Argument] = {}
    for name, declared in template.parameters.items():
        if (node := given.get(name)) is not None:
            _check_argument(name, node, declared, findings)
            if isinstance(node, ScalarNode):
                arguments[name] = Argument(by="parameter", node=node)
        elif name in template.defaults:
            arguments[name] = Argument(by="default", node=template.defaults[name])
        else:
            place = place_at(bot, ("parameters",)) if "parameters" in bot.entries else place_at(bot, ("template",))
            findings.error("missing-parameter", f"the template needs the parameter `{name}`", place)
    return arguments


def _check_argument(name: str, node: Node, declared: Mapping[str, Any], findings: Findings) -> None:
    problem = _misfit(declared, node.value) if isinstance(node, ScalarNode) else "must be a single value"
    if problem and not findings.has_error_at(node.place):
        findings.error("bad-parameter", f"parameter `{name}` {problem}, not {shown(node)}", node.place)


def _misfit(declared: Mapping[str, Any], value: Any) -> str | None:
    """In what a value breaks its parameter's declaration; None when it fits."""
    kind = declared["type"]
    if not _has_type(kind, value):
        return f"must be of type {kind}"
    if "enum" in declared and value not in declared["enum"]:
        return f"must be one of {', '.join(map(str, declared['enum']))}"
    if kind in ("integer", "number"):
        if "minimum" in declared and value < declared["minimum"]:
            return f"must be at least {declared['minimum']}"
        if "maximum" in declared and value > declared["maximum"]:
            return f"must be at most {declared['maximum']}"
    return None


def _has_type(kind: str, value: object) -> bool:
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean" or isinstance(value, bool):
        return kind == "boolean" and isinstance(value, bool)
    return isinstance(value, int) if kind == "integer" else isinstance(value, int | Decimal)
