"""Batches as every venue that has them takes them: our codec against the venue, which looks at signatures."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.clock import NS_PER_US
from engine.exchanges.interface import BatchCodec, Context, Endpoints
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.exchanges.registry import find_venue
from engine.model.commands import Batch, BatchItems, CancelOrder, SubmitOrder
from engine.model.events import CancelAcknowledged, CancelRejected, Event, OrderUpdated, SubmitRejected
from engine.model.instrument import Instrument
from engine.model.order import ApprovedOrder, OrderRequest, RejectReason, Side
from engine.sim.venues import (
    account_credentials,
    simulated_aster,
    simulated_backpack,
    simulated_markets,
    simulated_paradex,
)
from engine.spec.types import SimSpec
from tests.sim.desk import FLEET, MachineDesk

LEG = "main"
SIMULATORS: dict[str, Any] = {
    "backpack": simulated_backpack,
    "aster": simulated_aster,
    "paradex": simulated_paradex,
}
MARKETS = {"backpack": "SOL_USDC_PERP", "aster": "SOLUSDT", "paradex": "SOL-USD-PERP"}
WITH_CANCELS = [name for name in MARKETS if find_venue(name).facts.batches.cancels > 1]
GOOD, BAD = 10, 0


@dataclass
class Customer:
    """One account at a simulated venue, spoken for by the engine's own codec."""

    name: str

    def __post_init__(self) -> None:
        funds = dict.fromkeys(("USDC", "USDT"), Decimal(100_000))
        spec = SimSpec(
            venue=self.name,
            seed=1,
            speed=Decimal(0),
            latency_ms=0,
            taker_delay_ms=0,
            recording=None,
            accounts={"alice": funds},
        )
        self.machine: Any = SIMULATORS[self.name](spec, FLEET)
        self.desk = MachineDesk(self.machine)
        self.desk.run(0.01)
        self.instrument = _instrument(self.name)
        self.codec = find_venue(self.name).codec(
            leg=LEG,
            instrument=self.instrument,
            credentials=account_credentials(self.name, FLEET, "alice"),
            endpoints=Endpoints(rest_url="http://127.0.0.1", ws_url="ws://127.0.0.1/"),
        )
        self.token = ""
        if self.codec.gate is not None:
            answer = self.desk.send(self.codec.gate.login(self.context))
            self.token = self.codec.gate.decode(answer, at_ns=self.desk.now_ns).token

    @property
    def context(self) -> Context:
        self.desk.run(0.01)
        return Context(now_ns=self.desk.now_ns, nonce=self.desk.now_ns // NS_PER_US, token=self.token)

    @property
    def resting(self) -> list[int]:
        """The lots of what rests, smallest first."""
        return sorted(order.lots for order in self.machine.exchange.open_orders("alice"))

    def encode(self, items: BatchItems) -> tuple[Batch, HttpRequest]:
        assert isinstance(self.codec, BatchCodec)
        batch = Batch(leg=LEG, items=items)
        return batch, self.codec.encode_batch(batch, self.context)

    def carry_out(self, items: BatchItems) -> list[Event]:
        batch, request = self.encode(items)
        return self.read(batch, self.desk.send(request))

    def read(self, batch: Batch, answer: HttpResponse) -> list[Event]:
        self.desk.run(1.0)
        assert isinstance(self.codec, BatchCodec)
        return [
            event
            for item, part in zip(batch.items, self.codec.split_reply(batch, answer), strict=True)
            for event in self.codec.decode_reply(item, part, requested_ns=1, at_ns=2)
        ]

    def orders(self, *lots: int) -> tuple[SubmitOrder, ...]:
        """Post-only bids of these sizes, ten per cent below the first price; their client ids count from one."""
        scheme = find_venue(self.name).facts.client_ids
        market = next(at.market for at in self.machine.exchange.markets.values() if self._is_ours(at))
        ticks = self.instrument.ticks_exact(market.start_price) * 9 // 10
        requests = [
            OrderRequest(
                leg=LEG,
                client_id=scheme.compose(1, number),
                slot=f"bid.{number}",
                side=Side.BUY,
                ticks=ticks,
                lots=size,
                post_only=True,
            )
            for number, size in enumerate(lots, 1)
        ]
        return tuple(SubmitOrder(leg=LEG, order=ApprovedOrder(request=request)) for request in requests)

    def _is_ours(self, at: Any) -> bool:
        return bool(at.market.symbol == self.instrument.symbol)


def _instrument(name: str) -> Instrument:
    return next(each for each in simulated_markets(name) if each.symbol == MARKETS[name])


def _cancels(orders: tuple[SubmitOrder, ...]) -> tuple[CancelOrder, ...]:
    ids = [order.order.request.client_id for order in orders]
    return tuple(CancelOrder(leg=LEG, client_id=client_id, venue_order_id=None) for client_id in ids)


@pytest.mark.parametrize("name", MARKETS)
def test_a_refused_item_does_not_touch_the_others_and_each_hears_its_own_answer(name: str) -> None:
    customer = Customer(name)
    orders = customer.orders(GOOD, BAD, GOOD + 1)
    events = customer.carry_out(orders)
    assert [type(event) for event in events] == [OrderUpdated, SubmitRejected, OrderUpdated]
    heard = [e.report.client_id if isinstance(e, OrderUpdated) else e.client_id for e in events]  # type: ignore[attr-defined] # narrowed above
    assert heard == [order.order.request.client_id for order in orders]
    assert customer.resting == [GOOD, GOOD + 1]


@pytest.mark.parametrize("name", MARKETS)
def test_the_longest_batch_the_facts_name_is_taken(name: str) -> None:
    customer = Customer(name)
    most = find_venue(name).facts.batches.orders
    events = customer.carry_out(customer.orders(*range(GOOD, GOOD + most)))
    assert len(customer.resting) == len(events) == most


@pytest.mark.parametrize("name", MARKETS)
def test_a_batch_whose_text_was_changed_after_signing_places_nothing(name: str) -> None:
    customer = Customer(name)
    _, request = customer.encode(customer.orders(GOOD, GOOD + 1))
    ticks = customer.orders(GOOD)[0].order.request.ticks
    signed, forged = (customer.instrument.price_text(each).encode() for each in (ticks, ticks - 1))
    assert signed in request.body
    customer.desk.send(replace(request, body=request.body.replace(signed, forged)))
    customer.desk.run(1.0)
    assert not customer.resting


@pytest.mark.parametrize("name", WITH_CANCELS)
def test_cancels_by_a_list_of_own_ids_touch_nothing_else(name: str) -> None:
    customer = Customer(name)
    orders = customer.orders(GOOD, GOOD + 1, GOOD + 2, GOOD + 3)
    customer.carry_out(orders[:3])
    events = customer.carry_out(_cancels((orders[0], orders[3], orders[1])))
    first, unknown, third = events
    assert isinstance(first, OrderUpdated | CancelAcknowledged) and isinstance(third, type(first))
    assert isinstance(unknown, CancelRejected) and unknown.reason is RejectReason.UNKNOWN_ORDER
    assert customer.resting == [GOOD + 2]


def test_only_venues_that_cancel_by_a_list_of_ids_say_so() -> None:
    assert WITH_CANCELS == ["aster", "paradex"]
