"""Fills `{{ expressions }}` in a document from named values: templates from parameters, bots from a matrix.

Every value made remembers what it was made from, so that an error in it names the line of the expression and
beside it the line that gave the value.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from engine.model.value import Value
from engine.spec.diagnostics import Findings, nearest
from engine.spec.document import Entry, Given, MappingNode, Node, ScalarNode, SequenceNode, scalars
from engine.spec.expressions import ExpressionError, evaluate, is_expression, names_used


class Argument(Value, frozen=True, kw_only=True):
    """A named value, and in which way it was given: `parameter`, `default` or `matrix`."""

    by: str
    node: ScalarNode


def check_expressions(root: Node, what: str, known: Mapping[str, object], findings: Findings) -> None:
    """Report every expression that cannot be read, or that names something `what` (the template) does not have."""
    for scalar in scalars(root):
        if scalar.private or not is_expression(scalar.text):
            continue
        try:
            unknown = sorted(names_used(scalar.text) - known.keys())
        except ExpressionError as wrong:
            findings.error("bad-expression", f"this expression cannot be used: {wrong}", scalar.place)
            continue
        for name in unknown:
            hint = nearest(name, known)
            findings.error("unknown-parameter", f"{what} `{name}`", scalar.place, hint=hint)


def fill(root: MappingNode, arguments: Mapping[str, Argument], findings: Findings) -> MappingNode:
    """The document with its expressions replaced by their values; one without a value stays as it is written."""
    entries = {
        key: Entry(key_place=entry.key_place, value=_filled(entry.value, arguments, findings))
        for key, entry in root.entries.items()
    }
    return MappingNode(entries=entries, place=root.place)


def _filled(node: Node, arguments: Mapping[str, Argument], findings: Findings) -> Node:
    if isinstance(node, MappingNode):
        return fill(node, arguments, findings)
    if isinstance(node, SequenceNode):
        items = tuple(_filled(item, arguments, findings) for item in node.items)
        return SequenceNode(items=items, place=node.place)
    if node.private or not isinstance(node.value, str) or not is_expression(node.value):
        return node
    return _evaluated(node, node.value, arguments, findings)


def _evaluated(node: ScalarNode, text: str, arguments: Mapping[str, Argument], findings: Findings) -> ScalarNode:
    used = {name: arguments[name] for name in sorted(names_used(text))}
    given = tuple(step for name, argument in used.items() for step in _steps(name, argument))
    try:
        value = evaluate(text, {name: argument.node.value for name, argument in used.items()})
    except ExpressionError as wrong:
        findings.error("bad-expression", f"this expression has no value: {wrong}", node.place)
        return replace(node, given=given)
    private = any(argument.node.private for argument in used.values())
    return ScalarNode(
        value=value,
        text=node.text if private else str(value),
        place=node.place,
        quoted=isinstance(value, str),
        private=private,
        given=given,
    )


def _steps(name: str, argument: Argument) -> tuple[Given, ...]:
    return (Given(by=argument.by, name=name, place=argument.node.place), *argument.node.given)
