"""What each setting of a bot is, what it means, and which line of which file made it so: `botctl explain`.

Values come from the same checked document that the spec is made of, meanings from the schemas; a secret's place
holds a reference, and what looks like a key is masked all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from engine.model.instrument import plain
from engine.model.value import Value
from engine.spec.document import Entry, Given, MappingNode, Node, Place, ScalarNode, data_of, node_at
from engine.spec.documents import FLEET_FILE
from engine.spec.impact import impact_of
from engine.spec.load import LoadedBot
from engine.spec.masking import mask
from engine.spec.overlays import FOLDER
from engine.spec.rules import TEMPLATES
from engine.spec.schema import fill_defaults, settings_of

UNITS = {
    "bps": "basis points",
    "cpu_pct": "percent of one processor core",
    "mb": "megabytes",
    "minute": "per minute",
    "ms": "milliseconds",
    "pct": "percent",
    "s": "seconds",
    "ticks": "ticks of the market",
    "usd": "quote (USD)",
}
"""A key's unit is its last word."""

_DEFAULT = "default"
_NOT_SET = object()
_USED_UP = ("template", "parameters", "matrix")
"""Keys that made the bot and are not part of it."""


class Setting(Value, frozen=True, kw_only=True):
    """One setting. `source` is the layer that decided it, `place` where, `given` what an expression there used.

    `value` None and `source` None: it is not set, and has no default.
    """

    path: str
    value: str | None
    source: str | None
    place: Place | None
    given: tuple[Given, ...]
    description: str
    unit: str | None
    default: str | None
    impact: str


def explain(bot: LoadedBot) -> tuple[Setting, ...]:
    """Every setting of a bot and of the accounts it uses, in the order of the schemas."""
    return (
        *_settings(bot.root, "bot"),
        *(
            setting
            for name, entry in bot.accounts.entries.items()
            if isinstance(entry.value, MappingNode)
            for setting in _account(name, entry.value)
        ),
    )


def matching(settings: tuple[Setting, ...], key: str) -> tuple[Setting, ...]:
    """Those a key means: a whole path, a part of the tree, or the last words of paths."""
    exact = tuple(one for one in settings if one.path == key or one.path.startswith(f"{key}."))
    return exact or tuple(one for one in settings if one.path.endswith(f".{key}"))


def _account(name: str, account: MappingNode) -> Iterator[Setting]:
    """An account's settings, read from a fleet that has no other."""
    fleet = MappingNode(entries={name: Entry(key_place=account.place, value=account)}, place=account.place)
    root = MappingNode(entries={"accounts": Entry(key_place=account.place, value=fleet)}, place=account.place)
    yield from (setting for setting in _settings(root, "fleet") if setting.path.startswith("accounts."))


def _settings(root: MappingNode, schema: str) -> Iterator[Setting]:
    data = fill_defaults(data_of(root), schema)
    for path, field in settings_of(data, schema):
        if path[0] not in _USED_UP:
            yield _setting(path, node_at(root, path), _value_at(data, path), field)


def _value_at(data: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        if not isinstance(data, dict) or step not in data:
            return _NOT_SET
        data = data[step]
    return data


def _setting(path: tuple[str, ...], node: Node | None, value: Any, field: dict[str, Any]) -> Setting:
    is_default = node is None and value is not _NOT_SET
    default = field.get("default", value if is_default else _NOT_SET)
    return Setting(
        path=".".join(path),
        value=None if value is _NOT_SET else _shown(value),
        source=_DEFAULT if is_default else _layer(node),
        place=node.place if node else None,
        given=node.given if isinstance(node, ScalarNode) else (),
        description=field["description"],
        unit=_unit(path[-1]),
        default=None if default is _NOT_SET else _shown(default),
        impact=impact_of(".".join(path)).replace("_", " "),
    )


def _layer(node: Node | None) -> str | None:
    """The layer by the file: each kind of file is one."""
    if node is None:
        return None
    if node.place.file.startswith(FOLDER):
        return "overlay"
    if node.place.file.startswith(TEMPLATES):
        return "template"
    return "fleet" if node.place.file == FLEET_FILE else "bot"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return mask(plain(Decimal(value)) if isinstance(value, int | Decimal) else value)


def _unit(key: str) -> str | None:
    return next((unit for end, unit in UNITS.items() if key.endswith(f"_{end}") or key == end), None)
