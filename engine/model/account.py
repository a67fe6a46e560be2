"""What an account has: fills, positions, balances, and what is at stake there, all exact."""

from __future__ import annotations

from decimal import Decimal

from engine.model.order import Liquidity, Side
from engine.model.value import Value


class Fill(Value, frozen=True, kw_only=True):
    """One execution. Unique by (trade_id, venue_order_id); a self-trade has two fills with one trade id.

    `fee` is signed: positive is paid, negative is a rebate, in units of `fee_asset`.
    """

    trade_id: str
    venue_order_id: str
    client_id: int | None
    side: Side
    ticks: int
    lots: int
    fee: Decimal
    fee_asset: str
    liquidity: Liquidity
    at_ns: int
    system: bool = False
    """True for liquidation, ADL and the like: ours although we never sent the order."""


class FundingPayment(Value, frozen=True, kw_only=True):
    """What the account received on a market for holding a perp, in units of the quote; less than nothing when it
    paid. Unique by `payment_id` on its market. `rate` is of the interval, where the venue tells it."""

    payment_id: str
    amount: Decimal
    at_ns: int
    rate: Decimal | None = None


class Position(Value, frozen=True, kw_only=True):
    """The venue's figure for one market: signed lots, positive is long."""

    lots: int
    entry_price: Decimal | None = None


class Balance(Value, frozen=True, kw_only=True):
    """One asset of an account, in units of the asset; `total` counts locked and lent amounts too."""

    asset: str
    total: Decimal
    available: Decimal


class BudgetUse(Value, frozen=True, kw_only=True):
    """How one count of a venue stands, for people: what was used in about the last minute. `pace`: the part of the
    limit that is in force, less than 1 for a while after the venue asked for patience."""

    used_per_minute: int
    limit_per_minute: int
    pace: float


class Stake(Value, frozen=True, kw_only=True):
    """What one leg has at stake in money, in quote; None is unknown. `price` is the mid, `notional` the position's
    worth with its sign, `worst` what it may come to when every open order fills. `spread`, `slippage` and `fee` are
    of taking it out of the book as it stands."""

    price: Decimal | None = None
    notional: Decimal | None = None
    worst: Decimal | None = None
    spread: Decimal | None = None
    slippage: Decimal | None = None
    fee: Decimal | None = None
    margin_used: Decimal | None = None
    margin_free: Decimal | None = None
    margin_age_s: Decimal | None = None
    book_age_s: Decimal | None = None
