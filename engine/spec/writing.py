"""Settings by dotted path as YAML, in the layout that people write by hand: `strategy.spread_bps` below `strategy`.

A value is YAML already, so that `{bps: 4}` is a mapping; what somebody means as text goes through `text_scalar`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_.\-/]*")
_AMBIGUOUS = frozenset({"yes", "no", "on", "off", "y", "n", "true", "false", "null"})


def settings_yaml(settings: Mapping[str, str], *, between: str = "\n") -> str:
    """One document of all the settings; `between` stands between its sections."""
    document: dict[str, Any] = {}
    for path, scalar in settings.items():
        put(document, path.split("."), scalar)
    return between.join("\n".join(block_lines({name: section})) for name, section in document.items()) + "\n"


def put(document: dict[str, Any], path: list[str], scalar: str) -> None:
    """Write a value where a path leads, over what stands in the way."""
    for key in path[:-1]:
        below = document.get(key)
        document[key] = document = below if isinstance(below, dict) else {}
    document[path[-1]] = scalar


def block_lines(document: Mapping[str, Any], indent: str = "") -> list[str]:
    """A document of mappings and YAML values, a line each."""
    lines = []
    for key, value in document.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", *block_lines(value, f"{indent}  ")]
        else:
            lines.append(f"{indent}{key}: {value}".rstrip())
    return lines


def text_scalar(text: str) -> str:
    """As it is where YAML reads just that; in quotes where it would not."""
    if _BARE.fullmatch(text) and text.lower() not in _AMBIGUOUS:
        return text
    return "'" + text.replace("'", "''") + "'"
