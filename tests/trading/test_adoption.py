"""Position that own fills do not explain waits for a person: adopted it is the bot's, ignored it is not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.model.account import Position
from engine.model.events import PositionAdopted, PositionIgnored, PositionReported
from engine.model.order import OrderRequest, OrderStatus, Side
from engine.trading.orders import ADOPTED_SLOT
from tests.trading.desk_bench import LEG, PERP, PLENTY, Bench, bot_spec, submitted
from tests.trading.test_adversity import next_round, resting


def beside(lots: int, **settings: object) -> Bench:
    """A bot that starts for the first time beside a position."""
    bench = Bench(spec=bot_spec(PERP, **settings)) if settings else Bench()
    bench.connect(position_lots=lots)
    return bench


def adopted(bench: Bench, lots: int, ticks: int | None = 9_900) -> list[OrderRequest]:
    event = PositionAdopted(at_ns=bench.now_ns, leg=LEG, lots=lots, ticks=ticks, who="somebody")
    return submitted(bench.feed(event))


def ignored(bench: Bench, lots: int) -> list[OrderRequest]:
    return submitted(bench.feed(PositionIgnored(at_ns=bench.now_ns, leg=LEG, lots=lots, who="somebody")))


def test_a_first_start_beside_a_position_adds_nothing_and_says_what_to_do() -> None:
    bench = beside(300)
    assert not [request for request in submitted(bench.book(9_990, 10_010)) if request.side is Side.BUY]
    assert bench.status.unexplained == Decimal("3.00")
    assert "botctl adopt" in bench.status.why_not


def test_an_adopted_position_is_the_bots_own_at_the_stated_price() -> None:
    bench = beside(300)
    bench.book(9_990, 10_010)
    assert {request.side for request in adopted(bench, 300)} == {Side.BUY, Side.SELL}
    status = bench.status
    assert (status.position, status.unexplained, status.why_not) == (Decimal("3.00"), 0, "")
    assert status.unrealised_pnl == PERP.notional(100, 300)


def test_without_a_stated_price_it_is_the_venues_entry_price_and_else_the_mid() -> None:
    bench = beside(300)
    bench.book(9_990, 10_010)
    assert bench.status.adoption_price == PERP.price(10_000)
    entry = Position(lots=300, entry_price=PERP.price(9_800))
    bench.feed(PositionReported(at_ns=bench.now_ns, leg=LEG, requested_ns=bench.now_ns, position=entry))
    assert bench.status.adoption_price == PERP.price(9_800)
    adopted(bench, 300, None)
    assert bench.status.unrealised_pnl == PERP.notional(200, 300)


def test_nothing_is_adopted_while_no_price_is_known() -> None:
    bench = beside(300)
    adopted(bench, 300, None)
    assert bench.status.unexplained == Decimal("3.00")


@pytest.mark.parametrize("lots", [299, 0, -300])
def test_only_what_a_person_was_shown_is_settled(lots: int) -> None:
    bench = beside(300)
    bench.book(9_990, 10_010)
    adopted(bench, lots)
    ignored(bench, lots)
    assert (bench.status.unexplained, bench.status.position, bench.status.ignored) == (Decimal("3.00"), 0, 0)


def test_what_was_adopted_survives_a_restart() -> None:
    bench = beside(300)
    bench.book(9_990, 10_010)
    adopted(bench, 300)
    again = bench.restarted()
    again.connect(position_lots=300)
    again.book(9_990, 10_010)
    assert (again.status.position, again.status.unexplained) == (Decimal("3.00"), 0)
    assert again.status.unrealised_pnl == PERP.notional(100, 300)


def test_what_is_ignored_survives_a_restart_and_does_not_count_for_the_limit() -> None:
    bench = beside(300, max_position=Decimal(1))
    bench.book(9_990, 10_010)
    assert {request.side for request in ignored(bench, 300)} == {Side.BUY, Side.SELL}
    again = bench.restarted()
    again.connect(position_lots=300, open_orders=resting(*(r.request for r in bench.orders.values())))
    again.book(9_990, 10_010)
    assert (again.status.position, again.status.unexplained, again.status.ignored) == (0, 0, Decimal("3.00"))
    assert again.status.venue_position == Decimal("3.00")


def test_an_ignored_position_that_goes_away_is_asked_about_again() -> None:
    bench = beside(300)
    bench.book(9_990, 10_010)
    own = ignored(bench, 300)
    for _ in range(2):
        next_round(bench, open_orders=resting(*own), position_lots=0)
    assert bench.status.unexplained == Decimal("-3.00")
    ignored(bench, -300)
    assert (bench.status.unexplained, bench.status.ignored) == (0, 0)


@pytest.mark.parametrize("is_beside", [False, True])
def test_beside_an_ignored_position_nothing_is_reduce_only(is_beside: bool) -> None:
    bench = beside(300 if is_beside else 0, max_position=Decimal(1))
    sent = submitted(bench.book(9_990, 10_010))
    ask = next(request for request in sent or ignored(bench, 300) if request.side is Side.SELL)
    bench.fill(ask, ask.lots)
    bench.update(ask, OrderStatus.FILLED, executed_lots=ask.lots)
    smaller = bot_spec(PERP, max_position=Decimal("0.5"))
    commands = list(bench.machine.reconfigure(smaller, bench.now_ns, {LEG: PLENTY}).commands)
    commands += bench.book(9_900, 9_920)
    for order in list(bench.orders.values()):
        commands += bench.update(order.request, OrderStatus.CANCELED)
    [back] = [request for request in submitted(commands) if request.lots == ask.lots]
    assert (back.side, back.reduce_only) == (Side.BUY, not is_beside)


def test_an_adopted_loss_of_position_ends_what_grid_cells_would_still_close() -> None:
    bench = Bench()
    bid, _ = bench.quoting()
    bench.fill(bid, bid.lots)
    leg = bench.machine._legs[LEG]
    assert leg.accounting.executed_lots
    for _ in range(2):
        next_round(bench, position_lots=0)
    adopted(bench, -bid.lots)
    assert (bench.status.position, leg.accounting.executed_lots) == (0, {})


def test_adopting_is_no_trade() -> None:
    bench = beside(300)
    bench.book(9_990, 10_010)
    adopted(bench, 300)
    statistics = bench.machine.statistics().legs[LEG]
    assert bench.status.fees == {} and statistics.total.quote_volume == 0
    assert [record.slot for record in bench.fills] == [ADOPTED_SLOT]
