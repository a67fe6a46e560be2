"""Wire objects to model values for one account and one market: the vocabulary shared by replies and frames.

Raises ValueError for whatever does not fit; `codec` turns that into ProtocolError at its edge.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from engine.clock import NS_PER_MS, NS_PER_S
from engine.exchanges.decimals import Grid, exact
from engine.exchanges.lighter import wire
from engine.model.account import Balance, Fill, FundingPayment, Position
from engine.model.events import Level
from engine.model.instrument import Instrument
from engine.model.order import Liquidity, OrderReport, OrderStatus, RejectReason, Side

COLLATERAL_ASSET = "USDC"
FEE_UNIT = Decimal("0.000001")
"""Fees of trades count in millionths of their value."""

TRADE = "trade"
"""Every other type of a trade is the venue acting on our account: liquidation, deleverage, settlement."""

_OPEN = frozenset({"in-progress", "pending", "open"})
_EXPIRED = frozenset({"canceled-expired", "canceled-too-much-slippage", "canceled-not-enough-liquidity"})
ENTRY_REFUSALS = {
    "canceled-post-only": RejectReason.WOULD_CROSS,
    "canceled-reduce-only": RejectReason.REDUCE_ONLY,
    "canceled-position-not-allowed": RejectReason.INSUFFICIENT_FUNDS,
    "canceled-margin-not-allowed": RejectReason.INSUFFICIENT_FUNDS,
    "canceled-invalid-balance": RejectReason.INSUFFICIENT_FUNDS,
}
"""How the sequencer says no to an order that the API had accepted."""


class Translator:
    """Knows the grids of one market; every method turns one wire object into one model value."""

    def __init__(self, instrument: Instrument, account_index: int) -> None:
        self.market_index = int(instrument.venue_code)
        self.account_index = account_index
        self._prices = Grid(instrument.tick_size)
        self._sizes = Grid(instrument.lot_size)

    def order(self, order: wire.OrderView) -> OrderReport:
        return OrderReport(
            venue_order_id=str(order.order_index),
            client_id=order.client_order_index or None,
            side=Side.SELL if order.is_ask else Side.BUY,
            ticks=self._prices.units(order.price),
            lots=self._sizes.units(order.initial_base_amount),
            executed_lots=self._sizes.units(order.filled_base_amount),
            status=_status(order.status),
            reason=order.status.removeprefix("canceled").lstrip("-") if order.status.startswith("canceled") else "",
            updated_ns=order.updated_at * NS_PER_S,
        )

    def fills(self, trade: wire.TradeView) -> tuple[Fill, ...]:
        """Our sides of a trade: one, both when we met ourselves, none of other accounts'."""
        sides = ((Side.SELL, trade.ask_account_id), (Side.BUY, trade.bid_account_id))
        return tuple(self._fill(trade, side) for side, owner in sides if owner == self.account_index)

    def _fill(self, trade: wire.TradeView, side: Side) -> Fill:
        is_ask = side is Side.SELL
        is_maker = trade.is_maker_ask is is_ask
        millionths = trade.maker_fee if is_maker else trade.taker_fee
        return Fill(
            trade_id=str(trade.trade_id),
            venue_order_id=str(trade.ask_id if is_ask else trade.bid_id),
            client_id=(trade.ask_client_id if is_ask else trade.bid_client_id) or None,
            side=side,
            ticks=self._prices.units(trade.price),
            lots=self._sizes.units(trade.size),
            fee=exact(trade.usd_amount) * (millionths or 0) * FEE_UNIT,
            fee_asset=COLLATERAL_ASSET,
            liquidity=Liquidity.MAKER if is_maker else Liquidity.TAKER,
            at_ns=trade.timestamp * NS_PER_MS,
            system=trade.type != TRADE,
        )

    def position(self, position: wire.PositionView) -> Position:
        """A flat position has no entry price."""
        lots = self._sizes.units(position.position) * (-1 if position.sign < 0 else 1)
        return Position(lots=lots, entry_price=exact(position.avg_entry_price) if lots else None)

    def levels(self, side: Iterable[wire.PriceLevel]) -> tuple[Level, ...]:
        levels = tuple((self._prices.units(level.price), self._sizes.units(level.size)) for level in side)
        if any(ticks <= 0 or lots < 0 for ticks, lots in levels):
            raise ValueError("a price level below zero")
        return levels

    def resting(self, side: Iterable[wire.RestingOrder]) -> tuple[Level, ...]:
        """Single orders as price levels, in the order they came in."""
        levels: dict[int, int] = {}
        for order in side:
            ticks = self._prices.units(order.price)
            levels[ticks] = levels.get(ticks, 0) + self._sizes.units(order.remaining_base_amount)
        return tuple(levels.items())


def funding(row: wire.PositionFunding) -> FundingPayment:
    """In which unit the venue tells the rate is not documented, so it is not taken over."""
    return FundingPayment(payment_id=str(row.funding_id), amount=exact(row.change), at_ns=row.timestamp * NS_PER_S)


def balance(collateral: str, available: str) -> Balance:
    """The account's one balance: what backs its positions."""
    return Balance(asset=COLLATERAL_ASSET, total=exact(collateral), available=exact(available))


def _status(word: str) -> OrderStatus:
    if word in _OPEN:
        return OrderStatus.RESTING
    if word == "filled":
        return OrderStatus.FILLED
    if word in ENTRY_REFUSALS:
        return OrderStatus.REJECTED
    if word in _EXPIRED:
        return OrderStatus.EXPIRED
    if word.startswith("canceled"):
        return OrderStatus.CANCELED
    raise ValueError(f"unknown order status {word!r}")
