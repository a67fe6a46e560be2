"""A new bot file, and a simulated account in fleet.yaml, as texts: what `botctl new` writes. Pure.

Above each setting stands what the schema says of it, so that whoever opens the file first can read it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from engine.model.instrument import plain
from engine.spec.diagnostics import LINE_BREAK, Findings
from engine.spec.document import MappingNode
from engine.spec.documents import FLEET_FILE
from engine.spec.schema import fields_of_schema
from engine.spec.writing import settings_yaml, text_scalar
from engine.spec.yaml_loader import load_yaml

_HEAD = """\
# yaml-language-server: $schema=../schemas/bot.schema.json
# `botctl explain {name}` shows every setting, `botctl plan` what this file would change.
"""
_UNREMARKED = ("metadata", "metadata.name", "exchange", "strategy", "strategy.kind", "risk", "process")
"""What needs no explanation."""


def bot_text(settings: Mapping[str, str]) -> str:
    """A bot file of settings by dotted path, each with its remark."""
    head = _HEAD.format(name=settings["metadata.name"])
    return head + settings_yaml(settings, between="\n\n", remarks=remarks(settings))


def remarks(settings: Mapping[str, str]) -> dict[str, str]:
    """What the schemas say of each setting, and of what stands above it, in a sentence."""
    kind = settings["strategy.kind"]
    described = {".".join(path): field for path, field in fields_of_schema("bot")}
    described |= {f"strategy.{'.'.join(path)}": field for path, field in fields_of_schema(f"strategies/{kind}")}
    paths = {above for path in settings for above in _and_above(path)} & described.keys()
    return {
        path: _first_sentence(described[path]["description"])
        for path in paths - set(_UNREMARKED)
        if not path.startswith("exchange.")
    }


def with_account(fleet: str, name: str, venue: str, balances: Mapping[str, Decimal]) -> str | None:
    """The text of fleet.yaml with one more simulated account; None where its accounts are not written in lines."""
    root = load_yaml(FLEET_FILE, fleet, Findings({}))
    entry = root.entries.get("accounts") if root else None
    if entry is None or not isinstance(entry.value, MappingNode):
        return None
    children = [child.key_place for child in entry.value.entries.values()]
    if not children or children[0].line == entry.key_place.line:
        return None
    lines = LINE_BREAK.split(fleet)
    new = account_lines(name, venue, balances, indent=" " * (children[0].column - 1))
    return "\n".join([*lines[: entry.key_place.line], *new, *lines[entry.key_place.line :]])


def account_lines(name: str, venue: str, balances: Mapping[str, Decimal], *, indent: str = "  ") -> list[str]:
    """A simulated account as it stands under `accounts`."""
    owned = ", ".join(f"{asset}: {plain(amount)}" for asset, amount in balances.items())
    below = f"{indent}  "
    return [
        f"{indent}{text_scalar(name)}:",
        f"{below}venue: {venue}",
        f"{below}environment: sim",
        f"{below}balances: {{{owned}}}",
    ]


def _and_above(path: str) -> list[str]:
    """`a`, `a.b` and `a.b.c`."""
    steps = path.split(".")
    return [".".join(steps[:count]) for count in range(1, len(steps) + 1)]


def _first_sentence(text: str) -> str:
    return re.split(r"[.:] ", text)[0].rstrip(".")
