"""A short set of rounds, every time; `make fire ROUNDS=100 SEED=1` draws longer ones."""

from __future__ import annotations

from itertools import islice, product

import pytest

from engine.trading.records import OrderState
from tests.fire.blows import Blow
from tests.fire.campaign import Campaign, Round, draw
from tests.fire.ground import Ground
from tests.fire.moments import WEATHER, Moment

pytestmark = pytest.mark.timeout(400)

NOT_HERE = {"amend pending"}
"""The venue under fire changes no order in place."""
SLOW, BROKEN = WEATHER[Moment.SUBMITTED][0], WEATHER[Moment.UNRESOLVED][0]
ROUNDS = (
    Round(moment=Moment.SUBMITTED, weather=SLOW, blow=Blow.KILL_ENGINE, bot="sol"),
    Round(moment=Moment.CANCEL_PENDING, weather=SLOW, blow=Blow.FREEZE_ENGINE, bot="btc"),
    Round(moment=Moment.UNRESOLVED, weather=BROKEN, blow=Blow.KILL_ENGINE, bot="btc", lasting_s=0.3),
    Round(moment=Moment.ACCEPTED, weather={}, blow=Blow.FREEZE_VENUE, bot="sol"),
    Round(moment=Moment.ACCEPTED, weather={}, blow=Blow.KILL_SUPERVISORD, bot="sol", lasting_s=0.3),
)


@pytest.fixture(scope="module")
def campaign(ground: Ground) -> Campaign:
    return Campaign(ground)


@pytest.mark.parametrize("chosen", ROUNDS, ids=str)
def test_nothing_is_lost_doubled_or_orphaned(campaign: Campaign, chosen: Round) -> None:
    outcome = campaign.play(chosen)
    assert outcome.complaints == ()
    assert outcome.seen, f"no order was {chosen.moment.value}"


def test_the_fleet_needs_nothing_afterwards_and_leaves_nothing(campaign: Campaign) -> None:
    assert campaign.end() == []


def test_every_state_in_which_an_order_may_live_has_its_moment() -> None:
    living = {state.value for state in OrderState if not state.is_done}
    assert living - NOT_HERE <= {moment.value for moment in Moment}


def test_a_seed_strikes_every_moment_with_every_blow() -> None:
    pairs = list(product(Moment, Blow))
    assert {(each.moment, each.blow) for each in islice(draw(3), len(pairs))} == set(pairs)
    assert list(islice(draw(3), 5)) == list(islice(draw(3), 5))
