"""One account and market at the venue, asked over its public interface with the account's own keys."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

from engine.control.facts import known_facts
from engine.exchanges.interface import Context, Endpoints
from engine.exchanges.registry import find_venue
from engine.model.account import Fill
from engine.model.commands import (
    Command,
    QueryBalances,
    QueryBook,
    QueryFills,
    QueryOpenOrders,
    QueryPosition,
    SubmitOrder,
)
from engine.model.events import BalancesReported
from engine.model.instrument import Instrument
from engine.model.order import ApprovedOrder, OrderReport, OrderRequest, Side
from engine.spec.types import Environment
from tests.e2e.botctl import send
from tests.fire.fleet import VENUE, BotUnderFire
from tests.fire.ground import Ground

LEG = "main"
OVERLAP_NS = 120 * 10**9
"""Fills are asked this far back, longer than any blow lasts."""
PERSONS_CLIENT_ID = 7
"""Without an owner tag: no bot's."""


class Counter:
    """Answers as of now. Every fill that was ever told is kept, so that each question can be a short one."""

    def __init__(self, ground: Ground, bot: BotUnderFire) -> None:
        endpoint, venue = ground.endpoint, find_venue(VENUE)
        self.instrument = _instrument(ground, bot.market)
        self._rest_url = endpoint.rest_url
        self._codec = venue.codec(
            leg=LEG,
            instrument=self.instrument,
            credentials=ground.credentials(bot.account),
            endpoints=Endpoints(rest_url=endpoint.rest_url, ws_url=endpoint.ws_url),
        )
        self._fills: dict[tuple[str, str], Fill] = {}
        self._asked_ns = time.time_ns() - OVERLAP_NS

    def open_orders(self) -> tuple[OrderReport, ...]:
        (event,) = self._ask(QueryOpenOrders(leg=LEG))
        return tuple(event.orders)

    def fills(self) -> dict[tuple[str, str], Fill]:
        """Every fill of the account on the market, by trade and order."""
        since_ns, self._asked_ns = self._asked_ns - OVERLAP_NS, time.time_ns()
        (event,) = self._ask(QueryFills(leg=LEG, since_ns=since_ns))
        self._fills |= {(fill.trade_id, fill.venue_order_id): fill for fill in event.fills}
        return self._fills

    def position_lots(self) -> int:
        (event,) = self._ask(QueryPosition(leg=LEG))
        return int(event.position.lots)

    def totals(self) -> dict[str, Decimal]:
        """What the account has of every asset."""
        events = self._ask(QueryBalances(leg=LEG))
        (event,) = [event for event in events if isinstance(event, BalancesReported)]
        return {balance.asset: balance.total for balance in event.balances}

    def place_by_hand(self) -> str:
        """A person's bid, far below the market; the venue's id of it."""
        (book,) = self._ask(QueryBook(leg=LEG))
        bid = OrderRequest(
            leg=LEG,
            client_id=PERSONS_CLIENT_ID,
            slot="by hand",
            side=Side.BUY,
            ticks=max(ticks for ticks, _ in book.bids) * 8 // 10,
            lots=self.instrument.lots_within(self.instrument.min_size) * 10,
            post_only=True,
        )
        self._ask(SubmitOrder(leg=LEG, order=ApprovedOrder(request=bid)))
        (mine,) = [order for order in self.open_orders() if order.client_id == PERSONS_CLIENT_ID]
        return mine.venue_order_id

    def _ask(self, command: Command) -> list[Any]:
        now_ns = time.time_ns()
        response = send(self._rest_url, self._codec.encode(command, Context(now_ns=now_ns)))
        return list(self._codec.decode_reply(command, response, requested_ns=now_ns, at_ns=now_ns))


def _instrument(ground: Ground, market: str) -> Instrument:
    facts = known_facts(ground.botctl.workspace)(VENUE, Environment.TESTNET)
    instrument = facts.find(market) if facts else None
    assert instrument is not None
    return instrument
