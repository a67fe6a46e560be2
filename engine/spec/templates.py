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
from engine.spec.document import (
    Entry,
    MappingNode,
    Node,
    Plain,
    ScalarNode,
    SequenceNode,
    data_of,
    overlay,
    place_at,
    scalars,
)
from engine.spec.expressions import ExpressionError, evaluate, is_expression, names_used

_IN_BOT_FILE = ("template", "parameters")


class Template(Value, frozen=True, kw_only=True):
    """A template that is fine in itself. `parameters` maps each name to its declaration."""

    parameters: dict[str, dict[str, Any]]
    body: MappingNode


class Arguments(Value, frozen=True, kw_only=True):
    """What one use gives to a template. `private` when any value came out of the environment."""

    values: dict[str, Plain]
    private: bool


def read_template(root: MappingNode, findings: Findings) -> Template | None:
    """A template from its file; None when anything in it is wrong."""
    if not check(root, "template", findings):
        return None
    body = root.mapping("bot")
    for key in _IN_BOT_FILE:
        if key in body.entries:
            message = f"a template cannot hold `{key}`: templates do not nest"
            findings.error("nested-template", message, body.entries[key].key_place)
    parameters: dict[str, dict[str, Any]] = data_of(root.mapping("parameters"))
    for name, declared in parameters.items():
        if "default" in declared and (problem := _misfit(declared, declared["default"])):
            place = place_at(root, ("parameters", name, "default"))
            findings.error("bad-parameter", f"the default of `{name}` {problem}", place)
    for scalar in scalars(body):
        _check_expression(scalar, parameters, findings)
    return None if findings.has_errors else Template(parameters=parameters, body=body)


def expand(bot: MappingNode, template: Template, findings: Findings) -> MappingNode:
    """The bot file over the template's body, filled in with the file's parameters."""
    arguments = _arguments(bot, template, findings)
    own = bot.without(*_IN_BOT_FILE)
    if findings.has_errors:
        return own
    body = _filled(template.body, arguments, findings)
    assert isinstance(body, MappingNode)
    return overlay(own, body)


def _check_expression(scalar: ScalarNode, parameters: Mapping[str, Any], findings: Findings) -> None:
    if scalar.private or not is_expression(scalar.text):
        return
    try:
        unknown = sorted(names_used(scalar.text) - parameters.keys())
    except ExpressionError as wrong:
        findings.error("bad-expression", f"this expression cannot be used: {wrong}", scalar.place)
        return
    for name in unknown:
        message = f"the template has no parameter `{name}`"
        findings.error("unknown-parameter", message, scalar.place, hint=nearest(name, parameters))


def _arguments(bot: MappingNode, template: Template, findings: Findings) -> Arguments:
    """The parameters' values, given or default; everything wrong with them is reported."""
    given = bot.mapping("parameters")
    for name, entry in given.entries.items():
        if name not in template.parameters:
            message = f"the template has no parameter `{name}`"
            findings.error("unknown-parameter", message, entry.key_place, hint=nearest(name, template.parameters))
    values: dict[str, Plain] = {}
    for name, declared in template.parameters.items():
        node = given.get(name)
        if node is not None:
            values[name] = _argument(name, node, declared, findings)
        elif "default" in declared:
            values[name] = declared["default"]
        else:
            place = place_at(bot, ("parameters",)) if "parameters" in bot.entries else place_at(bot, ("template",))
            findings.error("missing-parameter", f"the template needs the parameter `{name}`", place)
    private = any(scalar.private for scalar in scalars(given))
    return Arguments(values=values, private=private)


def _argument(name: str, node: Node, declared: Mapping[str, Any], findings: Findings) -> Plain:
    value = node.value if isinstance(node, ScalarNode) else None
    problem = _misfit(declared, value) if isinstance(node, ScalarNode) else "must be a single value"
    if problem and not findings.has_error_at(node.place):
        findings.error("bad-parameter", f"parameter `{name}` {problem}, not {shown(node)}", node.place)
    return value


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


def _filled(node: Node, arguments: Arguments, findings: Findings) -> Node:
    if isinstance(node, MappingNode):
        entries = {
            key: Entry(key_place=entry.key_place, value=_filled(entry.value, arguments, findings))
            for key, entry in node.entries.items()
        }
        return MappingNode(entries=entries, place=node.place)
    if isinstance(node, SequenceNode):
        items = tuple(_filled(item, arguments, findings) for item in node.items)
        return SequenceNode(items=items, place=node.place)
    if node.private or not isinstance(node.value, str) or not is_expression(node.value):
        return node
    return _evaluated(node, node.value, arguments, findings)


def _evaluated(node: ScalarNode, text: str, arguments: Arguments, findings: Findings) -> ScalarNode:
    try:
        value = evaluate(text, arguments.values)
    except ExpressionError as wrong:
        findings.error("bad-expression", f"this expression has no value: {wrong}", node.place)
        return node
    return ScalarNode(
        value=value,
        text=node.text if arguments.private else str(value),
        place=node.place,
        quoted=isinstance(value, str),
        private=arguments.private,
    )
