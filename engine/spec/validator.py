"""Checks data against the schemas, with jsonschema's rules and the same words, but without its detours.

Kept apart from `schema`, which most commands only read: loading jsonschema takes longer than a status does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from engine.spec.schema import Schema, holds, whole


@cache
def validator(name: str) -> Validator:
    """The one validator of a schema: building it costs more than a thousand uses."""
    made: Validator = _Draft(whole(name))
    return made


def is_valid(schema: Schema, value: object) -> bool:
    """Whether data is as a part of a schema says."""
    return bool(_Draft(schema).is_valid(value))


def _is_number(_checker: Any, value: object) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _pattern(_validator: Any, pattern: str, value: object, _schema: Any) -> Iterator[ValidationError]:
    """A pattern describes the whole text: Python's `$` alone would let a newline slip in behind a name."""
    if isinstance(value, str) and not re.fullmatch(pattern, value):
        yield ValidationError(f"does not match {pattern}")


def _if(validator: Any, condition: Schema, value: object, schema: Schema) -> Iterator[ValidationError]:
    branch = "then" if holds(condition, value) else "else"
    if branch in schema:
        yield from _errors(validator, value, schema[branch], schema_path=branch)


def _properties(validator: Any, fields: Schema, value: object, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(value, dict):
        for key, field in fields.items():
            if key in value:
                yield from _errors(validator, value[key], field, path=key, schema_path=key)


def _all_of(validator: Any, parts: list[Schema], value: object, _schema: Any) -> Iterator[ValidationError]:
    for index, part in enumerate(parts):
        yield from _errors(validator, value, part, schema_path=index)


def _errors(
    validator: Any, value: object, schema: Schema | bool, *, path: str | None = None, schema_path: str | int
) -> Iterator[ValidationError]:
    """`validator.descend` for schemas without references: it makes a new validator for every field of every bot,
    only to remember where references would lead."""
    if isinstance(schema, bool):  # A field that is always, or never, right.
        yield from validator.descend(value, schema, path=path, schema_path=schema_path)
        return
    for keyword, argument in schema.items():
        rule = _Draft.VALIDATORS.get(keyword)
        for error in (rule and rule(validator, argument, value, schema)) or ():
            error._set(  # The library's own way of telling an error where it came up.
                validator=keyword,
                validator_value=argument,
                instance=value,
                schema=schema,
                type_checker=validator.TYPE_CHECKER,
            )
            if keyword != "if":
                error.schema_path.appendleft(keyword)
            if path is not None:
                error.path.appendleft(path)
            error.schema_path.appendleft(schema_path)
            yield error


_extend: Any = extend  # jsonschema leaves it untyped
_Draft: Any = _extend(
    Draft202012Validator,
    validators={"pattern": _pattern, "if": _if, "properties": _properties, "allOf": _all_of},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("number", _is_number),
)
