"""A plan as text, in three densities from one model: a line per bot; each setting that changes; and everything."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import Any

from engine.plan.actions import Action, FieldChange, Kind, Objection, Plan, Subject
from engine.plan.findings import finding_text
from engine.plan.money import PositionEffect, totals
from engine.plan.money_words import in_full, in_short, in_total, of_accounts, total_in_short
from engine.plan.waves import wave_lines
from engine.spec.impact import Impact
from engine.spec.types import BASE

SYMBOLS = {
    Kind.CREATE: "+",
    Kind.START: "+",
    Kind.UPDATE: "~",
    Kind.RESTART: "↻",
    Kind.REPLACE: "±",
    Kind.STOP: "-",
    Kind.RETIRE: "-",
    Kind.RECORD: "=",
    Kind.HOLD: "=",
    Kind.NONE: "=",
    Kind.UNKNOWN: "?",
}
LEGEND = {
    "+": "start",
    "~": "change in place",
    "↻": "restart",
    "±": "replace",
    "-": "stop",
    "=": "leave alone",
    "?": "unknown",
}
_COLOURS = {"+": "32", "~": "33", "↻": "33", "±": "35", "-": "31", "?": "31"}
_PLAIN = str.maketrans({"↻": "@", "±": "%", "→": "->", "…": "..."})
_AT_ONCE = {Kind.START: "now with", Kind.HOLD: "waiting:"}
"""How settings are told that change beside what is done."""
_PAST = {
    Kind.CREATE: "to create",
    Kind.START: "to start",
    Kind.UPDATE: "to change in place",
    Kind.RESTART: "to restart",
    Kind.REPLACE: "to replace",
    Kind.STOP: "to stop",
    Kind.RETIRE: "to retire",
    Kind.RECORD: "to record",
}


class Density(IntEnum):
    """How much of a plan is shown."""

    LINES = 0
    """A line per bot that is not simply left alone."""
    FIELDS = 1
    """Also every setting that changes, and accounts."""
    FULL = 2
    """Also what stays as it is, fingerprints, and all that is known of money."""


def render(plan: Plan, *, density: Density = Density.LINES, colour: bool = False) -> str:
    """The plan for people."""
    shown = [action for action in plan.actions if density is Density.FULL or action.kind is not Kind.NONE]
    lines = [f"trouble: {trouble}" for trouble in plan.trouble]
    lines += [objection_text(objection) for objection in plan.objections]
    lines += [finding_text(finding) for finding in plan.findings]
    if plan.changes_env:
        lines.append(f"environment: {plan.env_in_force or BASE} → {plan.env or BASE}")
    width = max((len(title(action)) for action in shown), default=0)
    for action in shown:
        lines += _lines(action, width, density, colour)
    if any(action.kind.is_change for action in shown):
        lines += ["", legend(plan)]
    lines += _money_block(plan, density)
    if plan.waves:
        lines += ["", *wave_lines(plan.waves)]
    if lines:
        lines.append("")
    lines.append(summary(plan))
    return "\n".join(lines)


def degraded(text: str, encoding: str) -> str:
    """The same text for a terminal or a file that knows fewer signs."""
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return text.translate(_PLAIN).encode("ascii", "backslashreplace").decode("ascii")
    return text


def summary(plan: Plan) -> str:
    """One sentence: how many of what, and how many stay."""
    counts = {kind: sum(action.kind is kind for action in plan.actions) for kind in Kind}
    parts = [f"{counts[kind]} {words}" for kind, words in _PAST.items() if counts[kind]]
    still = [
        f"{counts[kind]} {words}"
        for kind, words in ((Kind.NONE, "unchanged"), (Kind.HOLD, "held"), (Kind.UNKNOWN, "unknown"))
        if counts[kind]
    ]
    head = ", ".join(parts) if parts else "nothing to do"
    return f"{plan.fleet}: {head}" + (f" ({', '.join(still)})" if still else "")


def legend(plan: Plan) -> str:
    """The signs that a plan uses, and what they mean."""
    used = {SYMBOLS[action.kind] for action in plan.actions if action.kind is not Kind.NONE}
    return "  legend: " + "   ".join(f"{symbol} {words}" for symbol, words in LEGEND.items() if symbol in used)


def title(action: Action) -> str:
    return f"simulator {action.name}" if action.subject is Subject.SIMULATOR else action.name


def word(action: Action) -> str:
    """The action's kind, as people say it."""
    return "held" if action.kind is Kind.HOLD else action.kind.replace("none", "keep")


