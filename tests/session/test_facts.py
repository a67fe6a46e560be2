"""A venue's markets, asked once."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from engine.errors import ConfigInvalid, Unavailable
from engine.exchanges.interface import Endpoints
from engine.exchanges.messages import HttpResponse
from engine.model.instrument import Instrument, MarketKind
from engine.session.facts import fetch_instrument
from tests.session.toy import ENDPOINTS, Stage, ToyVenue, play

SOL = Instrument(
    venue="toy",
    symbol="SOL_USDC",
    kind=MarketKind.SPOT,
    base="SOL",
    quote="USDC",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.01"),
    min_size=Decimal("0.01"),
)


def test_a_market_is_found_by_its_symbol_and_a_missing_one_is_a_mistake_of_the_spec() -> None:
    async def scene(stage: Stage) -> None:
        listed = HttpResponse(status=200, body=msgspec.json.encode([SOL]))
        stage.toy.answers["/markets"] = lambda: listed
        assert await fetch_instrument(stage.world, ToyVenue(), ENDPOINTS, "SOL_USDC") == SOL
        with pytest.raises(ConfigInvalid, match="sol_usdc"):
            await fetch_instrument(stage.world, ToyVenue(), ENDPOINTS, "sol_usdc")

    play(scene, run=False)


def test_a_venue_that_does_not_answer_is_unavailable_and_not_without_markets() -> None:
    async def scene(stage: Stage) -> None:
        stage.toy.answers["/markets"] = lambda: None
        nowhere = Endpoints(rest_url="http://nowhere", ws_url="ws://nowhere")
        for endpoints in (ENDPOINTS, nowhere):
            with pytest.raises(Unavailable):
                await fetch_instrument(stage.world, ToyVenue(), endpoints, "SOL_USDC")

    play(scene, run=False)
