"""Wire objects to model values for one market: the vocabulary shared by replies and frames.

Raises ValueError for whatever does not fit; `codec` turns that into ProtocolError at its edge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from engine.clock import NS_PER_MS
from engine.exchanges.aster import wire
from engine.exchanges.aster.client_ids import client_id_of
from engine.exchanges.aster.wire_streams import OrderUpdate, SpotWalletChange, WalletChange
from engine.exchanges.decimals import Grid, exact
from engine.model.account import Balance, Fill, FundingPayment, Position
from engine.model.events import Level
from engine.model.instrument import Instrument
from engine.model.order import Liquidity, OrderReport, OrderStatus, Side

SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
SIDE_WORDS = {side: word for word, side in SIDES.items()}

STATUSES = {
    "NEW": OrderStatus.RESTING,
    "PARTIALLY_FILLED": OrderStatus.RESTING,
    "NEW_INSURANCE": OrderStatus.RESTING,
    "NEW_ADL": OrderStatus.RESTING,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
}

POST_ONLY = "GTX"
WOULD_CROSS = "post-only order would have crossed"
SYSTEM_ORDERS = ("autoclose-", "adl_autoclose")
"""How the client ids of the venue's own orders on our account begin: liquidation and auto-deleveraging."""

T = TypeVar("T")


class Translator:
    """Knows the grids of one market; every method turns one wire object into one model value."""

    def __init__(self, instrument: Instrument) -> None:
        self.symbol = instrument.symbol
        self.prices = Grid(instrument.tick_size)
        self.sizes = Grid(instrument.lot_size)
        self._instrument = instrument

    def order(self, order: wire.Order) -> OrderReport:
        """An order from a reply or a query."""
        executed = self.sizes.units(order.executed_qty)
        status = _word(STATUSES, order.status, "order status")
        return OrderReport(
            venue_order_id=str(order.order_id),
            client_id=client_id_of(order.client_order_id),
            side=_word(SIDES, order.side, "side"),
            ticks=self._ticks(order.type, order.price),
            lots=self.sizes.units(order.orig_qty),
            executed_lots=executed,
            status=status,
            reason=_reason(status, order.time_in_force, executed),
            updated_ns=int(order.update_time) * NS_PER_MS,
        )

    def order_update(self, update: OrderUpdate) -> OrderReport:
        """An order from the stream, whatever happened to it."""
        executed = self.sizes.units(update.executed_quantity)
        status = _word(STATUSES, update.status, "order status")
        return OrderReport(
            venue_order_id=str(update.order_id),
            client_id=client_id_of(update.client_order_id),
            side=_word(SIDES, update.side, "side"),
            ticks=self._ticks(update.order_type, update.price),
            lots=self.sizes.units(update.quantity),
            executed_lots=executed,
            status=status,
            reason=_reason(status, update.time_in_force, executed),
            updated_ns=update.engine_ms * NS_PER_MS,
        )

    def stream_fill(self, update: OrderUpdate) -> Fill:
        """The execution inside an order update; its commission is left out when there is none."""
        fee, asset = update.commission, update.commission_asset
        return Fill(
            trade_id=str(update.trade_id),
            venue_order_id=str(update.order_id),
            client_id=client_id_of(update.client_order_id),
            side=_word(SIDES, update.side, "side"),
            ticks=self.prices.units(update.fill_price),
            lots=self.sizes.units(update.fill_quantity),
            fee=exact(fee) if isinstance(fee, str) else exact("0"),
            fee_asset=asset if isinstance(asset, str) else self._instrument.quote,
            liquidity=_liquidity(update.is_maker),
            at_ns=update.engine_ms * NS_PER_MS,
            system=update.client_order_id.startswith(SYSTEM_ORDERS),
        )

    def fills(self, trades: Iterable[wire.UserTrade]) -> tuple[Fill, ...]:
        """Executions from one page of the trade list."""
        page = tuple(trades)
        is_reversed = costs_are_negative(page)
        return tuple(self._fill(trade, is_reversed) for trade in page if trade.symbol == self.symbol)

    def _fill(self, trade: wire.UserTrade, is_reversed: bool) -> Fill:
        """The list names no client id."""
        commission = exact(trade.commission)
        return Fill(
            trade_id=str(trade.id),
            venue_order_id=str(trade.order_id),
            client_id=None,
            side=_word(SIDES, trade.side, "side"),
            ticks=self.prices.units(trade.price),
            lots=self.sizes.units(trade.qty),
            fee=commission.copy_negate() if is_reversed and commission else commission,
            fee_asset=trade.commission_asset,
            liquidity=_liquidity(trade.maker is True),
            at_ns=trade.time * NS_PER_MS,
        )

    def position(self, rows: Iterable[tuple[str, str]]) -> Position:
        """A perp position from (amount, entry price) rows: one, or a long and a short one in hedge mode."""
        held = [
            (lots, price) for lots, price in ((self.sizes.units(amount), price) for amount, price in rows) if lots
        ]
        entry_price = exact(held[0][1]) if len(held) == 1 else None
        return Position(lots=sum(lots for lots, _ in held), entry_price=entry_price or None)

    def holding(self, balances: Iterable[Balance]) -> Position:
        """A spot position: the whole lots of the base asset the account has. The venue keeps no other figure."""
        base = self._instrument.base
        return Position(
            lots=sum(self._instrument.lots_within(held.total) for held in balances if held.asset == base)
        )

    def levels(self, side: Iterable[wire.PriceLevel]) -> tuple[Level, ...]:
        ticks, lots = self.prices.units, self.sizes.units
        levels = [(ticks(price), lots(size)) for price, size in side]
        for price, size in levels:
            if price <= 0 or size < 0:
                raise ValueError("a price level below zero")
        return tuple(levels)

    def _ticks(self, order_type: str, price: str) -> int:
        """Zero for a market order: it has no price."""
        return self.prices.units(price) if order_type == "LIMIT" else 0


def costs_are_negative(page: Iterable[wire.UserTrade]) -> bool:
    """How a page of the trade list writes commissions: the documentation's sample has what was paid below zero,
    captures have it above. Takers always pay, so theirs tell; without any it is as captured."""
    return any(trade.maker is False and exact(trade.commission) < 0 for trade in page)


def funding(row: wire.Income) -> FundingPayment:
    return FundingPayment(payment_id=str(row.tran_id), amount=exact(row.income), at_ns=row.time * NS_PER_MS)


def futures_balance(held: wire.FuturesBalance) -> Balance:
    return Balance(asset=held.asset, total=exact(held.balance), available=exact(held.available_balance))


def spot_balance(held: wire.SpotBalance | SpotWalletChange) -> Balance:
    free = exact(held.free)
    return Balance(asset=held.asset, total=free + exact(held.locked), available=free)


def wallet_balance(held: WalletChange) -> Balance:
    """What the stream tells of a futures wallet; what of it is free for orders only a query tells."""
    return Balance(asset=held.asset, total=exact(held.wallet), available=exact(held.cross_wallet))


def _reason(status: OrderStatus, time_in_force: str, executed: int) -> str:
    crossed = status is OrderStatus.EXPIRED and time_in_force == POST_ONLY and not executed
    return WOULD_CROSS if crossed else ""


def _liquidity(is_maker: bool) -> Liquidity:
    return Liquidity.MAKER if is_maker else Liquidity.TAKER


def _word(words: Mapping[str, T], word: str, what: str) -> T:
    try:
        return words[word]
    except KeyError:
        raise ValueError(f"unknown {what} {word!r}") from None
