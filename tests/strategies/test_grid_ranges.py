"""Where a grid lies when its parameters do not say: taken from the market, kept over restarts, moved, closed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.model.events import BookUpdated
from engine.model.instrument import Instrument, MarketKind
from engine.model.order import OrderRequest, OrderStatus, Side
from engine.spec.grid import GridParameters, Spacing
from engine.strategies.grid import Parameters
from engine.trading.records import MemoRecord
from tests.strategies.grids import GRID_PARAMETERS, grid_spec
from tests.trading.desk_bench import LEG, PERP, PLENTY, SPOT, Bench, canceled, report_of, submitted

AROUND = {"lower": None, "upper": None, "auto_range_pct": "2"}
"""Five levels: 98, 99, 100, 101 and 102 once the mid is 100."""


def running(instrument: Instrument = PERP, *, book: tuple[int, int] = (9_999, 10_001), **changes: Any) -> Bench:
    bench = Bench(instrument=instrument, spec=grid_spec(instrument, **changes))
    bench.quoting(*book)
    return bench


def resting(bench: Bench) -> dict[int, Side]:
    return {
        record.request.ticks: record.request.side for record in bench.orders.values() if not record.state.is_done
    }


def carry_out(bench: Bench, commands: list[Any]) -> list[OrderRequest]:
    """The venue does what it is told, until nothing more is asked for; what was sent on the way."""
    sent: list[OrderRequest] = []
    while commands:
        more: list[Any] = []
        for client_id in canceled(commands):
            more += bench.update(bench.orders[client_id].request, OrderStatus.CANCELED)
        for request in submitted(commands):
            sent.append(request)
            taken = request.slot.startswith("inventory")
            more += bench.fill(request, request.lots) if taken else []
            more += bench.update(request, OrderStatus.FILLED, request.lots) if taken else bench.accept(request)
        commands = more
    return sent


def restarted(bench: Bench) -> Bench:
    again = bench.restarted()
    open_orders = tuple(
        report_of(record.request, OrderStatus.RESTING, record.filled_lots) for record in again.memory.orders
    )
    again.connect(open_orders=open_orders)
    return again


def request_at(bench: Bench, ticks: int) -> OrderRequest:
    return next(record.request for record in bench.orders.values() if record.request.ticks == ticks)


def test_a_range_without_a_price_lies_around_the_first_mid_and_stays_there() -> None:
    bench = running(**AROUND)
    levels = {9_800: Side.BUY, 9_900: Side.BUY, 10_100: Side.SELL, 10_200: Side.SELL}
    assert resting(bench) == levels
    assert bench.book(10_040, 10_042) == []
    again = restarted(bench)
    assert again.book(9_950, 9_952) == []
    assert resting(again) == levels


def test_the_range_is_recorded_in_the_step_that_sends_the_first_orders() -> None:
    """A step's records are committed before its commands leave: no later life lies around a later mid."""
    bench = Bench(spec=grid_spec(**AROUND))
    bench.connect()
    book = BookUpdated(at_ns=bench.now_ns, leg=LEG, bids=((9_999, 5),), asks=((10_001, 5),))
    step = bench.machine.step(book, {LEG: PLENTY})
    assert len(submitted(list(step.commands))) == 4
    assert any(isinstance(record, MemoRecord) for record in step.records)


def test_a_change_of_size_leaves_the_range_and_a_change_of_range_lays_it_anew() -> None:
    bench = running(**AROUND)
    bench.book(10_049, 10_051)
    step = bench.machine.reconfigure(grid_spec(**AROUND, post_only=False, levels=3), bench.now_ns, {LEG: PLENTY})
    assert {order.ticks for order in submitted(list(step.commands))} <= {9_800, 10_000, 10_200}
    wider = grid_spec(**{**AROUND, "auto_range_pct": "4"}, levels=3)
    step = bench.machine.reconfigure(wider, bench.now_ns, {LEG: PLENTY})
    assert {order.ticks for order in submitted(list(step.commands))} <= {9_648, 10_050, 10_452}
    assert submitted(list(step.commands))


