"""A venue's reply on its way to events: the part that is alike at every venue.

A venue's reply decoder reads its own wire types and says what they mean; the `Reply` in its hands knows which leg
asked what, and when, and makes the events. A venue's codec is the edge at which every odd message becomes a
VenueError: what it says then is here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from engine.clock import NS_PER_MS
from engine.errors import ProtocolError, Unresolved
from engine.exchanges.decimals import OffGrid
from engine.exchanges.messages import HttpResponse
from engine.model.account import Balance, Fill, FundingPayment, Position
from engine.model.commands import (
    CancelOrder,
    Command,
    QueryFills,
    QueryFunding,
    QueryOrderHistory,
    operation_of,
)
from engine.model.events import (
    BalancesReported,
    CancelAcknowledged,
    Event,
    FillsReported,
    FundingReported,
    OpenOrdersReported,
    OrderHistoryReported,
    OrderUpdated,
    PositionReported,
)
from engine.model.order import OrderReport
from engine.model.value import Value

UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)
"""All that decoding a hostile message can raise; msgspec itself gives up on deep nesting by RecursionError."""

_WORDS_KEPT = 300

Row = TypeVar("Row")


class Reply(Value, frozen=True, kw_only=True):
    """One successful reply and the question it answers."""

    leg: str
    command: Command
    body: bytes
    requested_ns: int
    at_ns: int

    @property
    def asked_since_ns(self) -> int:
        """From when on history, fills or funding were asked for."""
        command = self.command
        return command.since_ns if isinstance(command, QueryOrderHistory | QueryFills | QueryFunding) else 0

    def complete_since_ns(self, moments_ns: Iterable[int], *, is_whole: bool, grain_ns: int = NS_PER_MS) -> int:
        """From when on a page of newest rows is complete: all that was asked for if it `is_whole`. If there is
        more, the rest of the oldest row's millisecond (the venue's `grain_ns`) may be missing too."""
        oldest_ns = None if is_whole else min(moments_ns, default=None)
        return self.asked_since_ns if oldest_ns is None else max(self.asked_since_ns, oldest_ns + grain_ns)

    def order(self, report: OrderReport) -> Sequence[Event]:
        return (OrderUpdated(at_ns=self.at_ns, leg=self.leg, report=report),)

    def cancel_acknowledged(self) -> Sequence[Event]:
        """The cancel was taken; whether it succeeds is told elsewhere."""
        assert isinstance(self.command, CancelOrder)
        return (CancelAcknowledged(at_ns=self.at_ns, leg=self.leg, client_id=self.command.client_id),)

    def open_orders(self, reports: Iterable[OrderReport]) -> Sequence[Event]:
        orders = tuple(reports)
        asked_ns = self.requested_ns
        return (OpenOrdersReported(at_ns=self.at_ns, leg=self.leg, requested_ns=asked_ns, orders=orders),)

    def history(self, reports: Iterable[OrderReport], *, since_ns: int) -> Sequence[Event]:
        return (
            OrderHistoryReported(
                at_ns=self.at_ns,
                leg=self.leg,
                requested_ns=self.requested_ns,
                since_ns=since_ns,
                orders=tuple(reports),
            ),
        )

    def fills(self, fills: Iterable[Fill], *, since_ns: int) -> Sequence[Event]:
        return (
            FillsReported(
                at_ns=self.at_ns,
                leg=self.leg,
                requested_ns=self.requested_ns,
                since_ns=since_ns,
                fills=tuple(fills),
            ),
        )

    def funding(self, payments: Iterable[FundingPayment], *, since_ns: int) -> Sequence[Event]:
        """Venues that cannot be asked since a time tell of earlier ones too."""
        return (
            FundingReported(
                at_ns=self.at_ns,
                leg=self.leg,
                requested_ns=self.requested_ns,
                since_ns=since_ns,
                payments=tuple(each for each in payments if each.at_ns >= self.asked_since_ns),
            ),
        )

    def position(self, position: Position) -> Sequence[Event]:
        asked_ns = self.requested_ns
        return (PositionReported(at_ns=self.at_ns, leg=self.leg, requested_ns=asked_ns, position=position),)

    def balances(self, balances: Iterable[Balance]) -> Sequence[Event]:
        held = tuple(balances)
        asked_ns = self.requested_ns
        return (BalancesReported(at_ns=self.at_ns, leg=self.leg, requested_ns=asked_ns, balances=held),)


Readers = Mapping[type[Command], Callable[[Reply], Sequence[Event]]]
"""A venue's decoder: what reads the reply to which command."""


def on_grid(translated: Callable[[Row], OrderReport], rows: Iterable[Row]) -> Iterator[OrderReport]:
    """History reaches back past changes of the grid; rows from before one can be nobody's question now."""
    for row in rows:
        try:
            yield translated(row)
        except OffGrid:
            continue


def other_rules(symbol: str) -> ProtocolError:
    """The market changed while a leg was running: trading on an old grid would be wrong."""
    return ProtocolError(
        f"{symbol} does not trade, or has other ticks, lots or minimums than when this leg started",
        hint="restart the bot to take the market's new rules",
    )


def unreadable_reply(
    venue: str, command: Command, response: HttpResponse, error: Exception
) -> Unresolved | ProtocolError:
    """A success that cannot be read leaves what was to become of an order unresolved (law 2)."""
    kind = Unresolved if operation_of(command) else ProtocolError
    return kind(
        f"{venue}'s answer to {type(command).__name__} makes no sense: {error}",
        venue_words=response.body[:_WORDS_KEPT].decode(errors="replace"),
    )


def unreadable_frame(venue: str, error: Exception) -> ProtocolError:
    return ProtocolError(f"a frame of {venue} makes no sense: {error}")
