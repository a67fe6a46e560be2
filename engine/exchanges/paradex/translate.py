"""Wire objects to model values for one market: the vocabulary shared by replies and frames.

Raises ValueError for whatever does not fit; `codec` turns that into ProtocolError at its edge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from engine.clock import NS_PER_MS
from engine.exchanges.decimals import Grid, exact
from engine.exchanges.interface import Collateral
from engine.exchanges.paradex import wire
from engine.exchanges.paradex.reasons import NEVER_RESTED, USER_CANCELED
from engine.model.account import Balance, Fill, FundingPayment, Position
from engine.model.events import Level
from engine.model.ids import ClientIdScheme
from engine.model.instrument import Instrument
from engine.model.order import Liquidity, OrderReport, OrderStatus, Side

CLIENT_IDS = ClientIdScheme(tag_bits=16, sequence_bits=32)
SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
SIDE_WORDS = {side: word for word, side in SIDES.items()}
OPEN_STATUSES = frozenset({"NEW", "OPEN", "UNTRIGGERED"})
"""A NEW order is only queued: it counts as resting, because it may, until its stream says otherwise."""

T = TypeVar("T")

_LIQUIDITIES = {"MAKER": Liquidity.MAKER, "TAKER": Liquidity.TAKER}
_OWN_ID = re.compile(r"botctl-(\d{1,5})-(\d{1,10})")
_USER_FILLS = frozenset({"FILL", "RPI", "FASTFILL", ""})
"""Every other type of fill (LIQUIDATION, TRANSFER, SETTLE_MARKET, …) is the venue acting on our account."""


class Translator:
    """Knows the grids of one market; every method turns one wire object into one model value."""

    def __init__(self, instrument: Instrument) -> None:
        self.symbol = instrument.symbol
        self.prices = Grid(instrument.tick_size)
        self.sizes = Grid(instrument.lot_size)

    def order(self, order: wire.OrderView) -> OrderReport:
        """An order from a reply, a query or the stream: all three show it alike."""
        lots, remaining = self.sizes.units(order.size), self.sizes.units(order.remaining_size)
        executed = lots - remaining
        status, reason = OrderStatus.RESTING, order.cancel_reason or ""
        if order.status not in OPEN_STATUSES:
            if reason and not remaining:
                executed = 0  # Cleared on closing: what of it was executed, fills tell.
            status = _closed_status(order.status, reason, executed)
        return OrderReport(
            venue_order_id=str(order.id),
            client_id=own_id(order.client_id),
            side=_word(SIDES, order.side, "side"),
            ticks=self.prices.units(order.price) if order.price and order.type == "LIMIT" else 0,
            lots=lots,
            executed_lots=executed,
            status=status,
            reason=reason,
            updated_ns=moment_ns(order.last_updated_at),
        )

    def fill(self, fill: wire.FillView) -> Fill:
        """An execution from the stream or the history."""
        return Fill(
            trade_id=str(fill.id),
            venue_order_id=str(fill.order_id),
            client_id=own_id(fill.client_id),
            side=_word(SIDES, fill.side, "side"),
            ticks=self.prices.units(fill.price),
            lots=self.sizes.units(fill.size),
            fee=exact(fill.fee),
            fee_asset=fill.fee_currency,
            liquidity=_word(_LIQUIDITIES, fill.liquidity, "liquidity"),
            at_ns=moment_ns(fill.created_at),
            system=fill.fill_type not in _USER_FILLS,
        )

    def position(self, position: wire.PositionView) -> Position:
        """A position; its sign is the side's, because not every answer signs the size too."""
        lots = abs(self.sizes.units(position.size)) * (-1 if position.side == "SHORT" else 1)
        if not lots or position.status == "CLOSED":
            return Position(lots=0)
        entry_price = position.average_entry_price
        return Position(lots=lots, entry_price=exact(entry_price) if entry_price else None)

    def levels(self, side: Iterable[wire.PriceLevel]) -> tuple[Level, ...]:
        """Price levels as ticks and lots."""
        levels = tuple((self.prices.units(price), self.sizes.units(size)) for price, size in side)
        if any(ticks <= 0 or lots < 0 for ticks, lots in levels):
            raise ValueError("a price level below zero")
        return levels


def collateral(account: wire.AccountView) -> Balance:
    """What backs positions, all of it in one asset."""
    return Balance(
        asset=account.settlement_asset,
        total=exact(account.total_collateral),
        available=exact(account.free_collateral),
    )


def funding(row: wire.FundingPayment) -> FundingPayment:
    """The venue tells the index that was reached, not a rate."""
    return FundingPayment(payment_id=str(row.id), amount=exact(row.payment), at_ns=moment_ns(row.created_at))


def margin(account: wire.MarginView) -> Collateral:
    """The same for people, with what it has to back."""
    return Collateral(
        asset=account.settlement_asset,
        equity=exact(account.account_value),
        available=exact(account.free_collateral),
        initial_margin=exact(account.initial_margin_requirement),
        maintenance_margin=exact(account.maintenance_margin_requirement),
    )


def client_text(client_id: int) -> str:
    """A client id as Paradex carries it: our name, the owner's tag, the sequence."""
    return f"botctl-{CLIENT_IDS.tag_of(client_id)}-{CLIENT_IDS.sequence_of(client_id)}"


def own_id(text: str | None) -> int | None:
    """The client id a text stands for; None for every text that is not exactly one of ours."""
    found = _OWN_ID.fullmatch(text or "")
    if found is None:
        return None
    client_id = (int(found[1]) << CLIENT_IDS.sequence_bits) | int(found[2])
    return client_id if client_text(client_id) == text else None


def moment_ns(moment: wire.Moment) -> int:
    """An instant in ns."""
    return int(moment) * NS_PER_MS


def _closed_status(status: str, reason: str, executed: int) -> OrderStatus:
    if status != "CLOSED":
        raise ValueError(f"unknown order status {status!r}")
    if not reason:
        return OrderStatus.FILLED
    if reason in NEVER_RESTED and not executed:
        return OrderStatus.REJECTED
    return OrderStatus.CANCELED if reason == USER_CANCELED else OrderStatus.EXPIRED


def _word(words: Mapping[str, T], word: str, what: str) -> T:
    try:
        return words[word]
    except KeyError:
        raise ValueError(f"unknown {what} {word!r}") from None
