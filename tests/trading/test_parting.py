"""What a bot leaves behind: the stop policies, decided by the machine in told time."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from engine.clock import NS_PER_S
from engine.model.commands import Command
from engine.model.events import StopRequested
from engine.model.instrument import Instrument
from engine.model.order import OrderRequest, OrderStatus, Side
from engine.spec.types import StopPolicy
from tests.trading.desk_bench import PERP, SPOT, Bench, bot_spec, canceled, report_of, submitted

REDUCE_FOR_S = 30


def holding(policy: StopPolicy, lots: int = 100) -> tuple[Bench, list[OrderRequest]]:
    """A quoting bot that is long, and what it has resting."""
    bench = Bench(spec=bot_spec(stop_policy=policy))
    sent = bench.quoting()
    (refill,) = submitted(bench.fill(sent[0], lots))
    bench.accept(refill)
    resting = [sent[1], refill]
    bench.wait(31)
    bench.answer(
        open_orders=tuple(report_of(request, OrderStatus.RESTING) for request in resting), position_lots=lots
    )
    return bench, resting


def stop(bench: Bench, *, keep_position: bool = False) -> list[Command]:
    until_ns = bench.now_ns + REDUCE_FOR_S * NS_PER_S
    event = StopRequested(
        at_ns=bench.now_ns, leg="", why="a test", keep_position=keep_position, reduce_until_ns=until_ns
    )
    return bench.feed(event)


def reducing() -> tuple[Bench, OrderRequest]:
    """A bot that reduces: its quotes are gone, one that reduces rests."""
    bench, resting = holding(StopPolicy.REDUCE)
    assert submitted(stop(bench)) == []
    out = [request for order in resting for request in submitted(bench.update(order, OrderStatus.CANCELED))]
    assert len(out) == 1
    bench.accept(out[0])
    return bench, out[0]


def test_reducing_offers_the_whole_position_at_the_best_price_and_only_reduces() -> None:
    _, quote = reducing()
    assert (quote.side, quote.lots, quote.ticks) == (Side.SELL, 100, 10_010)
    assert quote.reduce_only and quote.post_only


def test_reducing_follows_the_market_and_ends_when_the_position_is_gone() -> None:
    bench, quote = reducing()
    assert canceled(bench.book(9_890, 9_910)) == [quote.client_id]
    (nearer,) = submitted(bench.update(quote, OrderStatus.CANCELED))
    assert nearer.ticks == 9_910
    bench.accept(nearer)
    bench.fill(nearer, 40)
    assert not bench.machine.is_stopped
    bench.fill(nearer, 60)
    assert bench.machine.is_stopped


def test_what_is_not_reduced_in_time_is_kept() -> None:
    bench, quote = reducing()
    bench.fill(quote, 40)
    assert quote.client_id in canceled(bench.wait(REDUCE_FOR_S))
    bench.update(quote, OrderStatus.CANCELED, executed_lots=40)
    assert bench.machine.is_stopped
    assert bench.machine_position == 60
    assert submitted(bench.wait(5)) == []


def test_reducing_without_a_book_waits_for_one_no_longer_than_its_deadline() -> None:
    bench = Bench(spec=bot_spec(stop_policy=StopPolicy.REDUCE))
    bench.connect(position_lots=0)
    stop(bench)
    bench.wait(REDUCE_FOR_S)
    assert bench.machine.is_stopped


def test_reducing_on_spot_sells_what_own_fills_brought() -> None:
    bench = Bench(instrument=SPOT, spec=bot_spec(SPOT, stop_policy=StopPolicy.REDUCE))
    sent = bench.quoting()
    bid = next(request for request in sent if request.side is Side.BUY)
    bench.fill(bid, bid.lots)
    stop(bench)
    out: list[OrderRequest] = []
    for record in list(bench.orders.values()):
        if not record.state.is_done:
            out += submitted(bench.update(record.request, OrderStatus.CANCELED))
    assert [(quote.slot, quote.side, quote.lots) for quote in out] == [("reduce", Side.SELL, bid.lots)]


def test_a_restart_keeps_the_position_whatever_the_policy() -> None:
    for policy in StopPolicy:
        bench, resting = holding(policy)
        stop(bench, keep_position=True)
        out = [request for order in resting for request in submitted(bench.update(order, OrderStatus.CANCELED))]
        assert (out, bench.machine.is_stopped) == ([], True), policy


def test_a_second_stop_changes_nothing_about_the_first() -> None:
    bench, quote = reducing()
    assert canceled(stop(bench, keep_position=True)) == []
    bench.fill(quote, 100)
    assert bench.machine.is_stopped


def flattened_with_dust(instrument: Instrument) -> tuple[Bench, list[OrderRequest]]:
    """A bot that holds 0.30 SOL, less than the market's min notional, and stops flat; what it sends for that."""
    spec = bot_spec(instrument, stop_policy=StopPolicy.FLATTEN)
    bench = Bench(instrument=instrument, spec=spec)
    resting = bench.quoting()
    bench.fill(resting[0], 30)
    bench.wait(31)
    bench.answer(
        open_orders=tuple(report_of(request, OrderStatus.RESTING) for request in resting), position_lots=30
    )
    out = submitted(stop(bench))
    for request in resting:
        executed_lots = 30 if request is resting[0] else 0
        out += submitted(bench.update(request, OrderStatus.CANCELED, executed_lots=executed_lots))
    return bench, out


def test_where_reducing_needs_no_min_notional_flattening_leaves_no_dust() -> None:
    bench, [taking] = flattened_with_dust(replace(PERP, min_notional=Decimal(50), reduces_any_notional=True))
    assert (taking.side, taking.lots, taking.reduce_only) == (Side.SELL, 30, True)
    assert not bench.machine.is_stopped
    bench.fill(taking, 30)
    assert bench.machine.is_stopped


def test_where_it_does_flattening_keeps_what_no_order_can_sell() -> None:
    bench, taking = flattened_with_dust(replace(PERP, min_notional=Decimal(50)))
    assert (taking, bench.machine.is_stopped) == ([], True)
