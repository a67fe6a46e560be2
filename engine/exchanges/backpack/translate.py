"""Wire objects to model values for one market: the vocabulary shared by replies and frames.

Raises ValueError for whatever does not fit; `codec` turns that into ProtocolError at its edge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from msgspec import UNSET, UnsetType

from engine.clock import NS_PER_MS, NS_PER_US
from engine.exchanges.backpack import wire
from engine.exchanges.backpack.wire_streams import BalanceUpdate, OrderUpdate
from engine.exchanges.decimals import Grid, exact
from engine.model.account import Balance, Fill, FundingPayment, Position
from engine.model.events import Level
from engine.model.instrument import Instrument
from engine.model.order import Liquidity, OrderReport, OrderStatus, Side

SIDES = {"Bid": Side.BUY, "Ask": Side.SELL}
SIDE_WORDS = {side: word for word, side in SIDES.items()}

STATUSES = {
    "New": OrderStatus.RESTING,
    "PartiallyFilled": OrderStatus.RESTING,
    "TriggerPending": OrderStatus.RESTING,
    "Triggered": OrderStatus.RESTING,
    "Filled": OrderStatus.FILLED,
    "Cancelled": OrderStatus.CANCELED,
    "Expired": OrderStatus.EXPIRED,
    "TriggerFailed": OrderStatus.REJECTED,
}

USER_ORIGINS = (None, "USER")
"""Every other origin of a fill is the venue acting on our account: liquidation, ADL, collateral conversion."""

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Translator:
    """Knows the grids of one market; every method turns one wire object into one model value."""

    def __init__(self, instrument: Instrument) -> None:
        self.symbol = instrument.symbol
        self.prices = Grid(instrument.tick_size)
        self.sizes = Grid(instrument.lot_size)
        self._instrument = instrument

    def order(self, order: wire.Order) -> OrderReport:
        """An order from a reply or a query."""
        return OrderReport(
            venue_order_id=str(order.id),
            client_id=client_id(order.client_id),
            side=_word(SIDES, order.side, "side"),
            ticks=self._ticks(order.order_type, order.price),
            lots=self._lots(order.quantity),
            executed_lots=self._lots(order.executed_quantity),
            status=_word(STATUSES, order.status, "order status"),
            reason=order.expiry_reason or "",
            updated_ns=moment_ns(order.created_at),
        )

    def order_update(self, update: OrderUpdate) -> OrderReport:
        """An order from the stream, whatever happened to it."""
        return OrderReport(
            venue_order_id=str(update.order_id),
            client_id=client_id(update.client_id),
            side=_word(SIDES, update.side, "side"),
            ticks=self._ticks(update.order_type, update.price),
            lots=self._lots(update.quantity),
            executed_lots=self._lots(update.executed_quantity),
            status=_word(STATUSES, update.status, "order status"),
            reason=update.expiry_reason or "",
            updated_ns=update.engine_us * NS_PER_US,
        )

    def stream_fill(self, update: OrderUpdate) -> Fill:
        """The execution inside an `orderFill`; ValueError when one of its fields is missing."""
        price, size, fee, asset = update.fill_price, update.fill_quantity, update.fee, update.fee_symbol
        if not (price and size and fee and asset) or not isinstance(update.is_maker, bool):
            raise ValueError("an orderFill without price, quantity, fee or maker flag")
        at_ns = update.engine_us * NS_PER_US
        return Fill(
            trade_id=_trade_id(update.trade_id, at_ns),
            venue_order_id=str(update.order_id),
            client_id=client_id(update.client_id),
            side=_word(SIDES, update.side, "side"),
            ticks=self.prices.units(price),
            lots=self.sizes.units(size),
            fee=exact(fee),
            fee_asset=asset,
            liquidity=_liquidity(update.is_maker),
            at_ns=at_ns,
            system=update.origin not in USER_ORIGINS,
        )

    def fill(self, fill: wire.Fill) -> Fill:
        """An execution from the fill history."""
        at_ns = moment_ns(fill.timestamp)
        return Fill(
            trade_id=_trade_id(fill.trade_id, at_ns),
            venue_order_id=str(fill.order_id),
            client_id=client_id(fill.client_id),
            side=_word(SIDES, fill.side, "side"),
            ticks=self.prices.units(fill.price),
            lots=self.sizes.units(fill.quantity),
            fee=exact(fill.fee),
            fee_asset=fill.fee_symbol,
            liquidity=_liquidity(fill.is_maker),
            at_ns=at_ns,
            system=fill.system_order_type not in USER_ORIGINS,
        )

    def position(self, net_quantity: str, entry_price: str | None) -> Position:
        """A perp position; a flat one has no entry price."""
        lots = self.sizes.units(net_quantity)
        return Position(lots=lots, entry_price=exact(entry_price) if entry_price and lots else None)

    def holding(self, balances: Mapping[str, wire.Balance]) -> Position:
        """A spot position: the whole lots of the base asset the account has. The venue keeps no other figure."""
        held = balances.get(self._instrument.base)
        return Position(lots=self._instrument.lots_within(_total(held)) if held else 0)

    def levels(self, side: Iterable[wire.PriceLevel]) -> tuple[Level, ...]:
        """Price levels keyed by number: REST and stream write the same price differently."""
        ticks, lots = self.prices.units, self.sizes.units
        levels = [(ticks(price), lots(size)) for price, size in side]
        for price, size in levels:
            if price <= 0 or size < 0:
                raise ValueError("a price level below zero")
        return tuple(levels)

    def _ticks(self, order_type: str, price: str | UnsetType | None) -> int:
        """Zero for a market order: it has no price, or one the venue made up off the grid."""
        return self.prices.units(price) if price and order_type.upper() == "LIMIT" else 0

    def _lots(self, quantity: str | UnsetType | None) -> int:
        return self.sizes.units(quantity) if quantity else 0  # a trigger order may have no quantity yet


def balance(asset: str, held: wire.Balance | BalanceUpdate) -> Balance:
    """One asset of the spot wallet. Lent amounts are not in the venue's figure."""
    return Balance(asset=asset, total=_total(held), available=exact(held.available))


