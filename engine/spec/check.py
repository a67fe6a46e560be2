"""Holds a document against its schema and says what is wrong in a person's words, each at its place.

The schemas use no `anyOf` or `oneOf`, so that every failure has exactly one cause to report.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from jsonschema import ValidationError

from engine.spec.diagnostics import Findings, closest, nearest
from engine.spec.document import MappingNode, Node, Path, ScalarNode, data_of, node_at, place_at
from engine.spec.masking import MASK, SECRET_PLACES, mask
from engine.spec.validator import validator

_SHOWN = 60
_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}
_BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
    "minLength": "no shorter than",
    "maxLength": "no longer than",
}
_ENGLISH_BOOLEANS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def check(root: MappingNode, schema: str, findings: Findings, *, at: Path = ()) -> bool:
    """Report everything in which a document, or its part at a path, breaks a schema; True when nothing does."""
    fine = True
    part = node_at(root, at) or root
    for error in validator(schema).iter_errors(data_of(part)):
        fine = False
        _report(root, (*at, *error.absolute_path), error, findings)
    return fine


def _report(root: MappingNode, path: Path, error: ValidationError, findings: Findings) -> None:
    keyword = str(error.validator)
    node = node_at(root, path)
    if node is not None and not isinstance(node, MappingNode) and findings.has_error_at(node.place):
        return
    if "propertyNames" in error.absolute_schema_path:
        _report_name(root, path, error, findings)
    elif keyword == "additionalProperties":
        _report_unknown_keys(root, path, error, findings)
    elif keyword == "required":
        _report_missing_keys(root, path, error, findings)
    elif not SECRET_PLACES.isdisjoint(path) and keyword in ("type", "pattern"):
        _report_pasted_secret(root, path, findings)
    else:
        code, message, hint = _MESSAGES.get(keyword, _form)(dotted(path), node, error)
        findings.error(code, message, place_at(root, path), hint=hint)


def _report_unknown_keys(root: MappingNode, path: Path, error: ValidationError, findings: Findings) -> None:
    known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
    node = node_at(root, path)
    entries = node.entries if isinstance(node, MappingNode) else {}
    for key in entries.keys() - known.keys():
        shown = MASK if not SECRET_PLACES.isdisjoint(path) and not key.islower() else mask(key)[:_SHOWN]
        where = f" in {dotted(path)}" if path else ""
        findings.error(
            "unknown-key", f"unknown key `{shown}`{where}", entries[key].key_place, hint=nearest(key, known)
        )


def _report_missing_keys(root: MappingNode, path: Path, error: ValidationError, findings: Findings) -> None:
    wanted: Any = error.validator_value
    present: Any = error.instance
    for key in wanted:
        if key not in present:
            findings.error("missing-key", f"`{dotted((*path, key))}` is missing", place_at(root, path))


def _report_pasted_secret(root: MappingNode, path: Path, findings: Findings) -> None:
    findings.error(
        "pasted-secret",
        f"{dotted(path)} must be a reference to a secret, never the secret itself",
        place_at(root, path),
        hint="write ${VARIABLE} and put it into .env, or {file: PATH}; if a real key stood here, revoke it",
    )


def _report_name(root: MappingNode, path: Path, error: ValidationError, findings: Findings) -> None:
    key = str(error.instance)
    schema: Any = error.schema
    hint = nearest(key, schema["enum"]) if "enum" in schema else schema.get("x-message")
    code = "not-allowed" if "enum" in schema else "bad-format"
    where = f" in {dotted(path)}" if path else ""
    findings.error(code, f"`{mask(key)[:_SHOWN]}` is no valid name{where}", place_at(root, (*path, key)), hint=hint)


_Words = tuple[str, str, str | None]
"""Code, message and hint."""


def _type(path: str, node: Node | None, error: ValidationError) -> _Words:
    wanted: Any = error.validator_value
    types = [wanted] if isinstance(wanted, str) else list(wanted)
    names = " or ".join(_TYPES[name] for name in types)
    schema: Any = error.schema
    hint = schema.get("x-message") or _type_hint(node, types)
    return "wrong-type", f"{path} must be {names}, not {shown(node)}", hint


def _type_hint(node: Node | None, wanted: list[str]) -> str | None:
    if not isinstance(node, ScalarNode) or node.private or node.value is None:
        return None
    if "boolean" in wanted and node.text.lower() in _ENGLISH_BOOLEANS:
        return f"write {_ENGLISH_BOOLEANS[node.text.lower()]}"
    if "string" in wanted:
        return f'quote it to make it text: "{mask(node.text)}"'
    if isinstance(node.value, str) and {"number", "integer"} & set(wanted):
        if "{{" in node.text:
            return "expressions are for templates/: write the number itself, or use a template"
        return "numbers are plain decimal digits, without quotes, leading zeros, separators or units"
    return None


def _choice(path: str, node: Node | None, error: ValidationError) -> _Words:
    value: Any = error.validator_value
    given = value if error.validator == "enum" else [value]
    choices = [choice if isinstance(choice, str) else json.dumps(choice) for choice in given]
    message = f"{path} must be {' or '.join(choices)}, not {shown(node)}"
    is_word = isinstance(node, ScalarNode) and isinstance(node.value, str) and not node.private
    schema: Any = error.schema
    hint = closest(str(error.instance), choices) if is_word else schema.get("x-message")
    return "not-allowed", message, hint


def _bound(path: str, node: Node | None, error: ValidationError) -> _Words:
    relation = _BOUNDS[str(error.validator)]
    unit = " characters" if "Length" in str(error.validator) else ""
    return "out-of-range", f"{path} must be {relation} {error.validator_value}{unit}, not {shown(node)}", None


def _form(path: str, node: Node | None, error: ValidationError) -> _Words:
    schema: Any = error.schema
    rule = schema.get("x-message", f"does not fit `{error.validator}`")
    if isinstance(node, ScalarNode):
        return "bad-format", f"{path} cannot be {shown(node)}", rule
    return "bad-format", f"{path or 'the file'}: {rule}", None


_MESSAGES: dict[str, Callable[[str, Node | None, ValidationError], _Words]] = {
    "type": _type,
    "enum": _choice,
    "const": _choice,
    **dict.fromkeys(_BOUNDS, _bound),
}


def shown(node: Node | None) -> str:
    """A value as a diagnostic may show it: short, no secret, and from the environment only its name."""
    if not isinstance(node, ScalarNode):
        return "a mapping" if isinstance(node, MappingNode) else "a list"
    if node.private:
        return f"the value of {mask(node.text)[:_SHOWN]}"
    if isinstance(node.value, str):
        return repr(mask(node.value)[:_SHOWN])
    return "null" if node.value is None else mask(node.text)[:_SHOWN]


def dotted(path: Path) -> str:
    """A path as people write it: `exchange.legs.maker.market`."""
    return ".".join(mask(str(step))[:_SHOWN] for step in path)
