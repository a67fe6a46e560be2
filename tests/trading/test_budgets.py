"""A bot stays within its share of budgets that it has with other bots, and adds nothing while that is unknown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.model.budgets import Share
from engine.model.commands import Command
from engine.model.events import BudgetsRead, Resumed, TripHeld
from engine.model.order import OrderStatus, Side
from engine.spec.types import BudgetSpec, BudgetsSpec
from tests.trading.desk_bench import Bench, bot_spec, canceled, side_of, submitted

FLEET = BudgetsSpec(fleet=BudgetSpec(max_net_exposure_usd=Decimal(1000), max_daily_loss_usd=Decimal(50)))
PLENTY = Share(long_usd=Decimal(10_000), short_usd=Decimal(10_000), gross_usd=None, others_day_pnl_usd=Decimal(0))


def sharing(**limits: Any) -> Bench:
    return Bench(spec=bot_spec(budgets=FLEET, **limits))


def hear(bench: Bench, share: Share = PLENTY, **changes: Any) -> list[Command]:
    """The fleet's budget was looked at."""
    figures = {name: getattr(share, name) for name in ("long_usd", "short_usd", "gross_usd", "others_day_pnl_usd")}
    given = {name: Decimal(value) for name, value in changes.items()}
    shares = {"fleet": Share(**{**figures, **given})}
    return bench.feed(BudgetsRead(at_ns=bench.now_ns, leg="", shares=shares))


def trip(bench: Bench) -> str:
    return bench.machine.status().trip


def test_before_the_budget_was_looked_at_nothing_is_sent() -> None:
    bench = sharing()
    bench.connect()
    assert submitted(bench.book(9_990, 10_010)) == []
    assert len(submitted(hear(bench))) == 2


def test_orders_stay_within_the_share_and_grow_with_it() -> None:
    bench = sharing()
    hear(bench, long_usd="99", short_usd="100")
    bench.connect()
    assert [order.side for order in submitted(bench.book(9_990, 10_010))] == [Side.SELL]
    hear(bench, long_usd="100")
    assert [order.side for order in submitted(bench.wait(1))] == [Side.BUY]


def test_two_layers_do_not_share_the_room_of_one() -> None:
    bench = sharing(layers=2)
    hear(bench, long_usd="199", short_usd="100")
    bench.connect()
    sent = submitted(bench.book(9_990, 10_010))
    assert sorted(order.slot for order in sent) == ["ask.0", "bid.0"]


def test_a_share_that_was_not_heard_of_lately_adds_nothing() -> None:
    bench = sharing()
    hear(bench)
    bench.connect()
    bench.wait(4)
    assert len(submitted(bench.book(9_990, 10_010))) == 2
    bench = sharing()
    hear(bench)
    bench.connect()
    bench.wait(6)
    assert submitted(bench.book(9_990, 10_010)) == []


def test_what_a_bot_needs_counts_open_orders_as_filled_and_wishes_beside_them() -> None:
    bench = sharing()
    assert bench.machine.budgets.needs() is None, "before the venue was asked nobody can say"
    bench.connect()
    bench.book(9_990, 10_010)
    need = (bench.machine.budgets.needs() or {})["fleet"]
    assert (need.has.long_usd, need.wants.long_usd, need.wants.short_usd) == (0, 100, 100)
    bid = side_of(submitted(hear(bench)), Side.BUY)
    bench.fill(bid, 100)
    need = (bench.machine.budgets.needs() or {})["fleet"]
    assert need.has.long_usd >= 100
    assert need.has.short_usd == 0, "what is open to sell only closes what is held"


def test_the_loss_of_all_bots_together_trips_each_of_them() -> None:
    bench = sharing()
    hear(bench)
    quotes = bench.quoting()
    hear(bench, others_day_pnl_usd="-49.9")
    assert trip(bench) == ""
    pulled = hear(bench, others_day_pnl_usd="-50")
    assert set(canceled(pulled)) == {request.client_id for request in quotes}
    assert trip(bench) == "max_daily_loss_usd of the fleet: its bots lost 50.00 today, the limit is 50.00"


def test_the_profit_of_others_is_room_for_a_loss() -> None:
    bench = sharing()
    hear(bench, others_day_pnl_usd="30")
    bid = side_of(bench.quoting(), Side.BUY)
    bench.fill(bid, 100)
    bench.update(bid, OrderStatus.FILLED, 100)
    bench.book(3_000, 3_002)
    assert trip(bench) == "", "a loss of 70 beside a profit of 30 is below 50"
    hear(bench, others_day_pnl_usd="10")
    assert "lost 59" in trip(bench)


def test_a_bot_that_is_resumed_after_the_fleets_loss_does_not_trip_over_it_again() -> None:
    bench = sharing()
    hear(bench)
    bench.quoting()
    hear(bench, others_day_pnl_usd="-50")
    bench.feed(TripHeld(at_ns=bench.now_ns, leg="", why=trip(bench)))
    bench.feed(Resumed(at_ns=bench.now_ns, leg="", who="ann"))
    assert trip(bench) == ""
    hear(bench, others_day_pnl_usd="-90")
    assert trip(bench) == ""
    hear(bench, others_day_pnl_usd="-100")
    assert "lost 50.00 today" in trip(bench)
