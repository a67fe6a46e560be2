"""Settings by dotted path as YAML, in the layout that people write by hand: `strategy.spread_bps` below `strategy`.

A value is YAML already, so that `{bps: 4}` is a mapping; what somebody means as text goes through `text_scalar`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_.\-/]*")
_AMBIGUOUS = frozenset({"yes", "no", "on", "off", "y", "n", "true", "false", "null"})


def settings_yaml(
    settings: Mapping[str, str], *, between: str = "\n", remarks: Mapping[str, str] | None = None
) -> str:
    """One document of all the settings; `between` stands between its sections, a remark by its path above a key."""
    document: dict[str, Any] = {}
    for path, scalar in settings.items():
        _put(document, path.split("."), scalar)
    sections = ({name: section} for name, section in document.items())
    return between.join("\n".join(_lines(section, (), remarks or {})) for section in sections) + "\n"


def _put(document: dict[str, Any], path: list[str], scalar: str) -> None:
    for key in path[:-1]:
        below = document.get(key)
        document[key] = document = below if isinstance(below, dict) else {}
    document[path[-1]] = scalar


def _lines(document: Mapping[str, Any], above: tuple[str, ...], remarks: Mapping[str, str]) -> list[str]:
    """A line for each key, those of a mapping below it."""
    lines, indent = [], "  " * len(above)
    for key, value in document.items():
        path = (*above, key)
        if remark := remarks.get(".".join(path)):
            lines.append(f"{indent}# {remark}")
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", *_lines(value, path, remarks)]
        else:
            lines.append(f"{indent}{key}: {value}".rstrip())
    return lines


def text_scalar(text: str) -> str:
    """As it is where YAML reads just that; in quotes where it would not."""
    if _BARE.fullmatch(text) and text.lower() not in _AMBIGUOUS:
        return text
    return "'" + text.replace("'", "''") + "'"
