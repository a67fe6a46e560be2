"""`{{ … }}` in template values: Jinja's grammar, evaluated here over exact numbers.

Only Jinja's parser is used. Its tree is walked by hand, because the tree then holds nothing but what is listed
here (no calls, attributes, loops or statements), a half is a Decimal and not a float, and no expression can
take more time or memory than its few hundred characters.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes

from engine.model.instrument import plain
from engine.spec.document import Plain
from engine.spec.scalars import FORBIDDEN

MAX_LENGTH = 500
_MAX_TEXT = 4096
_MAX_NUMBER = Decimal(10) ** 30
_MAX_PLACES = 20
_NO_WORD = re.compile("[^a-z0-9]+")
_TOO_DEEP = "the expression is nested too deeply"
_JINJA = Environment(autoescape=False)


class ExpressionError(ValueError):
    """An expression that cannot be understood or has no value; the message is for people."""


def is_expression(text: str) -> bool:
    """Whether a value needs evaluating at all."""
    return any(mark in text for mark in ("{{", "{%", "{#"))


@lru_cache(maxsize=1024)
def names_used(text: str) -> frozenset[str]:
    """The parameters a text names. Raises ExpressionError when it cannot be parsed."""
    try:
        return frozenset(name.name for name in nodes.Output(list(_parse(text))).find_all(nodes.Name))
    except RecursionError as wrong:
        raise ExpressionError(_TOO_DEEP) from wrong


def evaluate(text: str, values: Mapping[str, Plain]) -> Plain:
    """The value of a text: a lone expression keeps its type, anything else becomes text."""
    try:
        parts = [_value(part, values) for part in _parse(text)]
    except ArithmeticError as wrong:
        raise ExpressionError("the arithmetic has no result (division by zero?)") from wrong
    except RecursionError as wrong:
        raise ExpressionError(_TOO_DEEP) from wrong
    return parts[0] if len(parts) == 1 else _bounded("".join(map(_as_text, parts)))


@lru_cache(maxsize=1024)
def _parse(text: str) -> tuple[nodes.Expr, ...]:
    """The parts of a text, which are shared: a thousand bots of one template hold the same few."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"longer than {MAX_LENGTH} characters")
    if "{%" in text or "{#" in text:
        raise ExpressionError("only {{ expressions }} can be used, no {% statements %} or {# comments #}")
    try:
        body = _JINJA.parse(text).body
    except TemplateSyntaxError as wrong:
        raise ExpressionError(wrong.message or "not a valid expression") from wrong
    except (ValueError, OverflowError, RecursionError) as wrong:
        raise ExpressionError("not a valid expression") from wrong
    return tuple(part for output in body for part in getattr(output, "nodes", []))


def _value(node: nodes.Node, values: Mapping[str, Plain]) -> Plain:
    handler = _HANDLERS.get(type(node))
    if handler is None:
        raise ExpressionError(f"{type(node).__name__.lower()} cannot be used in a template")
    return _bounded(handler(node, values))


def _bounded(value: Plain) -> Plain:
    """Every intermediate value stays small, so that no chain of operations can grow without end."""
    if isinstance(value, str):
        if len(value) > _MAX_TEXT or FORBIDDEN.search(value):
            raise ExpressionError("the text is too long or holds a character that is not text")
        return value
    if isinstance(value, bool) or value is None:
        return value
    number = Decimal(value)
    if not abs(number) < _MAX_NUMBER:
        raise ExpressionError("the number is out of range")
    return int(number) if number == int(number) else number


def _as_text(value: Plain) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return plain(Decimal(value)) if isinstance(value, int | Decimal) else value or ""


def _number(value: Plain) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ExpressionError(f"{_kind(value)} is not a number")
    return value


def _kind(value: Plain) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "text" if isinstance(value, str) else "null" if value is None else "a number"


def _constant(node: Any, _values: Mapping[str, Plain]) -> Plain:
    if isinstance(node.value, float):
        return Decimal(repr(node.value))
    if isinstance(node.value, str | int) or node.value is None:
        return node.value
    raise ExpressionError("this constant cannot be used in a template")


