"""The contract suite of strategies: what botctl relies on in every one. A package's own tests inherit it:

    from engine.testing.strategies import StrategyContract

    class TestMyStrategy(StrategyContract):
        kind = "mine"
        parameters = ({"order_size": "1"}, {"order_size": "1", "distance_ticks": 0})

Needs no test framework but one that calls methods named `test_…`. Chance comes from fixed seeds, so a failure comes
again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from random import Random
from typing import Any, ClassVar

from engine.model.instrument import Instrument, MarketKind
from engine.spec.impact import Impact
from engine.spec.rules import ANY_KIND
from engine.spec.schema import fields_of_schema, fill_defaults, load_schema
from engine.spec.types import BotSpec, LegSpec, ProcessSpec, RiskSpec, StopPolicy, StrategySpec
from engine.strategies.interface import LegView, View
from engine.strategies.registry import build_strategy, strategy_kinds
from engine.testing.rehearsal import Rehearsal

MID_TICKS = 10_000
SEEDS = 2
STEPS = 60
VIEWS = 30
LEG = "main"


def example_market(kind: MarketKind) -> Instrument:
    """A market whose mid begins at 100.00, in ticks and lots of 0.01."""
    return Instrument(
        venue="example",
        symbol="SOL_USDC_PERP" if kind is MarketKind.PERP else "SOL_USDC",
        kind=kind,
        base="SOL",
        quote="USDC",
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.01"),
        min_size=Decimal("0.05"),
    )


def example_bot(kind: str, parameters: Mapping[str, Any], max_position: Decimal | None) -> BotSpec:
    """A bot of this strategy, every default of its schema filled in."""
    name = f"strategies/{kind}"
    filled = {**fill_defaults(dict(parameters), name)}
    filled.pop("kind", None)
    legs = load_schema(name)["x-legs"]
    return BotSpec(
        name="example",
        labels={},
        enabled=True,
        legs={leg: LegSpec(venue="example", account="alpha", market="SOL") for leg in legs},
        accounts={},
        strategy=StrategySpec(kind=kind, parameters=filled),
        risk=RiskSpec(
            max_position=max_position,
            max_open_notional_usd=None,
            max_order_notional_usd=None,
            max_orders_per_minute=1_000_000,
            price_band_bps=Decimal(10_000),
            max_data_age_s=Decimal(10),
        ),
        process=ProcessSpec(
            stop_policy=StopPolicy.KEEP, stop_timeout_s=Decimal(10), duration_s=None, log_level="info"
        ),
    )


def rehearse(kind: str, parameters: Mapping[str, Any], random: Random, steps: int = STEPS) -> Rehearsal:
    """A bot on a market that wanders; AssertionError where it breaks a promise."""
    legs = _market_kinds(kind)
    limited = MarketKind.PERP in legs.values()
    spec = example_bot(kind, parameters, Decimal(random.randint(1, 8)) if limited else None)
    markets = {leg: example_market(wanted) for leg, wanted in legs.items()}
    rehearsal = Rehearsal(spec, markets, random, MID_TICKS)
    rehearsal.start()
    for _ in range(steps):
        rehearsal.step()
        rehearsal.check_settled()
    return rehearsal


class StrategyContract:
    """Inherit, and say which `kind` it is and some `parameters` as a bot file has them, numbers as text."""

    kind: ClassVar[str]
    parameters: ClassVar[tuple[Mapping[str, Any], ...]]

    def test_it_is_found_by_its_kind(self) -> None:
        assert self.kind in strategy_kinds()

    def test_every_field_of_its_schema_is_described_and_has_an_impact(self) -> None:
        fields = dict(fields_of_schema(f"strategies/{self.kind}"))
        assert fields["kind",]["const"] == self.kind
        for path, field in fields.items():
            assert field.get("description") and field.get("x-impact") in list(Impact), path

    def test_the_same_view_has_the_same_target_whoever_is_asked(self) -> None:
        for spec in self._specs():
            one, other = build_strategy(spec.strategy), build_strategy(spec.strategy)
            for view in _views(spec, Random(1)):
                assert one.target(view) == one.target(view) == other.target(view)

    def test_a_slot_is_wanted_once_and_with_something_in_it(self) -> None:
        for spec in self._specs():
            for view in _views(spec, Random(2)):
                for leg, target in build_strategy(spec.strategy).target(view).items():
                    assert leg in view.legs
                    slots = [quote.slot for quote in target.quotes]
                    assert len(slots) == len(set(slots))
                    assert all(quote.lots > 0 and quote.ticks > 0 for quote in target.quotes)

    def test_no_order_crosses_passes_a_limit_or_is_sent_for_nothing(self) -> None:
        for parameters in self.parameters:
            for seed in range(SEEDS):
                rehearse(self.kind, parameters, Random(seed))

    def _specs(self) -> Iterator[BotSpec]:
        for parameters in self.parameters:
            yield example_bot(self.kind, parameters, Decimal(5))


def _market_kinds(strategy: str) -> dict[str, MarketKind]:
    """What each leg trades here; one that may be either is a perp."""
    wanted = load_schema(f"strategies/{strategy}")["x-legs"]
    return {leg: MarketKind.PERP if kind == ANY_KIND else MarketKind(kind) for leg, kind in wanted.items()}


def _views(spec: BotSpec, random: Random) -> Iterator[View]:
    """Markets and positions of every sort, among them books with an empty side."""
    kinds = _market_kinds(spec.strategy.kind)
    for _ in range(VIEWS):
        legs = {leg: _leg_view(example_market(kind), random) for leg, kind in kinds.items()}
        yield View(now_ns=random.randrange(10**18), legs=legs)


def _leg_view(instrument: Instrument, random: Random) -> LegView:
    bid = random.randint(100, 2 * MID_TICKS)
    lots = random.randint(-700, 700)
    return LegView(
        instrument=instrument,
        bids=((bid, 100),) if random.random() < 0.9 else (),
        asks=((bid + random.randint(1, 50), 100),) if random.random() < 0.9 else (),
        mark=instrument.price(bid) if random.random() < 0.5 else None,
        position_lots=lots,
        max_position_lots=random.choice((None, 500)),
        base_change=instrument.size(lots),
        quote_change=-instrument.notional(MID_TICKS, lots),
        executed_lots={},
        recent_mids=tuple(2 * bid + random.randint(-20, 20) for _ in range(random.choice((0, 60)))),
        funding_rate=random.choice((None, Decimal("0.0001"), Decimal("-0.01"))),
    )