@pytest.mark.parametrize("around", [{}, AROUND], ids=["fixed bounds", "auto range"])
def test_recenter_moves_the_range_to_the_market_once_and_keeps_it_over_a_restart(around: dict[str, Any]) -> None:
    bench = running(boundary_action="recenter", **around)
    carry_out(bench, bench.book(10_200, 10_202))
    moved = resting(bench)
    width = 10_201 * 2 // 100 if around else 200
    assert min(moved) == pytest.approx(10_201 - width, abs=1)
    assert max(moved) == pytest.approx(10_201 + width, abs=1)
    assert len(moved) == 4
    assert bench.book(10_300, 10_302) == []
    again = restarted(bench)
    assert again.book(10_250, 10_252) == []
    assert resting(again) == moved


def test_what_an_old_range_holds_is_closed_where_it_was_to_be_closed() -> None:
    bench = running(boundary_action="recenter", levels=3, lower="98", upper="102")
    carry_out(bench, bench.fill(request_at(bench, 9_800), 10))
    carry_out(bench, bench.book(9_700, 9_702))
    assert resting(bench)[10_000] is Side.SELL
    assert min(resting(bench)) == 9_501


def test_within_the_tolerance_a_range_does_not_move() -> None:
    bench = running(boundary_action="recenter", boundary_tolerance_pct="1")
    before = resting(bench)
    assert bench.book(10_300, 10_301) == []
    assert resting(bench) == before


@pytest.mark.parametrize("instrument", [PERP, SPOT], ids=["perp", "spot"])
def test_close_and_stop_ends_flat_and_does_not_begin_again(instrument: Instrument) -> None:
    bench = running(instrument, boundary_action="close_and_stop")
    carry_out(bench, bench.fill(request_at(bench, 9_900), 10))
    sent = carry_out(bench, bench.book(9_700, 9_702))
    assert [(order.side, order.lots) for order in sent] == [(Side.SELL, 10)]
    assert sent[0].reduce_only is (instrument.kind is MarketKind.PERP)
    assert resting(bench) == {} and bench.machine_position == 0
    assert "closed and stopped" in bench.status.why_not
    assert bench.book(9_999, 10_001) == []
    again = restarted(bench)
    assert again.book(9_999, 10_001) == []
    assert resting(again) == {}


def test_a_spot_grid_that_closes_sells_nothing_twice() -> None:
    """What it holds is offered already, by the close that rests: until that is gone, it may still be filled."""
    bench = running(SPOT, boundary_action="close_and_stop")
    carry_out(bench, bench.fill(request_at(bench, 9_900), 10))
    offered = [request_at(bench, ticks) for ticks, side in resting(bench).items() if side is Side.SELL]
    assert sum(request.lots for request in offered) >= 10
    assert submitted(bench.book(9_700, 9_702)) == []
    sold = [sale for request in offered for sale in submitted(bench.update(request, OrderStatus.CANCELED))]
    assert [(sale.side, sale.lots) for sale in sold] == [(Side.SELL, 10)]


def test_a_closed_grid_begins_again_when_its_range_is_changed() -> None:
    bench = running(boundary_action="close_and_stop")
    carry_out(bench, bench.book(9_700, 9_702))
    assert resting(bench) == {}
    moved = grid_spec(boundary_action="close_and_stop", lower="95", upper="99")
    carry_out(bench, list(bench.machine.reconfigure(moved, bench.now_ns, {LEG: PLENTY}).commands))
    assert set(resting(bench)) == {9_500, 9_600, 9_800, 9_900}


def test_a_geometric_range_keeps_its_width_in_percent() -> None:
    written = {**GRID_PARAMETERS, "spacing": Spacing.GEOMETRIC, "lower": Decimal(80), "upper": Decimal(120)}
    numbers = {**written, "order_size": Decimal(1), "boundary_tolerance_pct": Decimal(0)}
    parameters: GridParameters = Parameters(**numbers)
    assert parameters.placed_around(Decimal(50)).bounds == (Decimal(40), Decimal(60))
