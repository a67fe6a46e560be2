"""A whole bot that sends its orders over Paradex's socket, and what the venue does when it loses that socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.exchanges.interface import Credentials
from engine.sim.machine import HttpReceived, Inbound, Outbound, SocketReceived
from engine.sim.paradex.settings import ParadexSettings
from engine.sim.paradex.venue import ParadexMachine
from engine.spec.types import BotSpec, LegSpec, StrategySpec
from tests.determinism.play import ACCOUNT, BOT, Play
from tests.fleets import STRATEGY, bot_spec
from tests.session.paradex_stage import is_change

MARKET, LIFE_S = "SOL-USD-PERP", 20.0
SPOT_ONLY = ("capital", "base_target_pct", "rebalance_threshold_pct", "rebalance_slippage_bps")
SWITCHED = {"order_entry": "websocket", "cancel_on_disconnect": True}


def is_placement(message: Inbound) -> bool:
    """Cancels of several orders go by REST."""
    if isinstance(message, SocketReceived):
        return '"order.create' in message.text
    return isinstance(message, HttpReceived) and message.request.method == "POST"


class ParadexPlay(Play):
    """Tells how orders came."""

    venue_name = "paradex"

    def __init__(self, directory: Path, *, seed: int, options: dict[str, Any]) -> None:
        self._options = options
        super().__init__(directory, seed=seed)
        self.ways: list[type[Inbound]] = []
        self._handle = self.venue.handle
        self.venue.handle = self._watched  # type: ignore[method-assign]  # on its way to the venue

    def _make_venue(self, keys: Credentials) -> ParadexMachine:
        venue = ParadexMachine(ParadexSettings(), self._flow)
        venue.open_account(ACCOUNT, keys, {"USDC": Decimal(10_000)})
        return venue

    def _spec(self) -> BotSpec:
        spec = bot_spec(BOT)
        account = replace(spec.accounts[ACCOUNT], venue="paradex", options=self._options)
        parameters = {name: value for name, value in STRATEGY.items() if name not in SPOT_ONLY}
        parameters |= {"inventory_skew": "0.5", "target_position": "0"}
        return replace(
            spec,
            legs={"main": LegSpec(venue="paradex", account=ACCOUNT, market=MARKET)},
            accounts={ACCOUNT: account},
            strategy=StrategySpec(kind="perp_market_maker", parameters=parameters),
        )

    def _watched(self, message: Inbound, now_ns: int) -> list[Outbound]:
        if is_change(message) and is_placement(message):
            self.ways.append(type(message))
        return self._handle(message, now_ns)

    def hang_up(self) -> None:
        """Break every socket at the venue."""
        host = self.network.host("ws://paradex/")
        assert host is not None
        host.hang_up()


@pytest.fixture
def play(tmp_path: Path) -> Iterator[ParadexPlay]:
    made = ParadexPlay(tmp_path, seed=3, options=SWITCHED)
    yield made
    made.close()


def test_a_bot_places_over_the_socket_alone_and_is_stopped_with_nothing_left(play: ParadexPlay) -> None:
    async def scene() -> None:
        process = play.process(play.world())
        life = asyncio.ensure_future(process.live())
        await asyncio.sleep(LIFE_S)
        assert play.fills_at_venue()
        process.request_stop("SIGTERM")
        await life
        assert play.resting_at_venue() == []
        assert len(play.ways) > 20 and set(play.ways) == {SocketReceived}
        assert len(play.fills_in_journal()) == len(play.fills_at_venue())

    play.run(scene())


def test_of_a_bot_that_was_killed_the_venue_cancels_what_rests_and_its_next_life_quotes_anew(
    play: ParadexPlay,
) -> None:
    async def scene() -> None:
        await play.live_and_die(for_s=LIFE_S, leaving_orders=True)
        play.is_quiet = True
        await asyncio.sleep(1)
        assert play.resting_at_venue() == [] and play.live_in_journal()
        life = asyncio.ensure_future(play.live_and_die(for_s=LIFE_S))
        await asyncio.sleep(LIFE_S / 2)
        assert len(play.resting_at_venue()) == len(play.live_in_journal()) > 0
        await life

    play.run(scene())


def test_a_bot_whose_sockets_broke_quotes_again_and_knows_what_the_venue_cancelled(play: ParadexPlay) -> None:
    async def scene() -> None:
        life = asyncio.ensure_future(play.live_and_die(for_s=3 * LIFE_S))
        await asyncio.sleep(LIFE_S)
        await play.resting()
        play.is_quiet = True
        before = {order.request.client_id for order in play.live_in_journal()}
        play.hang_up()
        await asyncio.sleep(0.1)
        assert play.resting_at_venue() == []
        await asyncio.sleep(LIFE_S)
        after = {order.request.client_id for order in play.live_in_journal()}
        assert len(play.resting_at_venue()) == len(after) > 0 and not before & after
        await life

    play.run(scene())


def test_without_the_switch_what_rests_outlives_a_bot_that_was_killed(tmp_path: Path) -> None:
    play = ParadexPlay(tmp_path, seed=3, options={"order_entry": "websocket"})

    async def scene() -> None:
        await play.live_and_die(for_s=LIFE_S, leaving_orders=True)
        play.is_quiet = True
        await asyncio.sleep(60)
        assert play.resting_at_venue()

    play.run(scene())
    play.close()
