"""Pricing: published figures (`make oracles` runs them in full), its bounds, and what it knows of the market."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import pairwise, product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.oracles import avellaneda_stoikov, glft
from engine.clock import NS_PER_S
from engine.errors import ConfigInvalid
from engine.model.events import MarkPriceUpdated
from engine.model.order import OrderStatus
from engine.strategies.interface import LegView
from engine.strategies.ladder import UNIT
from engine.strategies.pricing.avellaneda_stoikov import Taste
from engine.strategies.pricing.funding import funding_tilt
from engine.strategies.pricing.glft import Bounds, Flow, asymptotic, closed_form
from engine.strategies.pricing.shape import Inventory, Pricing, PricingParameters, shape_of
from engine.strategies.pricing.volatility import volatility_bps
from engine.strategies.registry import build_strategy
from engine.trading.mids import LONGEST_S, MidHistory
from tests.trading.desk_bench import LEG, PERP, Bench, bot_spec, canceled, report_of, submitted

VOLATILE = {"pricing": "volatility", "volatility_multiple": "2", "horizon_s": "100"}


@pytest.mark.parametrize("published", avellaneda_stoikov.PUBLISHED, ids=lambda row: row.name)
def test_avellaneda_stoikov_earns_what_the_paper_says(published: avellaneda_stoikov.Row) -> None:
    """Two thousand days instead of twenty thousand: within twice the bounds of the full run."""
    ours = avellaneda_stoikov.simulate(published, 2_000, Random(7))
    assert ours.spread == pytest.approx(published.spread, abs=0.005)
    assert ours.profit == pytest.approx(published.profit, rel=0.03)
    assert ours.deviation == pytest.approx(published.deviation, rel=0.16)


def test_glft_quotes_what_the_paper_says() -> None:
    assert list(glft.misses()) == []


def test_the_closed_form_is_near_the_exact_quotes_and_both_mirror_long_and_short() -> None:
    for inventory in (-12, -1, 0, 0.5, 7):
        exact = asymptotic(glft.TASTE, glft.FLOW, inventory, glft.BOUNDS)
        near = closed_form(glft.TASTE, glft.FLOW, inventory)
        mirrored = asymptotic(glft.TASTE, glft.FLOW, -inventory, glft.BOUNDS)
        assert (exact.bid, exact.ask) == pytest.approx((near.bid, near.ask), abs=0.01)
        assert (exact.bid, exact.ask) == pytest.approx((mirrored.ask, mirrored.bid), abs=1e-9)


@pytest.mark.parametrize(("least", "most"), [(-30, 30), (-3, 9), (0, 12), (-7, 0), (-1, 0)])
def test_the_exact_quotes_solve_the_papers_equation_whatever_the_bounds(least: int, most: int) -> None:
    """What is earned for each order of risk, less what either side adds, is the same at every inventory."""
    taste, flow, k = glft.TASTE, glft.FLOW, glft.TASTE.liquidity
    gamma, bounds = taste.risk_aversion, Bounds(least=least, most=most)
    fills = flow.arrival_rate * (1 + gamma / k) ** -(1 + k / gamma)
    values = []
    for q in range(least, most + 1):
        quote = asymptotic(taste, flow, q, bounds)
        value = k * gamma * flow.volatility**2 / 2 / fills * q * q
        value -= math.exp(-k * (quote.bid - taste.edge)) if q < most else 0
        values.append(value - (math.exp(-k * (quote.ask - taste.edge)) if q > least else 0))
    assert values == pytest.approx([values[0]] * len(values), abs=1e-9)


@pytest.mark.parametrize("volatility", [0.0, 1e-6, 1.0, 1e4])
def test_glft_has_quotes_for_every_market(volatility: float) -> None:
    taste, flow = Taste(risk_aversion=0.1, liquidity=0.3), Flow(volatility=volatility, arrival_rate=0.5)
    bounds = Bounds(least=-100, most=100)
    quotes = [asymptotic(taste, flow, inventory, bounds) for inventory in range(-100, 101)]
    assert all(math.isfinite(quote.bid) and math.isfinite(quote.ask) for quote in quotes)


def seen(mids: tuple[int, ...] = ()) -> LegView:
    return LegView(
        instrument=PERP,
        bids=((9_990, 1),),
        asks=((10_010, 1),),
        mark=None,
        position_lots=0,
        max_position_lots=None,
        base_change=Decimal(0),
        quote_change=Decimal(0),
        executed_lots={},
        recent_mids=mids,
    )


positive = st.floats(1e-4, 1e3)
priced = st.builds(
    PricingParameters,
    spread_bps=st.decimals("0.1", "100", places=2),
    order_size=st.just(Decimal(1)),
    pricing=st.sampled_from(Pricing),
    risk_aversion=positive,
    order_book_liquidity=positive,
    arrival_rate=positive,
    horizon_s=st.floats(0.1, 86_400),
    volatility_multiple=st.floats(0.01, 100),
    volatility_half_life_s=st.none() | st.floats(5, 300),
)
inventories = st.builds(
    Inventory,
    excess=st.floats(-1e4, 1e4),
    bounds=st.none() | st.builds(Bounds, least=st.integers(-200, 0), most=st.integers(0, 200)),
    lean=st.integers(-UNIT, UNIT),
    tilt=st.integers(-UNIT, UNIT),
)


@given(priced, inventories, st.lists(st.integers(1, 10**6), min_size=31, max_size=40).map(tuple))
def test_whatever_a_formula_says_spread_and_lean_keep_their_bounds(
    parameters: PricingParameters, inventory: Inventory, mids: tuple[int, ...]
) -> None:
    shape = shape_of(parameters, seen(mids), inventory)
    assert shape is not None
    assert parameters.spread_bps <= shape.spread_bps <= 5_000
    assert -UNIT <= shape.skew <= UNIT


def test_volatility_is_the_root_of_the_mean_squared_return_of_the_window() -> None:
    mids = [10_000] * 300 + [10_001, 10_000] * 30
    assert volatility_bps(mids, 60) == pytest.approx(1.0, rel=0.02)
    assert volatility_bps(mids, 240) == pytest.approx(0.5, rel=0.02)
    assert volatility_bps(mids[:30]) is None


heard = st.lists(
    st.tuples(st.integers(1, 40 * NS_PER_S), st.integers(9_000, 11_000)), min_size=2, max_size=60
).filter(lambda news: sum(later_ns for later_ns, _ in news) > 32 * NS_PER_S)


@given(heard, st.floats(5, 300), st.sampled_from([None, 30, 120]))
def test_with_a_half_life_what_is_heard_at_odd_times_fades_by_the_clock(
    news: list[tuple[int, int]], half_life_s: float, window_s: int | None
) -> None:
    """Each change weighs half as much for each half-life of its age, and so does each second without one."""
    history, at_ns, ended = MidHistory(), 7 * NS_PER_S, dict[int, int]()
    for later_ns, mid in news:
        at_ns += later_ns
        history.saw(mid, at_ns)
        ended[at_ns // NS_PER_S] = mid
    now_s = max(ended) + 1
    seconds = min(now_s - 1 - min(ended), window_s or 600)
    changes = [
        (now_s - 1 - second, (mid - ended[before]) / ended[before])
        for (before, _), (second, mid) in pairwise(sorted(ended.items()))
    ]
    squares = math.fsum(change**2 * 0.5 ** (age / half_life_s) for age, change in changes if age < seconds)
    weights = math.fsum(0.5 ** (age / half_life_s) for age in range(seconds))
    found = volatility_bps(history.until(now_s * NS_PER_S), window_s, half_life_s)
    expected = math.sqrt(squares / weights) * 10_000 if seconds >= 30 else None
    assert found == (None if expected is None else pytest.approx(expected, rel=1e-9, abs=1e-12))


def test_a_half_life_of_eleven_and_a_fifth_seconds_is_the_decay_of_riskmetrics() -> None:
    """sigma^2 = 0.94 sigma^2 + 0.06 r^2, from a window that is long enough for its beginning not to count."""
    random = Random(3)
    mids = [10_000.0]
    for _ in range(600):
        mids.append(mids[-1] * (1 + random.gauss(0, 1e-4)))
    variance = 0.0
    for before, after in pairwise(mids):
        variance = 0.94 * variance + 0.06 * ((after - before) / before) ** 2
    half_life_s = math.log(0.5) / math.log(0.94)
    assert half_life_s == pytest.approx(11.2, abs=0.01)
    assert volatility_bps(mids, 600, half_life_s) == pytest.approx(math.sqrt(variance) * 10_000, rel=1e-9)


def test_funding_leans_towards_the_side_that_is_paid() -> None:
    assert funding_tilt(Decimal("0.0002"), Decimal("0.25")) == UNIT // 2
    assert funding_tilt(Decimal("-0.0002"), Decimal("0.25")) == -UNIT // 2
    assert funding_tilt(Decimal("0.5"), Decimal(1)) == UNIT
    assert funding_tilt(None, Decimal(1)) == funding_tilt(Decimal("0.01"), None) == 0


def test_a_mid_stands_for_every_second_until_another_replaces_it() -> None:
    history = MidHistory()
    assert history.until(5 * NS_PER_S) == ()
    history.saw(100, 5 * NS_PER_S)
    history.saw(102, 5 * NS_PER_S + 1)
    assert history.until(8 * NS_PER_S) == (102, 102, 102)
    history.saw(None, 8 * NS_PER_S)
    history.saw(110, 9 * NS_PER_S)
    assert history.until(10 * NS_PER_S) == (102, 102, 102, 102, 110)
    assert history.until(4 * NS_PER_S) == (102, 102, 102, 102, 110)


def test_the_history_of_a_mid_is_bounded() -> None:
    history = MidHistory()
    history.saw(100, 0)
    assert len(history.until(10**9 * NS_PER_S)) == LONGEST_S + 1


def test_a_bot_priced_by_volatility_quotes_once_it_is_warm_and_begins_anew_after_a_restart() -> None:
    bench = Bench(spec=bot_spec(**VOLATILE))
    assert bench.quoting(9_990, 10_010) == []
    assert submitted(bench.wait(30)) == []
    sent = submitted(bench.wait(1))
    assert len(sent) == 2
    for request in sent:
        bench.accept(request)
    again = bench.restarted()
    again.connect(open_orders=tuple(report_of(request, OrderStatus.RESTING) for request in sent))
    assert len(canceled(again.book(9_990, 10_010))) == 2


def test_the_newest_funding_rate_reaches_the_strategy() -> None:
    bench = Bench(spec=bot_spec(spread_bps="20", funding_skew="0.25"))
    bench.feed(MarkPriceUpdated(at_ns=bench.now_ns, leg=LEG, mark=Decimal(100), funding_rate=Decimal("0.0002")))
    assert {request.ticks for request in bench.quoting(9_960, 10_040)} == {9_985, 10_005}


def test_a_pricing_that_lacks_a_parameter_is_refused_by_the_engine_too() -> None:
    with pytest.raises(ConfigInvalid, match="glft needs risk_aversion and order_book_liquidity and arrival_rate"):
        build_strategy(bot_spec(pricing="glft").strategy)


@pytest.mark.parametrize("pricing", [Pricing.AVELLANEDA_STOIKOV, Pricing.GLFT])
@pytest.mark.parametrize("taste", list(product((1e-6, 1e3), repeat=3)))
def test_every_parameter_the_schema_allows_has_a_shape(pricing: Pricing, taste: tuple[float, ...]) -> None:
    gamma, k, arrivals = taste
    parameters = PricingParameters(
        spread_bps=Decimal(1),
        order_size=Decimal(1),
        pricing=pricing,
        risk_aversion=gamma,
        order_book_liquidity=k,
        arrival_rate=arrivals,
        horizon_s=86_400,
    )
    for mids in ((1, 10**6) * 20, (10_000,) * 40):
        for excess in (-100.0, 0.0, 100.0):
            shape = shape_of(parameters, seen(mids), Inventory(excess=excess, bounds=Bounds(least=-100, most=100)))
            assert shape is not None and 1 <= shape.spread_bps <= 5_000
