"""The schemas as this program uses them: found by name, walked field by field, and filled in.

Names are paths below schemas/ without the ending: `bot`, `fleet`, `strategies/market_maker`. Defaults, impacts
and grids stand in those files and nowhere else, so editors and botctl can never disagree. Strategies of other
packages bring theirs (see `outside`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cache
from posixpath import dirname, normpath
from typing import Any

from engine.resources import resource
from engine.spec.outside import outside_schemas

SUFFIX = ".schema.json"
_STRATEGIES = "strategies/"

Schema = dict[str, Any]

_NONE: Schema = {}


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
def whole(name: str) -> Schema:
    """A schema without references: to follow them anew for every bot would cost more than all its checks."""
    whole: Schema = _inlined({"$ref": f"{name}{SUFFIX}"}, "")
    return whole


def _inlined(part: Any, name: str) -> Any:
    """A part of the schema called `name`, with every reference replaced by what it stands for."""
    if isinstance(part, list):
        return [_inlined(item, name) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        part, name = _resolved(part, name)
    return {key: _inlined(item, name) for key, item in part.items() if key != "$defs"}


@cache
def fields_of_schema(name: str) -> tuple[tuple[tuple[str, ...], Schema], ...]:
    """Every field a schema describes, by path; `*` stands for a name of the user's choice."""
    return tuple(_fields(whole(name), ()))


def _fields(schema: Schema, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Schema]]:
    for part in _parts(schema):
        children = dict(part.get("properties", {}))
        if isinstance(part.get("additionalProperties"), dict):
            children["*"] = part["additionalProperties"]
        if "properties" in part.get("items", {}):
            children["*"] = part["items"]
        for key, field in children.items():
            yield (*path, key), field
            yield from _fields(field, (*path, key))


def settings_of(data: Schema, name: str) -> Iterator[tuple[tuple[str, ...], Schema]]:
    """Every single setting that valid data has or could have, by path: what holds no further fields."""
    yield from _settings(data, whole(name), ())


def _settings(data: Schema, schema: Schema, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Schema]]:
    fields: dict[str, Schema] = {}
    for part in _parts(schema, data):
        others = part.get("additionalProperties")
        named = dict.fromkeys(data, others) if isinstance(others, dict) else {}
        for key, field in {**named, **part.get("properties", {})}.items():
            fields[key] = {**fields.get(key, {}), **field}
    for key, field in fields.items():
        below = data.get(key, {})
        if isinstance(below, dict) and (below or "properties" in field):
            yield from _settings(below, field, (*path, key))
        else:
            yield (*path, key), field


def fill_defaults(data: Schema, name: str) -> Schema:
    """Valid data with every default written out."""
    filled: Schema = _copied(data)
    _fill(filled, whole(name))
    return filled


def _copied(value: Any) -> Any:
    """What JSON can say, anew. `copy.deepcopy`, which must allow for more, takes four times as long."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _fill(data: Schema, schema: Schema) -> None:
    for part in _parts(schema, data):
        properties, others = part.get("properties", _NONE), part.get("additionalProperties")
        if not properties and not isinstance(others, dict):
            continue
        for key, field in properties.items():
            if key not in data and "default" in field:
                data[key] = _copied(field["default"])
        for key, value in data.items():
            if isinstance(value, dict | list) and isinstance(field := properties.get(key, others), dict):
                _fill_value(value, field)


def _fill_value(value: Any, schema: Schema) -> None:
    if isinstance(value, dict):
        _fill(value, schema)
    elif isinstance(value, list) and "items" in schema:
        for item in value:
            _fill_value(item, schema["items"])


def _parts(schema: Schema, data: Any = None) -> Iterator[Schema]:
    """A schema and what it takes in by condition; given data, only the branches that apply."""
    yield schema
    for item in schema.get("allOf", ()):
        yield from _parts(item, data)
    if "if" in schema:
        branches = ["then", "else"]
        if data is not None:
            branches = ["then" if holds(schema["if"], data) else "else"]
        for branch in branches:
            yield from _parts(schema.get(branch, {}), data)


def holds(condition: Schema, value: Any) -> bool:
    """Whether a condition is met. Nearly all say `kind is grid`, which needs no validator."""
    properties = condition.get("properties", {})
    if condition.keys() == {"properties", "required"} and list(properties) == condition["required"]:
        ((key, field),) = properties.items()
        if field.keys() == {"const"}:
            return isinstance(value, dict) and key in value and bool(value[key] == field["const"])
    # Imported here: few schemas have such a condition, and jsonschema loads slowly.
    from engine.spec.validator import is_valid

    return is_valid(condition, value)


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
