"""What a plan means for money, in words: of one action on a line or in full, and of all bots together.

Amounts are in quote. What is not known is called unknown, and a sum says of how much of it nothing is.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from engine.plan.money import AccountMoney, LegMoney, Money, PositionEffect, Sum, Totals

UNKNOWN = "unknown"


def in_short(money: Money) -> Iterator[str]:
    """Per leg: orders to cancel, and what becomes of the position."""
    for leg, stake in money.legs.items():
        yield f"{_prefix(leg)}{_orders(stake)}; {_position(stake, _effect(stake, money))}"


def in_full(money: Money) -> Iterator[str]:
    """Per leg: everything that is known of it."""
    for leg, stake in money.legs.items():
        figures = (
            f"orders {count(stake.orders_cancelled)} cancelled, {count(stake.orders_kept)} kept",
            f"position {stake.position or UNKNOWN} {_effect(stake, money)}",
            f"notional {_moves(amount(stake.notional), amount(stake.notional_after))}",
            f"worst case {_moves(amount(stake.worst), amount(stake.worst_after))}",
            f"to flatten {_cost(stake)}",
            _margin(stake),
            f"rate limit {_use(stake.fullest)}",
            f"book {_age(stake.age_s)}",
        )
        yield f"{_prefix(leg)}{stake.market or 'market unknown'}: {'; '.join(figures)}"


def total_in_short(sums: Totals) -> str:
    """All bots together, on one line."""
    gross, net = _moves(_sum(sums.gross), _sum(sums.gross_after)), _moves(_sum(sums.net), _sum(sums.net_after))
    cancelled, kept = _orders_of(sums)
    return f"{cancelled} orders cancelled, {kept} kept; gross {gross}, net {net}; oldest book {_age(sums.age_s)}"


def in_total(sums: Totals) -> Iterator[tuple[str, str]]:
    """All bots together, as rows of a label and a value."""
    cancelled, kept = _orders_of(sums)
    yield "orders", f"{cancelled} cancelled, {kept} kept"
    yield "net notional", _moves(_sum(sums.net), _sum(sums.net_after))
    yield "gross notional", _moves(_sum(sums.gross), _sum(sums.gross_after))
    yield "worst case", _moves(_sum(sums.worst), _sum(sums.worst_after))
    yield "to flatten all", _sum(sums.flatten_cost)
    yield "oldest book", _age(sums.age_s)


def of_accounts(accounts: dict[str, AccountMoney]) -> Iterator[tuple[str, str]]:
    """Margin and rate limits, which all bots of an account share."""
    for name, account in accounts.items():
        yield f"account {name}", f"{_margin(account)}; rate limit {_use(account.fullest)}"


def amount(value: Decimal | None) -> str:
    return UNKNOWN if value is None else f"{value:,.2f}"


def count(value: int | None) -> str:
    return UNKNOWN if value is None else str(value)


def _prefix(leg: str) -> str:
    return "" if leg == "main" else f"{leg}: "


def _orders(stake: LegMoney) -> str:
    cancelled = stake.orders_cancelled
    if cancelled is None:
        return "orders to cancel: unknown"
    if cancelled == 0:
        return "no own orders to cancel"
    return f"{cancelled} own order{'s' * (cancelled != 1)} will be cancelled"


def _effect(stake: LegMoney, money: Money) -> PositionEffect:
    return PositionEffect.DROPPED if stake.dropped else money.position


def _position(stake: LegMoney, effect: PositionEffect) -> str:
    where = f" in {stake.market}" if stake.market else ""
    if stake.position is None:
        return f"position{where} unknown, {effect}"
    if Decimal(stake.position) == 0:
        return f"no position{where}"
    cost = f", cost {amount(stake.flatten_cost.total if stake.flatten_cost else None)}" if effect.takes_out else ""
    return f"position {stake.position}{where} is {effect}{cost}"


def _cost(stake: LegMoney) -> str:
    cost = stake.flatten_cost
    if cost is None:
        return UNKNOWN
    parts = f"spread {amount(cost.spread)}, slippage {amount(cost.slippage)}, fee {amount(cost.fee)}"
    return f"{amount(cost.total)} ({parts})"


def _orders_of(sums: Totals) -> tuple[str, str]:
    whole = "{:,.0f}"
    return _sum(sums.orders_cancelled, whole), _sum(sums.orders_kept, whole)


def _moves(now: str, after: str) -> str:
    return now if now == after else f"{now} → {after}"


def _margin(of: LegMoney | AccountMoney) -> str:
    age = "" if of.margin_age_s is None else f", {_age(of.margin_age_s)}"
    return f"margin used {amount(of.margin_used)}, free {amount(of.margin_free)}{age}"


def _use(fullest: tuple[str, int] | None) -> str:
    return UNKNOWN if fullest is None else f"{fullest[1]} % of {fullest[0]} used"


def _age(age_s: Decimal | None) -> str:
    return f"of {UNKNOWN} age" if age_s is None else f"{age_s:.1f} s old"


def _sum(total: Sum, form: str = "{:,.2f}") -> str:
    if total.is_unknown:
        return UNKNOWN
    known = form.format(total.known)
    return f"{known} (unknown of {total.unknown} of {total.parts})" if total.unknown else known
