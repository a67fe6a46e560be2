"""Drift as text: what was found bot by bot, whose word it is, and what can be said about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.plan.drift.findings import Drift, Finding, Kind, Means, Unlooked, Way

SYMBOLS = {
    Kind.DECLARED: "~",
    Kind.PROCESS: "-",
    Kind.FINGERPRINT: "↻",
    Kind.FOREIGN_ORDER: "!",
    Kind.ORPHAN_ORDER: "!",
    Kind.POSITION: "!",
    Kind.LEVERAGE: "!",
    Kind.COLLATERAL: "!",
}
LEGEND = {
    "!": "the venue says otherwise",
    "↻": "runs other settings",
    "-": "does not run as it was applied",
    "~": "the files say otherwise",
    "?": "could not be looked at",
    "i": "has nothing to be compared with",
    ".": "ignored",
}


def render(drift: Drift, *, everything: bool = False, ways: bool = False) -> str:
    """For people. `everything`: also what is ignored; `ways`: also what each way comes to."""
    lines: list[str] = []
    for whose in _groups(drift, everything):
        lines.append(whose)
        lines += [line for one in drift.findings if one.whose == whose for line in _finding(one, ways)]
        lines += [f"  {_sign(one)} {one.what}: {one.why}" for one in drift.unlooked if one.whose == whose]
        if everything:
            lines += [
                f"  . {one.id}  {one.words}; ignored by {note.who} since {note.at}: {note.why}"
                for one, note in drift.noted
                if one.whose == whose
            ]
    if lines:
        lines += ["", _legend("\n".join(lines)), ""]
    return "\n".join([*lines, summary(drift)])


def summary(drift: Drift) -> str:
    """One sentence. What could not be looked at is never `no drift`."""
    unknown = sum(one.is_failure for one in drift.unlooked)
    count = len(drift.findings)
    head = f"{count} finding{'s' * (count != 1)}" if count else "no drift"
    if unknown and not count:
        head = "nothing found, and not everything looked at"
    parts = [f"{unknown} not looked at"] if unknown else []
    parts += [f"{len(drift.noted)} ignored"] if drift.noted else []
    return f"{drift.fleet or 'fleet'}: {head}" + (f" ({', '.join(parts)})" if parts else "")


def way_lines(means: Mapping[Way, Means]) -> Iterator[str]:
    """What each way comes to, one line each."""
    for way in Way:
        one = means[way]
        yield f"{way}: {one.words}" + (f" ({one.instead})" if one.instead else "")


def _groups(drift: Drift, everything: bool) -> list[str]:
    """Bots first, then accounts, then what concerns all."""
    found = {one.whose for one in drift.findings} | {one.whose for one in drift.unlooked}
    found |= {one.whose for one, _ in drift.noted} if everything else set()
    return sorted(found, key=lambda whose: (whose == "fleet", whose.startswith("account "), whose))


def _finding(one: Finding, ways: bool) -> Iterator[str]:
    said = " | ".join(way for way in Way if one.means[way].is_possible)
    place = f"  ({one.place})" if one.place else ""
    yield f"  {SYMBOLS[one.kind]} {one.id}  {one.words}  [{one.source}]  {said}{place}"
    if ways:
        yield from (f"      {line}" for line in way_lines(one.means))


def _sign(one: Unlooked) -> str:
    return "?" if one.is_failure else "i"


def _legend(text: str) -> str:
    used = {line.split()[0] for line in text.splitlines() if line.startswith("  ") and not line.startswith("   ")}
    return "  legend: " + "   ".join(f"{sign} {words}" for sign, words in LEGEND.items() if sign in used)
