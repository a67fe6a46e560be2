"""What changing a field asks of a running bot: read from the schemas' `x-impact`, where it is written once.

Plans ask here; nothing else decides whether a process may keep running.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache

from engine.spec.schema import fields_of_schema, strategy_kinds, venue_names


class Impact(StrEnum):
    """From nothing to everything; a plan takes the strongest of its changes."""

    NONE = "none"
    IN_PLACE = "in_place"
    RESTART = "restart"
    REPLACE = "replace"

    @property
    def strength(self) -> int:
        return list(Impact).index(self)


_WRITTEN_ELSEWHERE = {"rest_url": "venues.*.environments.*.rest_url", "ws_url": "venues.*.environments.*.ws_url"}
"""Fields an effective account carries that a person writes in another part of fleet.yaml."""


def impact_of(path: str) -> Impact:
    """The impact of one field by its written path: `strategy.spread_bps`, `accounts.alpha.environment`.

    A path below a known field has that field's impact; an unknown one counts as the strongest, because
    nobody has said that less will do.
    """
    steps = tuple(path.split("."))
    if steps[0] == "accounts" and steps[-1] in _WRITTEN_ELSEWHERE:
        steps = tuple(_WRITTEN_ELSEWHERE[steps[-1]].split("."))
    for length in range(len(steps), 0, -1):
        found = [impact for known, impact in _impacts() if _matches(known, steps[:length])]
        if found:
            return max(found, key=lambda impact: impact.strength)
    return Impact.REPLACE


@cache
def _impacts() -> tuple[tuple[tuple[str, ...], Impact], ...]:
    sources: list[tuple[tuple[str, ...], str]] = [((), "bot"), ((), "fleet")]
    sources += [(("strategy",), f"strategies/{kind}") for kind in strategy_kinds()]
    sources += [(("accounts", "*"), f"venues/{venue}") for venue in venue_names()]
    return tuple(
        ((*prefix, *path), Impact(field["x-impact"]))
        for prefix, name in sources
        for path, field in fields_of_schema(name)
        if "x-impact" in field
    )


def _matches(known: tuple[str, ...], steps: tuple[str, ...]) -> bool:
    return len(known) == len(steps) and all(k in ("*", s) for k, s in zip(known, steps, strict=True))