def _name(node: Any, values: Mapping[str, Plain]) -> Plain:
    if node.name not in values:
        raise ExpressionError(f"there is no parameter `{node.name}`")
    return values[node.name]


def _arithmetic(compute: Callable[[Any, Any], Any]) -> Callable[[Any, Mapping[str, Plain]], Plain]:
    def handler(node: Any, values: Mapping[str, Plain]) -> Plain:
        left, right = _value(node.left, values), _value(node.right, values)
        return Decimal(compute(Decimal(_number(left)), Decimal(_number(right))))

    return handler


def _compare(node: Any, values: Mapping[str, Plain]) -> Plain:
    left = _value(node.expr, values)
    for operand in node.ops:
        right = _value(operand.expr, values)
        if operand.op not in ("eq", "ne"):
            _number(left), _number(right)
        compute = _COMPARISONS.get(operand.op)
        if compute is None:
            raise ExpressionError(f"`{operand.op}` cannot be used in a template")
        if not compute(left, right):
            return False
        left = right
    return True


def _choose(node: Any, values: Mapping[str, Plain]) -> Plain:
    if _value(node.test, values):
        return _value(node.expr1, values)
    if node.expr2 is None:
        raise ExpressionError("an `if` needs an `else`")
    return _value(node.expr2, values)


def _filter(node: Any, values: Mapping[str, Plain]) -> Plain:
    use = _FILTERS.get(node.name)
    if use is None or node.node is None or node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise ExpressionError(f"filter `{node.name}` cannot be used here; there are {', '.join(_FILTERS)}")
    arguments = [_value(argument, values) for argument in node.args]
    try:
        return use(_value(node.node, values), *arguments)
    except TypeError as wrong:
        raise ExpressionError(f"filter `{node.name}` has the wrong number of arguments") from wrong


def _round(value: Plain, places: Plain = 0) -> Plain:
    digits = Decimal(_number(places))
    if not 0 <= digits <= _MAX_PLACES:
        raise ExpressionError(f"round takes 0 to {_MAX_PLACES} places")
    return round(Decimal(_number(value)), int(digits))


def _replace(value: Plain, old: Plain, new: Plain) -> Plain:
    return _as_text(value).replace(_as_text(old), _as_text(new)) if old else value


def _slug(value: Plain) -> Plain:
    """As a part of a bot's name: `SOL_USDC_PERP` is `sol-usdc-perp`."""
    return _NO_WORD.sub("-", _as_text(value).lower()).strip("-")


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}

_FILTERS: dict[str, Callable[..., Plain]] = {
    "round": _round,
    "abs": lambda value: abs(Decimal(_number(value))),
    "lower": lambda value: _as_text(value).lower(),
    "upper": lambda value: _as_text(value).upper(),
    "replace": _replace,
    "slug": _slug,
}

_HANDLERS: dict[type[nodes.Node], Callable[[Any, Mapping[str, Plain]], Plain]] = {
    nodes.TemplateData: lambda node, _values: str(node.data),
    nodes.Const: _constant,
    nodes.Name: _name,
    nodes.Add: _arithmetic(operator.add),
    nodes.Sub: _arithmetic(operator.sub),
    nodes.Mul: _arithmetic(operator.mul),
    nodes.Div: _arithmetic(operator.truediv),
    nodes.FloorDiv: _arithmetic(operator.floordiv),
    nodes.Neg: lambda node, values: -Decimal(_number(_value(node.node, values))),
    nodes.Pos: lambda node, values: _number(_value(node.node, values)),
    nodes.Not: lambda node, values: not _value(node.node, values),
    nodes.And: lambda node, values: _value(node.left, values) and _value(node.right, values),
    nodes.Or: lambda node, values: _value(node.left, values) or _value(node.right, values),
    nodes.Concat: lambda node, values: "".join(_as_text(_value(part, values)) for part in node.nodes),
    nodes.Compare: _compare,
    nodes.CondExpr: _choose,
    nodes.Filter: _filter,
}
