"""Orders that move where they rest: Aster's codec against the simulated Aster."""

from __future__ import annotations

from msgspec.structs import replace

from engine.clock import NS_PER_US
from engine.exchanges.interface import Context, Endpoints
from engine.exchanges.registry import find_venue
from engine.model.commands import AmendOrder, Command, SubmitOrder
from engine.model.events import AmendRejected, Event, OrderAmended
from engine.model.instrument import MarketKind
from engine.model.order import ApprovedOrder, OrderRequest, OrderStatus, RejectReason, Side
from engine.sim.aster.markets import MARKETS
from engine.sim.aster.settings import AsterSettings
from engine.sim.orders import Order
from tests.sim.aster_desk import BTC, AsterDesk, body

LEG = "main"
BID = OrderRequest(
    leg=LEG, client_id=(1 << 32) | 1, slot="bid.0", side=Side.BUY, ticks=860_000, lots=10, post_only=True
)


class Customer:
    """Alice, spoken for by the engine's own codec; Bob trades by hand."""

    def __init__(self, **settings: bool) -> None:
        self.desk = AsterDesk(settings=AsterSettings(**settings))
        self.desk.run(0.01)
        instrument = next(m.instrument for m in MARKETS[MarketKind.PERP] if m.symbol == BTC)
        self.codec = find_venue("aster").codec(
            leg=LEG,
            instrument=instrument,
            credentials=self.desk.keys["alice"],
            endpoints=Endpoints(rest_url="http://127.0.0.1", ws_url="ws://127.0.0.1/"),
        )
        self.carry_out(SubmitOrder(leg=LEG, order=ApprovedOrder(request=BID)))

    @property
    def bid(self) -> Order | None:
        return next(iter(self.desk.machine.exchange.open_orders("alice")), None)

    def carry_out(self, command: Command) -> Event:
        self.desk.run(0.01)
        now_ns = self.desk.now_ns
        request = self.codec.encode(command, Context(now_ns=now_ns, nonce=now_ns // NS_PER_US))
        events = self.codec.decode_reply(command, self.desk.send(request), requested_ns=now_ns, at_ns=now_ns)
        return events[0]

    def amend(self, ticks: int, lots: int, executed: int = 0, client_id: int = BID.client_id) -> Event:
        request = replace(BID, client_id=client_id, ticks=ticks, lots=lots)
        order = ApprovedOrder(request=request)
        return self.carry_out(AmendOrder(leg=LEG, order=order, executed_lots=executed, venue_order_id=None))


def terms(order: Order | None) -> tuple[int, int, int] | None:
    return order and (order.ticks, order.lots, order.executed_lots)


def test_an_amended_order_keeps_its_ids_and_has_the_new_terms() -> None:
    customer = Customer()
    before = customer.bid
    assert before is not None
    amended = customer.amend(861_000, 12)
    assert isinstance(amended, OrderAmended)
    assert (amended.report.ticks, amended.report.lots) == (861_000, 12)
    assert amended.report.client_id == BID.client_id
    assert customer.bid is before and terms(before) == (861_000, 12, 0)


def test_what_was_executed_counts_towards_the_new_size() -> None:
    customer = Customer()
    customer.desk.place("bob", "SELL", "86000", "0.004")
    customer.amend(861_000, 10, executed=4)
    assert terms(customer.bid) == (861_000, 14, 4)


def test_an_order_that_only_shrinks_keeps_its_place_in_the_queue() -> None:
    for lots, first in ((6, "alice"), (12, "bob")):
        customer = Customer()
        customer.desk.place("bob", "BUY", "86000", "0.005")
        customer.amend(BID.ticks, lots)
        book = customer.desk.machine.exchange.markets[BTC].book
        assert next(iter(book._sides[Side.BUY].queue())).owner == first


def test_a_refused_amend_leaves_the_order_as_it_was() -> None:
    customer = Customer(crossing_post_only_expires=False)
    customer.desk.place("bob", "SELL", "86500", "0.01")
    refused = customer.amend(865_000, 10)
    assert isinstance(refused, AmendRejected) and refused.reason is RejectReason.WOULD_CROSS
    refused = customer.amend(870_000, 10**6)
    assert isinstance(refused, AmendRejected)
    assert terms(customer.bid) == (860_000, 10, 0)


def test_a_post_only_order_never_takes_even_where_the_venue_ends_it_instead() -> None:
    customer = Customer(crossing_post_only_expires=True)
    customer.desk.place("bob", "SELL", "86500", "0.01")
    amended = customer.amend(865_000, 10)
    assert isinstance(amended, OrderAmended) and amended.report.status is OrderStatus.EXPIRED
    assert customer.bid is None and not customer.desk.machine.exchange.fills("alice")


def test_a_size_that_is_executed_already_ends_the_order() -> None:
    customer = Customer()
    customer.desk.place("bob", "SELL", "86000", "0.006")
    amended = customer.amend(861_000, 5, executed=0)
    assert isinstance(amended, OrderAmended) and amended.report.status is OrderStatus.CANCELED
    assert customer.bid is None


def test_an_order_that_is_gone_is_unknown() -> None:
    refused = Customer().amend(861_000, 10, client_id=(1 << 32) | 9)
    assert isinstance(refused, AmendRejected) and refused.reason is RejectReason.UNKNOWN_ORDER


def test_an_order_without_post_only_may_trade_when_it_is_moved() -> None:
    desk = AsterDesk()
    resting = desk.place("alice", "BUY", "86000", "0.01")
    desk.place("bob", "SELL", "86500", "0.004")
    desk.run(0.01)
    desk.ask("alice", "PUT", "/order", symbol=BTC, orderId=resting["orderId"], price="86500", quantity="0.01")
    order = desk.ask("alice", "GET", "/order", symbol=BTC, orderId=resting["orderId"])
    assert (order["status"], order["executedQty"], order["price"]) == ("PARTIALLY_FILLED", "0.004", "86500")


def test_an_amend_whose_text_was_changed_after_signing_changes_nothing() -> None:
    customer = Customer()
    order = ApprovedOrder(request=replace(BID, ticks=861_000))
    amend = AmendOrder(leg=LEG, order=order, executed_lots=0, venue_order_id=None)
    customer.desk.run(0.01)
    context = Context(now_ns=customer.desk.now_ns, nonce=customer.desk.now_ns // NS_PER_US)
    request = customer.codec.encode(amend, context)
    assert b"86100" in request.body
    answer = customer.desk.send(replace(request, body=request.body.replace(b"86100", b"86200")))
    assert "code" in body(answer) and terms(customer.bid) == (860_000, 10, 0)
