"""A plan as text: one line per bot, its reason, what changes with file and line, and what it means for money."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from engine.plan.actions import Action, FieldChange, Kind, LegMoney, Money, Plan, PositionEffect, Subject
from engine.plan.waves import wave_lines
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
_LEGEND = {
    "+": "start",
    "~": "change in place",
    "↻": "restart",
    "±": "replace",
    "-": "stop",
    "=": "leave alone",
    "?": "unknown",
}
_COLOURS = {"+": "32", "~": "33", "↻": "33", "±": "35", "-": "31", "?": "31"}
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


def render(plan: Plan, *, verbose: bool = False, colour: bool = False) -> str:
    """The plan for people. `verbose` also shows what stays as it is."""
    shown = [action for action in plan.actions if verbose or action.kind is not Kind.NONE]
    lines = [f"trouble: {trouble}" for trouble in plan.trouble]
    if plan.changes_env:
        lines.append(f"environment: {plan.env_in_force or BASE} → {plan.env or BASE}")
    width = max((len(_title(action)) for action in shown), default=0)
    for action in shown:
        lines += _lines(action, width, colour)
    if any(action.kind.is_change for action in shown):
        lines += ["", _legend(shown)]
    if plan.waves:
        lines += ["", *wave_lines(plan.waves)]
    if lines:
        lines.append("")
    lines.append(summary(plan))
    return "\n".join(lines)


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


def value_text(value: Any) -> str:
    """A setting's value on one line; None is a setting that is not there."""
    if value is None:
        return "(unset)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(value_text(item) for item in value) + "]"
    return str(value)


def _lines(action: Action, width: int, colour: bool) -> Iterator[str]:
    symbol = SYMBOLS[action.kind]
    word = "held" if action.kind is Kind.HOLD else action.kind.replace("none", "keep")
    head = f"{symbol} {_title(action):<{width}}  {word:<8}"
    yield f"  {_paint(head, _COLOURS.get(symbol), colour)} {_reason(action)}".rstrip()
    for change in action.changes:
        yield f"      {_change(change)}"
    if action.kind.stops_process and action.subject is Subject.BOT:
        yield from (f"      {line}" for line in _money(action.money))


def _title(action: Action) -> str:
    return f"simulator {action.name}" if action.subject is Subject.SIMULATOR else action.name


def _reason(action: Action) -> str:
    return f"{action.reason}  ({action.place})" if action.place and not action.changes else action.reason


def _change(change: FieldChange) -> str:
    return f"{change.path}: {value_text(change.before)} → {value_text(change.after)}  ({change.place})"


def _money(money: Money) -> Iterator[str]:
    for leg, stake in money.legs.items():
        prefix = "" if leg == "main" else f"{leg}: "
        yield f"{prefix}{_orders(stake)}; {_position(stake, money.position)}"


def _orders(stake: LegMoney) -> str:
    count = stake.orders_cancelled
    if count is None:
        return "orders to cancel: unknown"
    return "no own orders to cancel" if count == 0 else f"{count} own order{'s' * (count != 1)} will be cancelled"


def _position(stake: LegMoney, effect: PositionEffect) -> str:
    where = f" in {stake.market}" if stake.market else ""
    if stake.position is None:
        return f"position{where} unknown, {effect}"
    return (
        f"no position{where}" if Decimal(stake.position) == 0 else f"position {stake.position}{where} is {effect}"
    )


def _legend(shown: list[Action]) -> str:
    used = {SYMBOLS[action.kind] for action in shown}
    return "  legend: " + "   ".join(f"{symbol} {words}" for symbol, words in _LEGEND.items() if symbol in used)


def _paint(text: str, code: str | None, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour and code else text
