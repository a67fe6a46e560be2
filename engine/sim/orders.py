"""What a simulated exchange keeps about an order, a fill and a trade, in integer ticks and lots.

Orders are mutable on purpose: matching touches them a thousand times between two looks from outside. Everything
that leaves the simulation is rendered at once and never holds on to one.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from engine.model.order import OrderStatus, Side, TimeInForce
from engine.model.value import Value


class SelfTrade(StrEnum):
    """Who gives way when an order would meet another one of the same account."""

    REJECT_TAKER = "reject taker"
    REJECT_MAKER = "reject maker"
    REJECT_BOTH = "reject both"


class Expiry(StrEnum):
    """Why the exchange itself ended an order."""

    IMMEDIATE_OR_CANCEL = "immediate or cancel"
    FILL_OR_KILL = "fill or kill"
    SELF_TRADE = "self trade"
    NO_LONGER_REDUCES = "no longer reduces"
    WOULD_CROSS = "would cross"
    NO_LIQUIDITY = "no liquidity"
    PRICE_IMPACT = "price impact"


class Refusal(StrEnum):
    """Why an order was not taken at all."""

    WOULD_CROSS = "would cross"
    PRICE_OUT_OF_BAND = "price out of band"
    INSUFFICIENT_FUNDS = "insufficient funds"
    INSUFFICIENT_MARGIN = "insufficient margin"
    NOT_REDUCING = "not reducing"


class OrderRefused(Exception):
    """The order was not taken; it never existed for anybody else."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


@dataclass(slots=True, eq=False, kw_only=True)
class Order:
    """One order. `ticks` is the limit; `is_market` orders get one from the impact band.

    A market order may name a `budget` instead of a size: it then buys or sells for that much quote, counted in
    tick-lots (ticks × lots), and `lots` is only the most it could ever take.
    """

    order_id: int
    owner: str
    symbol: str
    side: Side
    ticks: int
    lots: int
    placed_ns: int
    is_market: bool = False
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    self_trade: SelfTrade = SelfTrade.REJECT_TAKER
    client_id: int | str | None = None
    budget: int | None = None
    executed_lots: int = 0
    executed_value: int = 0
    """Σ ticks × lots over all fills: exact, and in quote once multiplied by tick size and lot size."""
    status: OrderStatus = OrderStatus.RESTING
    expiry: Expiry | None = None
    updated_ns: int = 0

    @property
    def open_lots(self) -> int:
        return self.lots - self.executed_lots

    @property
    def may_rest(self) -> bool:
        return not self.is_market and self.time_in_force is TimeInForce.GTC

    def reaches(self, ticks: int) -> bool:
        """Whether this order would trade at a price of the other side."""
        return self.ticks >= ticks if self.side is Side.BUY else self.ticks <= ticks

    def wants_at(self, ticks: int) -> int:
        """How many lots it still takes at a price."""
        if self.budget is None:
            return self.open_lots
        return min(self.open_lots, (self.budget - self.executed_value) // ticks)

    def execute(self, ticks: int, lots: int) -> None:
        self.executed_lots += lots
        self.executed_value += ticks * lots
        if self.budget is not None and self.budget - self.executed_value < ticks:
            self.lots = self.executed_lots  # what is left of the budget buys no further lot: done


class ExchangeFill(Value, frozen=True, kw_only=True):
    """One side of one trade, as its account sees it. Unique by (trade_id, order_id)."""

    trade_id: int
    order_id: int
    client_id: int | str | None
    symbol: str
    side: Side
    ticks: int
    lots: int
    fee: Decimal
    fee_asset: str
    is_maker: bool
    at_ns: int


class Trade(Value, frozen=True, kw_only=True):
    """One trade, as everybody sees it."""

    trade_id: int
    symbol: str
    ticks: int
    lots: int
    buy_order_id: int
    sell_order_id: int
    buyer_is_maker: bool
    at_ns: int
