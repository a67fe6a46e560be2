"""Two bots with one key of Lighter: their numbers have no gap, and the venue refuses none of their orders."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from engine.host.nonces import KeyLease
from engine.model.events import SubmitRejected
from engine.model.order import OrderStatus, RejectReason, Side
from engine.sim.lighter.settings import LighterSettings
from engine.sim.network import VirtualNetwork
from engine.sim.venues import simulated_lighter
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import VirtualWorld
from tests.session.lighter_stage import ACCOUNT, FIRST_ID, FLEET, UNCOUNTED, Lossy, Trader, sim_spec
from tests.sim import served

EACH = 8
QUICK = LighterSettings(requests_per_minute=None, maker_delay_ms=5, taker_delay_ms=5, cancel_delay_ms=5)


def resting(venue: Lossy) -> set[int | None]:
    return {order.client_id for order in venue.machine.exchange.open_orders(ACCOUNT)}


async def place_all(trader: Trader, first_id: int) -> None:
    """One order after the other, each again as soon as it is told that it was not sent."""
    ids = count(first_id)
    for number in range(EACH):
        while True:
            client_id = next(ids)
            trader.submit(client_id, Side.BUY, 300_000 + number, post_only=True)
            await trader.until(lambda own=client_id: trader.states(own) or told_off(trader, own), "no answer")  # type: ignore[misc]
            if OrderStatus.RESTING in trader.states(client_id):
                break
            await trader.world.sleep(0.013)


def told_off(trader: Trader, client_id: int) -> bool:
    refused = [event for event in trader.heard(SubmitRejected) if event.client_id == client_id]
    assert all(event.reason is RejectReason.NOT_SENT for event in refused)
    return bool(refused)


def test_two_sessions_on_one_key_leave_no_gap_and_are_never_refused(tmp_path: Path) -> None:
    loop = VirtualLoop()

    async def whole() -> Lossy:
        venue = Lossy(simulated_lighter(sim_spec(), FLEET, settings=UNCOUNTED))
        network = VirtualNetwork(loop, {"lighter": venue}, seed=1)
        traders = [Trader(VirtualWorld(network, seed=number)) for number in (1, 2)]
        sessions = [await trader.open(KeyLease(tmp_path / "key")) for trader in traders]
        running = [asyncio.ensure_future(session.run()) for session in sessions]
        try:
            for trader in traders:
                await trader.ready()
            await asyncio.gather(*(place_all(t, FIRST_ID + n * 10_000) for n, t in enumerate(traders)))
        finally:
            for session in sessions:
                await session.close()
            await asyncio.gather(*running)
        return venue

    try:
        venue = loop.run_until_complete(whole())
    finally:
        loop.close()
    assert venue.refusals == []
    assert len(resting(venue)) == len(venue.taken) == 2 * EACH


@pytest.mark.parametrize("fate", ["lives", "dies"])
def test_two_processes_on_one_key_leave_no_gap_and_are_never_refused(tmp_path: Path, fate: str) -> None:
    """The one that dies does so between the bytes of its last order and their answer, and holds the key then."""
    venue = Lossy(simulated_lighter(sim_spec("0"), served.FLEET, settings=QUICK))
    with served.serving(venue) as (rest_url, ws_url):

        def process(first_id: int, *more: str) -> subprocess.Popen[bytes]:
            arguments = (rest_url, ws_url, str(tmp_path / "key"), str(first_id), str(EACH), *more)
            return subprocess.Popen([sys.executable, "-m", "tests.session.lighter_process", *arguments])

        one = process(FIRST_ID, *(["die"] if fate == "dies" else []))
        other = process(FIRST_ID + 10_000)
        codes = [running.wait(90) for running in (one, other)]
    assert codes == [-signal.SIGKILL if fate == "dies" else 0, 0]
    assert venue.refusals == []
    mine = {FIRST_ID + number for number in range(EACH)}
    others = {FIRST_ID + 10_000 + number for number in range(EACH)}
    assert others <= resting(venue) <= mine | others
    assert len(resting(venue)) == len(venue.taken) >= 2 * EACH - 1
