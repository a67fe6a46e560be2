"""A whole bot on a standard account of Lighter: sixty requests a minute, and orders that get lost on their way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from msgspec.structs import replace

from engine.exchanges.interface import Credentials
from engine.exchanges.lighter.transactions import TxType
from engine.sim.lighter.settings import LighterSettings
from engine.sim.lighter.venue import LighterMachine
from engine.sim.machine import HttpAnswered, HttpReceived, Inbound, Outbound, SocketReceived, SocketSent
from engine.spec.types import BotSpec, LegSpec, StrategySpec
from tests.determinism.play import ACCOUNT, BOT, Play
from tests.fleets import STRATEGY, bot_spec

MARKET, LIFETIME_S = "ETH", 120
SPOT_ONLY = ("capital", "base_target_pct", "rebalance_threshold_pct", "rebalance_slippage_bps")


class LighterPlay(Play):
    """Signs in Python, because the native signer reads the machine's clock; two minutes is no short life."""

    venue_name = "lighter"

    def __init__(self, directory: Path, *, seed: int) -> None:
        super().__init__(directory, seed=seed)
        self.loses = False
        self.lost_id: int | None = None
        self.statuses: list[int] = []
        self._handle = self.venue.handle
        self.venue.handle = self._watched  # type: ignore[method-assign]  # on its way to the venue

    def _make_venue(self, keys: Credentials) -> LighterMachine:
        venue = LighterMachine(LighterSettings(), self._flow)
        venue.open_account(ACCOUNT, keys, {"USDC": Decimal(10_000)})
        return venue

    def _spec(self) -> BotSpec:
        spec = bot_spec(BOT)
        account = replace(spec.accounts[ACCOUNT], venue="lighter", options={"tx_lifetime_s": LIFETIME_S})
        parameters = {name: value for name, value in STRATEGY.items() if name not in SPOT_ONLY}
        parameters |= {"inventory_skew": "0.5", "target_position": "0", "order_size": "0.02", "layers": 1}
        return replace(
            spec,
            legs={"main": LegSpec(venue="lighter", account=ACCOUNT, market=MARKET)},
            accounts={ACCOUNT: account},
            strategy=StrategySpec(kind="perp_market_maker", parameters=parameters),
        )

    def _watched(self, message: Inbound, now_ns: int) -> list[Outbound]:
        order = _order_in(message) if self.loses else None
        if order is not None:
            self.loses, self.lost_id = False, order["ClientOrderIndex"]
            return []
        said = self._handle(message, now_ns)
        self.statuses += [status for answer in said if (status := _status(answer))]
        return said


def _order_in(message: Inbound) -> dict[str, int] | None:
    """The order that is on its way to the venue, whichever way it goes."""
    if isinstance(message, HttpReceived):
        fields: dict[str, Any] = dict(parse_qsl(message.request.body.decode()))
        fields = fields and {"tx_type": int(fields["tx_type"]), "tx_info": json.loads(fields["tx_info"])}
    elif isinstance(message, SocketReceived) and '"jsonapi/sendtx"' in message.text:
        fields = json.loads(message.text)["data"]
    else:
        return None
    return fields["tx_info"] if fields.get("tx_type") == TxType.CREATE_ORDER else None


def _status(said: Outbound) -> int | None:
    """Of an answer, whichever way it comes; a socket has no statuses, but says 23000 for 429."""
    if isinstance(said, HttpAnswered):
        return said.response.status
    if isinstance(said, SocketSent) and ('"jsonapi/' in said.text or '"error"' in said.text):
        return 429 if '"code":23000' in said.text.replace(" ", "") else 200
    return None


@pytest.fixture
def play(tmp_path: Path) -> Iterator[LighterPlay]:
    made = LighterPlay(tmp_path, seed=3)
    yield made
    made.close()


def test_a_bot_never_asks_more_than_a_standard_account_may(play: LighterPlay) -> None:
    async def scene() -> None:
        await play.live_and_die(for_s=130, leaving_orders=True)

    play.run(scene())
    assert 429 not in play.statuses
    assert len(play.statuses) > 60


def test_a_slot_is_quoted_again_long_before_the_order_that_was_lost_in_it_is_certainly_dead(
    play: LighterPlay,
) -> None:
    def lost() -> list[str]:
        """Slots that wait for the lost order."""
        return [order.request.slot for order in play.live_in_journal() if order.request.client_id == play.lost_id]

    async def scene() -> None:
        life = asyncio.ensure_future(play.live_and_die(for_s=200))
        await asyncio.sleep(30)
        play.loses = True
        while not lost():
            await asyncio.sleep(0.5)
        (slot,), since_s = lost(), play.loop.time()
        while lost():
            await asyncio.sleep(0.5)
        assert 5 < play.loop.time() - since_s < LIFETIME_S / 2
        while slot not in {order.request.slot for order in play.live_in_journal()}:
            await asyncio.sleep(0.5)
        assert play.loop.time() - since_s < LIFETIME_S / 2
        await life

    play.run(scene())