def objection_text(objection: Objection) -> str:
    severity = "refused" if objection.is_error else "warning"
    return f"{severity}: {objection.message}  ({objection.place}) [{objection.code}]"


def change_text(change: FieldChange) -> str:
    return f"{change.path}: {value_text(change.before)} → {value_text(change.after)}  ({change.place})"


def reason_text(action: Action) -> str:
    """Why, with the place in the files unless the settings that change name theirs."""
    return f"{action.reason}  ({action.place})" if action.place and not action.changes else action.reason


def value_text(value: Any) -> str:
    """A setting's value on one line; None is a setting that is not there."""
    if value is None:
        return "(unset)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(value_text(item) for item in value) + "]"
    return str(value)


def is_money_shown(action: Action) -> bool:
    """Orders leave and a position is left alone, or taken out: that is part of the first look."""
    return action.money.position is not PositionEffect.UNTOUCHED


def _lines(action: Action, width: int, density: Density, colour: bool) -> Iterator[str]:
    symbol = SYMBOLS[action.kind]
    head = f"  {_paint(f'{symbol} {title(action):<{width}}  {word(action):<8}', _COLOURS.get(symbol), colour)}"
    money = list(in_short(action.money)) if is_money_shown(action) else []
    if density is Density.LINES:
        yield f"{head} {'; '.join([_in_a_word(action), *money])}".rstrip()
        return
    yield f"{head} {reason_text(action)}".rstrip()
    details = [change_text(change) for change in action.changes]
    details += _everything(action) if density is Density.FULL else money
    yield from (f"      {detail}" for detail in details)


def _in_a_word(action: Action) -> str:
    """The change that decides what happens, or the reason."""
    deciding = _deciding(action)
    if not deciding:
        reason = f"{action.reason}  ({action.place})" if action.place else action.reason
        return f"{reason}; {_AT_ONCE[action.kind]} {_first_of(action.changes)}" if _comes_along(action) else reason
    return _first_of((deciding[0], *action.changes[1:]))


def _comes_along(action: Action) -> bool:
    """Settings change that are not the reason."""
    return action.kind in _AT_ONCE and bool(action.changes)


def _first_of(changes: tuple[FieldChange, ...]) -> str:
    others = len(changes) - 1
    return change_text(changes[0]) + (f" and {others} more" if others else "")


def _deciding(action: Action) -> list[FieldChange]:
    """The changes that are the reason, the weightiest first; none where there is another reason."""
    if action.kind in (Kind.UPDATE, Kind.RECORD):
        return sorted(action.changes, key=lambda change: change.impact == Impact.NONE)
    return [change for change in action.changes if change.impact == action.kind]


def _everything(action: Action) -> Iterator[str]:
    yield f"impact {action.kind.impact}; fingerprint {action.before or '(none)'} → {action.after or '(none)'}"
    yield from in_full(action.money)


def _money_block(plan: Plan, density: Density) -> list[str]:
    """Nothing while no bot has anything at stake, or none is touched."""
    moneys = [action.money for action in plan.actions if action.money.legs]
    if not moneys or not (plan.changes or density is Density.FULL):
        return []
    sums = totals(moneys)
    if density is Density.LINES:
        return ["", f"  money: {total_in_short(sums)}"]
    rows = [*in_total(sums), *of_accounts(sums.accounts)]
    width = max(len(label) for label, _ in rows)
    return [
        "",
        "  money of all bots, in quote, now → after",
        *(f"    {label:<{width}}  {text}" for label, text in rows),
    ]


def _paint(text: str, code: str | None, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour and code else text