def collateral_balance(held: wire.CollateralAssetView) -> Balance:
    """One asset of the margin account, lent amounts included."""
    return Balance(asset=held.symbol, total=exact(held.total_quantity), available=exact(held.available_quantity))


def funding(row: wire.FundingPayment) -> FundingPayment:
    """A payment has no id but the end of its interval: a market has one interval at a time."""
    at_ns = moment_ns(row.interval_end_timestamp)
    return FundingPayment(
        payment_id=str(at_ns // NS_PER_MS), amount=exact(row.quantity), at_ns=at_ns, rate=exact(row.funding_rate)
    )


def client_id(text: wire.ClientId | UnsetType) -> int | None:
    """A client id, which is a number in orders and the same number as text in fills."""
    return None if text is None or text is UNSET else int(text)


def moment_ns(moment: wire.Moment) -> int:
    """An instant in any of the venue's REST spellings: milliseconds, or UTC text without a zone."""
    if isinstance(moment, int):
        return moment * NS_PER_MS
    return (datetime.fromisoformat(moment).replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND * NS_PER_US


def _trade_id(trade_id: wire.Id | None, at_ns: int) -> str:
    # Fills made by the venue itself may have no trade id; their time tells them apart within the order.
    return f"at-{at_ns // NS_PER_MS}" if trade_id is None else str(trade_id)


def _total(held: wire.Balance | BalanceUpdate) -> Decimal:
    return exact(held.available) + exact(held.locked) + exact(held.staked)


def _liquidity(is_maker: bool) -> Liquidity:
    return Liquidity.MAKER if is_maker else Liquidity.TAKER


def _word(words: Mapping[str, T], word: str, what: str) -> T:
    try:
        return words[word]
    except KeyError:
        raise ValueError(f"unknown {what} {word!r}") from None
