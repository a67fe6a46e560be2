"""A bot of two legs and its budgets: a quote takes the room of its hedge too, and no hedge ever waits for room."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.model.budgets import Share
from engine.model.commands import Command
from engine.model.events import BudgetsRead
from engine.model.order import OrderStatus, Side
from engine.spec.types import BudgetSpec, BudgetsSpec
from tests.trading.hedge_bench import HEDGE, MAKER, HedgeBench, hedge_spec, only_hedge, sent_on

LIMIT = BudgetSpec(max_net_exposure_usd=Decimal(5_000), max_gross_exposure_usd=Decimal(5_000))
BUDGETS = {
    "fleet": BudgetsSpec(fleet=LIMIT),
    "account a": BudgetsSpec(accounts={"a": LIMIT}),
    "account b": BudgetsSpec(accounts={"b": LIMIT}),
}
"""`a` has the maker leg, `b` the hedge leg. Each quote is of 1 SOL at 100."""


def sharing(budget: str) -> HedgeBench:
    return HedgeBench(spec=replace(hedge_spec(), budgets=BUDGETS[budget]))


def hear(bench: HedgeBench, budget: str, *, long: str = "5000", short: str = "5000", gross: str) -> list[Command]:
    share = Share(
        long_usd=Decimal(long), short_usd=Decimal(short), gross_usd=Decimal(gross), others_day_pnl_usd=Decimal(0)
    )
    return bench.feed(BudgetsRead(at_ns=bench.now_ns, leg="", shares={budget: share}))


def sides(bench: HedgeBench) -> set[Side]:
    bench.ready(HEDGE)
    return {request.side for request in sent_on(MAKER, bench.ready(MAKER))}


@pytest.mark.parametrize(
    ("budget", "enough", "too_little"),
    [("fleet", "200", "199"), ("account a", "100", "99"), ("account b", "100", "99")],
)
def test_a_quote_takes_the_room_of_all_that_it_leads_to(budget: str, enough: str, too_little: str) -> None:
    for gross, expected in ((enough, {Side.BUY, Side.SELL}), (too_little, set())):
        bench = sharing(budget)
        hear(bench, budget, gross=gross)
        assert sides(bench) == expected


def test_a_bid_is_a_hedge_to_sell_on_the_hedge_legs_account() -> None:
    bench = sharing("account b")
    hear(bench, "account b", short="99", gross="5000")
    assert sides(bench) == {Side.SELL}


def test_what_a_pair_needs_counts_its_hedges_before_anything_is_filled() -> None:
    for budget, gross in (("fleet", 200), ("account a", 100), ("account b", 100)):
        bench = sharing(budget)
        hear(bench, budget, gross="5000")
        bench.quoting()
        need = (bench.machine.budgets.needs() or {})[budget]
        assert (need.has.gross_usd, need.has.long_usd, need.has.short_usd) == (gross, 100, 100)


@pytest.mark.parametrize(("budget", "gross"), [("fleet", "200"), ("account a", "100"), ("account b", "100")])
def test_a_fill_and_its_hedge_need_no_more_than_the_quote_did(budget: str, gross: str) -> None:
    bench = sharing(budget)
    hear(bench, budget, gross=gross)
    bid = bench.quoting()[Side.BUY]
    hedge = only_hedge(bench.fill(bid, 100))
    bench.update(bid, OrderStatus.FILLED, 100)
    assert (bench.machine.budgets.needs() or {})[budget].has.gross_usd == Decimal(gross)
    bench.fill(hedge, 10)
    assert (bench.machine.budgets.needs() or {})[budget].has.gross_usd == Decimal(gross)


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_hedge_is_sent_though_the_budget_is_used_up_or_unknown(budget: str) -> None:
    bench = sharing(budget)
    hear(bench, budget, gross="5000")
    quotes = bench.quoting()
    hear(bench, budget, long="0", short="0", gross="0")
    assert only_hedge(bench.fill(quotes[Side.BUY], 100)).lots == 10
    bench = sharing(budget)
    hear(bench, budget, gross="5000")
    quotes = bench.quoting()
    bench.wait(6)
    assert only_hedge(bench.fill(quotes[Side.BUY], 100)).lots == 10


def test_a_hedge_is_sent_though_the_loss_is_unknown_while_the_maker_leg_has_no_book() -> None:
    spec = hedge_spec()
    bench = HedgeBench(spec=replace(spec, risk=replace(spec.risk, stop_loss_usd=Decimal(1_000))))
    quotes = bench.quoting()
    bench.lose_book(MAKER)
    assert only_hedge(bench.fill(quotes[Side.BUY], 100)).lots == 10
