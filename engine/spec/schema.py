"""The schemas as this program uses them: found by name, walked field by field, and filled in.

Names are paths below schemas/ without the ending: `bot`, `fleet`, `strategies/market_maker`. Defaults, impacts
and grids stand in those files and nowhere else, so editors and botctl can never disagree. Strategies of other
packages bring theirs (see `outside`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from decimal import Decimal
from functools import cache
from posixpath import dirname, normpath
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from engine.resources import resource
from engine.spec.outside import outside_schemas

SUFFIX = ".schema.json"
_STRATEGIES = "strategies/"

Schema = dict[str, Any]


@cache
def schema_names() -> tuple[str, ...]:
    """Every schema that ships with botctl, and those of installed strategies."""
    root = resource("schemas")
    shipped = {str(file.relative_to(root)).removesuffix(SUFFIX) for file in root.rglob(f"*{SUFFIX}")}
    return tuple(sorted(shipped | {f"{_STRATEGIES}{kind}" for kind in outside_schemas()}))


def strategy_kinds() -> tuple[str, ...]:
    """The strategies that have a schema."""
    return _names_below(_STRATEGIES)


def venue_names() -> tuple[str, ...]:
    """The venues that have a schema."""
    return _names_below("venues/")


def _names_below(folder: str) -> tuple[str, ...]:
    return tuple(name.removeprefix(folder) for name in schema_names() if name.startswith(folder))


def schema_text(name: str) -> str:
    """The file itself; that of bots also takes the strategies that other packages bring."""
    outside = outside_schemas()
    kind = name.removeprefix(_STRATEGIES)
    brought = outside.get(kind) if name != kind else None
    text = (brought or resource("schemas", f"{name}{SUFFIX}")).read_text(encoding="utf-8")
    return _admitting(text, outside) if name == "bot" and outside else text


def _admitting(text: str, kinds: Iterable[str]) -> str:
    schema = json.loads(text)
    strategy = schema["properties"]["strategy"]
    for kind in kinds:
        strategy["properties"]["kind"]["enum"].append(kind)
        condition = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
        strategy["allOf"].append({"if": condition, "then": {"$ref": f"{_STRATEGIES}{kind}{SUFFIX}"}})
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


@cache
def load_schema(name: str) -> Schema:
    """One schema, its numbers exact. Shared: do not change it."""
    schema: Schema = json.loads(schema_text(name), parse_float=Decimal)
    del schema["$schema"]  # jsonschema would take it as leave to leave our validator for its own
    return schema


@cache
def validator(name: str) -> Validator:
    """The one validator of a schema: building it costs more than a thousand uses."""
    made: Validator = _Draft({"$ref": f"{name}{SUFFIX}"}, registry=_registry())
    return made


def _is_number(_checker: Any, value: object) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _pattern(_validator: Any, pattern: str, value: object, _schema: Any) -> Iterator[ValidationError]:
    """A pattern describes the whole text: Python's `$` alone would let a newline slip in behind a name."""
    if isinstance(value, str) and not re.fullmatch(pattern, value):
        yield ValidationError(f"does not match {pattern}")


_extend: Any = extend  # jsonschema leaves it untyped
_Draft: Any = _extend(
    Draft202012Validator,
    validators={"pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("number", _is_number),
)


@cache
def _registry() -> Registry[Schema]:
    resources = ((f"{name}{SUFFIX}", DRAFT202012.create_resource(load_schema(name))) for name in schema_names())
    empty: Registry[Schema] = Registry()
    return empty.with_resources(resources)


def fields_of_schema(name: str) -> Iterator[tuple[tuple[str, ...], Schema]]:
    """Every field a schema describes, by path; `*` stands for a name of the user's choice."""
    yield from _fields(load_schema(name), name, ())


def _fields(schema: Schema, name: str, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Schema]]:
    for part, home in _parts(schema, name):
        children = dict(part.get("properties", {}))
        if isinstance(part.get("additionalProperties"), dict):
            children["*"] = part["additionalProperties"]
        if "properties" in part.get("items", {}):
            children["*"] = part["items"]
        for key, child in children.items():
            field, field_home = _resolved(child, home)
            yield (*path, key), field
            yield from _fields(field, field_home, (*path, key))


def fill_defaults(data: Schema, name: str) -> Schema:
    """Valid data with every default written out."""
    filled = deepcopy(data)
    _fill(filled, load_schema(name), name)
    return filled


def _fill(data: Schema, schema: Schema, name: str) -> None:
    for part, home in _parts(schema, name, data):
        properties = part.get("properties", {})
        for key, child in properties.items():
            field, _ = _resolved(child, home)
            if key not in data and "default" in field:
                data[key] = deepcopy(field["default"])
        for key, value in data.items():
            child = properties.get(key, part.get("additionalProperties"))
            if isinstance(child, dict):
                _fill_value(value, *_resolved(child, home))


def _fill_value(value: Any, schema: Schema, name: str) -> None:
    if isinstance(value, dict):
        _fill(value, schema, name)
    elif isinstance(value, list) and "items" in schema:
        for item in value:
            _fill_value(item, *_resolved(schema["items"], name))


def _parts(schema: Schema, name: str, data: Any = None) -> Iterator[tuple[Schema, str]]:
    """A schema and what it takes in by reference or condition; given data, only the branches that apply."""
    schema, name = _resolved(schema, name)
    yield schema, name
    for item in schema.get("allOf", ()):
        yield from _parts(item, name, data)
    if "if" in schema:
        branches = ["then", "else"]
        if data is not None:
            branches = ["then" if _Draft(schema["if"]).is_valid(data) else "else"]
        for branch in branches:
            yield from _parts(schema.get(branch, {}), name, data)


def _resolved(schema: Schema, name: str) -> tuple[Schema, str]:
    """A schema with its reference followed, its own keywords on top, and the name of the file it is in."""
    while "$ref" in schema:
        file, _, pointer = schema["$ref"].partition("#")
        if file:
            name = normpath(f"{dirname(name)}/{file}".lstrip("/")).removesuffix(SUFFIX)
        target: Any = load_schema(name)
        for step in pointer.split("/")[1:]:
            target = target[step]
        own = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**target, **own}
    return schema, name
