"""Own books against the venue: what is missing is named, what others did is counted, the rest is unexplained."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from engine.model.account import Fill, FundingPayment, Position
from engine.model.instrument import Instrument
from engine.model.order import Liquidity, Side
from engine.trading.reconciliation import (
    Baseline,
    OwnSide,
    VenueSide,
    baseline,
    compare_balances,
    compare_market,
)
from engine.trading.records import FundingRecord
from tests.trading.desk_bench import PERP, SPOT

OPENED = Baseline(at_ns=0, totals={"USDC": Decimal(1_000), "SOL": Decimal(10)})


def fill(number: int, *, side: Side = Side.BUY, lots: int = 100, client_id: int | None = 1) -> Fill:
    return Fill(
        trade_id=str(number),
        venue_order_id=f"v{client_id}",
        client_id=client_id,
        side=side,
        ticks=10_000,
        lots=lots,
        fee=Decimal("0.01"),
        fee_asset="USDC",
        liquidity=Liquidity.MAKER,
        at_ns=number,
    )


def own(*fills: Fill) -> OwnSide:
    return OwnSide(fills=fills, client_ids=frozenset({1}), order_ids=frozenset({"v1"}))


def venue(*fills: Fill, instrument: Instrument = PERP, lots: int = 0, since_ns: int = 0) -> VenueSide:
    position = None if instrument is SPOT else Position(lots=lots, entry_price=instrument.price(10_000))
    return VenueSide(instrument=instrument, since_ns=since_ns, fills=fills, position=position)


def test_books_that_agree_are_explained() -> None:
    found = compare_market(own(fill(1)), venue(fill(1), lots=100))
    assert found.is_explained and found.own_fills == 1 and not found.others_fills


def test_an_own_fill_that_the_journal_lacks_is_named() -> None:
    found = compare_market(own(fill(1)), venue(fill(1), fill(2), lots=200))
    assert found.missing_in_journal == ("2",)
    assert found.unexplained_position == PERP.size(100)


def test_a_fill_that_the_venue_never_heard_of_is_named() -> None:
    found = compare_market(own(fill(1), fill(2)), venue(fill(1), lots=100))
    assert found.missing_at_venue == ("2",)
    assert not found.is_explained


def test_what_the_answer_does_not_reach_back_to_is_not_missed() -> None:
    found = compare_market(own(fill(1), fill(2)), venue(fill(2), lots=200, since_ns=2))
    assert found.is_explained


def test_others_fills_explain_a_position() -> None:
    theirs = fill(2, side=Side.SELL, client_id=None)
    found = compare_market(own(fill(1)), venue(fill(1), replace(theirs, venue_order_id="x"), lots=0))
    assert found.is_explained and found.others_fills == 1


def test_a_position_that_no_fill_accounts_for_is_unexplained() -> None:
    found = compare_market(own(fill(1)), venue(fill(1), lots=150))
    assert found.unexplained_position == PERP.size(50)


def test_own_fills_and_fees_explain_spot_balances_to_the_last_digit() -> None:
    bought, side = fill(1), venue(fill(1), instrument=SPOT)
    paid = SPOT.notional(10_000, 100) + Decimal("0.01")
    totals = {"USDC": 1_000 - paid, "SOL": 10 + SPOT.size(100)}
    found = compare_balances(OPENED, baseline(9, totals, [side]), [(own(bought), side)])
    assert [one.unexplained for one in found] == [0, 0] and len(found) == 2
    off = {**totals, "USDC": totals["USDC"] - Decimal("0.000000001")}
    *_, quote = compare_balances(OPENED, baseline(9, off, [side]), [(own(bought), side)])
    assert quote.asset == "USDC" and quote.unexplained == Decimal("-0.000000001")


def test_what_an_open_perp_position_cost_is_not_missing_from_the_balance() -> None:
    side = venue(fill(1), lots=100)
    totals = {**OPENED.totals, "USDC": Decimal("999.99")}
    [quote] = compare_balances(OPENED, baseline(9, totals, [side]), [(own(fill(1)), side)])
    assert quote.asset == "USDC" and quote.is_explained


def test_a_deposit_is_unexplained() -> None:
    totals = {**OPENED.totals, "USDC": Decimal(1_500)}
    [quote] = compare_balances(OPENED, baseline(9, totals, []), [])
    assert quote.unexplained == 500


def test_only_what_came_after_the_baseline_counts_for_balances() -> None:
    side, later = venue(fill(1), instrument=SPOT), replace(OPENED, at_ns=5)
    assert compare_balances(later, baseline(9, OPENED.totals, [side]), [(own(fill(1)), side)]) == ()


def paid(number: int, amount: str) -> FundingPayment:
    return FundingPayment(payment_id=str(number), amount=Decimal(amount), at_ns=number)


def counted(payment: FundingPayment, own_part: str) -> FundingRecord:
    return FundingRecord(leg="main", payment=payment, own=Decimal(own_part), after_fills=1)


def test_funding_explains_a_balance_whoever_it_was_paid_to_and_the_bots_part_is_told_apart() -> None:
    payments = (paid(3, "-0.25"), paid(4, "-0.75"))
    there = replace(venue(fill(1), lots=100), funding=payments)
    ours = replace(own(fill(1)), funding=(counted(payments[0], "-0.125"),))
    cost = PERP.notional(10_000, 100)
    now = Baseline(
        at_ns=9,
        totals={"USDC": Decimal(1_000) - Decimal("0.01") - 1, "SOL": Decimal(10)},
        costs={PERP.symbol: cost},
    )
    [usdc] = compare_balances(OPENED, now, [(ours, there)])
    assert (usdc.own, usdc.funding, usdc.others, usdc.unexplained) == (Decimal("-0.01"), -1, 0, 0)
    market = compare_market(ours, there)
    assert (market.funding, market.own_funding, market.is_explained) == (-1, Decimal("-0.125"), True)


def test_what_was_paid_before_the_baseline_explains_nothing_after_it() -> None:
    there = replace(venue(lots=0), funding=(paid(3, "-5"), paid(7, "-1")))
    before = Baseline(at_ns=5, totals={"USDC": Decimal(100)})
    [usdc] = compare_balances(before, Baseline(at_ns=9, totals={"USDC": Decimal(99)}), [(own(), there)])
    assert (usdc.funding, usdc.unexplained) == (-1, 0)


def test_what_a_person_settled_is_explained_and_what_came_before_it_is_in_there() -> None:
    theirs = replace(fill(2, lots=50, client_id=None), venue_order_id="x")
    settled = replace(own(fill(1)), settled_lots=50, settled_ns=2, adopted_lots=50)
    found = compare_market(settled, venue(fill(1), theirs, lots=150))
    assert found.is_explained and found.own_position == PERP.size(150)
    later = replace(theirs, trade_id="3", at_ns=3)
    assert compare_market(settled, venue(fill(1), theirs, later, lots=200)).is_explained
    assert not compare_market(settled, venue(fill(1), theirs, lots=200)).is_explained
