"""Volumes, profit and wear of a leg, in all and per run, are what adding up its fills by hand gives."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.account import Fill
from engine.model.instrument import Instrument
from engine.model.order import Liquidity, Side
from engine.spec.grid import make_cell
from engine.trading.accounting import Accounting
from engine.trading.statistics import LegStatistics, machine_statistics, statistics_of, wear_bps
from engine.trading.tally import Tally
from tests.trading.desk_bench import PERP


class Deal(NamedTuple):
    side: Side
    liquidity: Liquidity
    ticks: int
    lots: int
    fee_cents: int

    @property
    def quote(self) -> Decimal:
        return PERP.notional(self.ticks, self.lots)

    @property
    def flow(self) -> Decimal:
        """What it changed the quote balance by."""
        return -self.side.sign * self.quote - self.fee

    @property
    def fee(self) -> Decimal:
        return Decimal(self.fee_cents) / 100


DEALS = st.lists(
    st.builds(
        Deal,
        side=st.sampled_from(Side),
        liquidity=st.sampled_from(Liquidity),
        ticks=st.integers(1, 500),
        lots=st.integers(1, 40),
        fee_cents=st.integers(-3, 9),
    ),
    max_size=30,
)


def fill_of(deal: Deal, number: int) -> Fill:
    return Fill(
        trade_id=f"t{number}",
        venue_order_id="v",
        client_id=None,
        side=deal.side,
        ticks=deal.ticks,
        lots=deal.lots,
        fee=deal.fee,
        fee_asset="USDC",
        liquidity=deal.liquidity,
        at_ns=number,
    )


def statistics(
    earlier: list[Deal], now: list[Deal], *, twice_mid: int | None = None, instrument: Instrument = PERP
) -> LegStatistics:
    """Of a bot that dealt in an earlier life and in this one."""
    books = Accounting(instrument)
    for number, deal in enumerate([*earlier, *now]):
        if number == len(earlier):
            books.begin_run()
        books.add("bid.0", fill_of(deal, number))
    if not now:
        books.begin_run()
    return statistics_of(instrument, books, (Tally(), Tally()), None, twice_mid)


def made(deals: list[Deal], twice_mid: int) -> Decimal:
    """Cash and inventory, added up."""
    lots = sum(deal.side.sign * deal.lots for deal in deals)
    return sum((deal.flow for deal in deals), Decimal(0)) + PERP.notional(twice_mid, lots) / 2


@given(DEALS, DEALS)
def test_volumes_are_the_sums_of_the_fills_in_all_and_per_run(earlier: list[Deal], now: list[Deal]) -> None:
    found = statistics(earlier, now)
    for span, deals in ((found.total, earlier + now), (found.run, now)):
        assert span.fills == len(deals)
        assert span.bought == PERP.size(sum(deal.lots for deal in deals if deal.side is Side.BUY))
        assert span.sold == PERP.size(sum(deal.lots for deal in deals if deal.side is Side.SELL))
        assert span.quote_volume == sum(deal.quote for deal in deals)
        for liquidity in Liquidity:
            for side in Side:
                same = [deal.quote for deal in deals if (deal.liquidity, deal.side) == (liquidity, side)]
                assert span.volume[liquidity][side] == sum(same)
        assert span.fees.get("USDC", 0) == sum(deal.fee for deal in deals)
        assert span.rebates.get("USDC", 0) == -sum(min(deal.fee, Decimal(0)) for deal in deals)


@given(DEALS, DEALS, st.integers(2, 1_000))
def test_net_profit_is_cash_plus_inventory_and_a_runs_begins_at_the_last_fill_before_it(
    earlier: list[Deal], now: list[Deal], twice_mid: int
) -> None:
    found = statistics(earlier, now, twice_mid=twice_mid)
    everything = earlier + now
    before = made(earlier, 2 * earlier[-1].ticks) if earlier else Decimal(0)
    assert found.total.net_pnl == made(everything, twice_mid)
    assert found.run.net_pnl == made(everything, twice_mid) - before


@given(DEALS, st.integers(2, 1_000))
def test_wear_is_the_loss_for_each_quote_traded(deals: list[Deal], twice_mid: int) -> None:
    wear = statistics([], deals, twice_mid=twice_mid).total.wear_bps
    if not deals:
        assert wear is None
    else:
        loss = max(0.0, -float(made(deals, twice_mid)))
        assert float(wear or 0) == pytest.approx(
            loss / float(sum(deal.quote for deal in deals)) * 10_000, abs=0.0001
        )


@given(DEALS, DEALS)
def test_the_equity_of_a_run_is_the_totals_less_what_it_began_with(earlier: list[Deal], now: list[Deal]) -> None:
    found = statistics(earlier, now)
    profits = [made((earlier + now)[: n + 1], 2 * deal.ticks) for n, deal in enumerate(earlier + now)]
    begun = profits[len(earlier) - 1] if earlier else Decimal(0)
    run = [profit - begun for profit in profits[len(earlier) :]]
    assert [profit for _, profit in found.run.equity] == run
    assert found.total.equity_high == max([0, *profits]) and found.total.equity_low == min([0, *profits])
    assert found.run.equity_last == (run[-1] if run else 0)
    falls = [max([0, *run[: n + 1]]) - profit for n, profit in enumerate(run)]
    assert found.run.peak_drawdown == max([0, *falls])


def test_funding_counts_in_the_run_that_was_paid_and_in_every_net_profit() -> None:
    books = Accounting(PERP)
    books.add("bid.0", fill_of(Deal(Side.BUY, Liquidity.MAKER, 100, 1_000, 0), 1))
    books.add_funding(Decimal("-0.5"), 2)
    books.begin_run()
    books.add_funding(Decimal("0.2"), 3)
    found = statistics_of(PERP, books, (Tally(), Tally()), None, 200)
    assert (found.total.funding, found.run.funding) == (Decimal("-0.3"), Decimal("0.2"))
    assert (found.total.net_pnl, found.run.net_pnl) == (Decimal("-0.3"), Decimal("0.2"))
    assert found.run.equity == ((3, Decimal("0.2")),)


def test_without_a_mid_nothing_is_said_of_what_needs_one() -> None:
    found = statistics([], [Deal(Side.BUY, Liquidity.MAKER, 100, 10, 1)])
    assert (found.mid, found.unrealised_pnl, found.total.net_pnl, found.total.wear_bps) == (None, None, None, None)


def test_the_entry_is_the_mean_price_of_what_is_still_open() -> None:
    deals = [
        Deal(Side.BUY, Liquidity.MAKER, 100, 10, 0),
        Deal(Side.BUY, Liquidity.MAKER, 200, 10, 0),
        Deal(Side.SELL, Liquidity.TAKER, 150, 15, 0),
    ]
    assert statistics([], deals).entry_price == Decimal("2.00")
    assert statistics([], [*deals, Deal(Side.SELL, Liquidity.TAKER, 150, 5, 0)]).entry_price is None


def test_wear_is_unknown_while_the_profit_is_or_nothing_was_traded() -> None:
    assert wear_bps(None, Decimal(5)) is wear_bps(Decimal(-1), Decimal(0)) is None
    assert wear_bps(Decimal(-3), Decimal(10_000)) == 3
    assert wear_bps(Decimal(3), Decimal(10_000)) == 0


def test_all_legs_together_are_unknown_while_one_of_them_is() -> None:
    bought = Deal(Side.BUY, Liquidity.MAKER, 100, 1_000, 10)
    known, unknown = statistics([], [bought], twice_mid=198), statistics([], [bought])
    both = machine_statistics({"maker": known, "hedge": known}).total
    assert (both.quote_volume, both.net_pnl) == (20, Decimal("-0.4"))
    assert both.wear_bps == 200
    assert machine_statistics({"maker": known, "hedge": unknown}).total.net_pnl is None


def test_a_grids_profit_is_booked_when_the_counter_order_fills_and_outlives_a_flattening() -> None:
    books, cell = Accounting(PERP), make_cell(Side.BUY, 100, 110, 10)
    buy, sell = (Deal(side, Liquidity.MAKER, ticks, 4, 0) for side, ticks in ((Side.BUY, 100), (Side.SELL, 110)))
    closed = []
    for number, (slot, deal) in enumerate(
        [(cell.open_slot, buy), (f"{cell.close_slot}+1", sell), (cell.open_slot, buy)]
    ):
        books.add(slot, fill_of(deal, number))
        closed.append(statistics_of(PERP, books, (Tally(), Tally()), None).total.grid_profit)
    assert closed == [0, Decimal("0.004"), Decimal("0.004")]
    (level,) = statistics_of(PERP, books, (Tally(), Tally()), None).levels
    assert (level.open_price, level.close_price, level.size) == (1, Decimal("1.1"), Decimal("0.1"))
    assert (level.held, level.rounds, level.profit) == (Decimal("0.04"), 0, Decimal("0.004"))
    books.add("inventory", fill_of(sell, 9))
    flat = statistics_of(PERP, books, (Tally(), Tally()), None)
    assert (flat.levels, flat.total.grid_profit) == ((), Decimal("0.004"))
