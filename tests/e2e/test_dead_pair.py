"""A hedging bot of which something is dead: one of its venues, or every process that looked after it.

Its venues are no programs of the fleet, so that either outlives the other: to the fleet they are testnets, with
keys in `.env`.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from engine.exchanges.registry import find_venue
from engine.host.accounts import simulated_seed
from engine.host.endpoints import read_sim_endpoint
from engine.host.holders import verified_holder
from engine.host.holds import HoldKind, read_hold
from engine.host.process import is_alive
from tests.e2e.botctl import BOTCTL, Botctl, until

pytestmark = pytest.mark.timeout(300)

VENUES = {"alpha": "backpack", "far": "paradex"}
"""By account."""
MARKET = "SOL_USDC_PERP"
PAIR = """\
metadata: {name: pair}
exchange:
  legs:
    maker: {account: alpha, market: SOL_USDC_PERP}
    hedge: {account: far, market: SOL-USD-PERP}
strategy:
  kind: maker_taker_hedge
  order_size: 1
  offset_ticks: 8
  max_unhedged: 20
risk: {max_position: 20}
"""
"""So far behind the touch that what rests is there to be found a moment later."""


class Abroad:
    """The fleet, and its venues in a workspace of their own; `close` leaves nothing of either."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="botctl abroad-"))
        self.fleet, self.venues = Botctl(self.root / "fleet"), Botctl(self.root / "venues")
        self.simulators: dict[str, subprocess.Popen[bytes]] = {}
        self._id = f"pair-{secrets.token_hex(4)}"

    def open(self) -> None:
        for place in (self.fleet, self.venues):
            (place.root / "bots").mkdir(parents=True)
        accounts = "".join(
            f"  {account}: {{venue: {venue}, environment: sim, balances: {{USDC: 100000}}}}\n"
            for account, venue in VENUES.items()
        )
        self.venues.write(
            "bots/fleet.yaml", f"id: {self._id}\naccounts:\n{accounts}sim:\n" + self._each("speed: 4")
        )
        for venue in VENUES.values():
            self.simulators[venue] = subprocess.Popen(
                [str(BOTCTL), "sim", venue],
                cwd=self.venues.root,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        until(lambda: all((self.venues.workspace.sim / f"{venue}.json").exists() for venue in VENUES.values()))
        self._declare()

    def close(self) -> None:
        subprocess.run([str(BOTCTL), "down"], cwd=self.fleet.root, capture_output=True, timeout=180, check=False)
        for simulator in self.simulators.values():
            simulator.kill()
            simulator.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def resting(self) -> int:
        """How many orders of the bot's maker leg the venue has."""
        return len(self.venues.orders_at_venue("alpha", MARKET))

    def trade(self) -> None:
        """Apply, and wait until the bot quotes."""
        self.fleet("apply", "--yes")
        self.fleet("status", "--wait", "--timeout", "90")
        until(self.resting)

    def kill_everything(self) -> None:
        """supervisord and the engine in one instant, with orders at the venue; frozen first, so that the engine
        cannot hear of it."""
        holder = verified_holder(self.fleet.workspace.locks / "pair")
        assert holder is not None
        pids = [int((self.fleet.workspace.state / "supervisord.pid").read_text()), holder.pid]

        def is_frozen_with_orders() -> bool:
            _send(pids, signal.SIGSTOP)
            if self.resting():
                return True
            _send(pids, signal.SIGCONT)
            return False

        until(is_frozen_with_orders)
        _send(pids, signal.SIGKILL)
        until(lambda: not any(is_alive(pid) for pid in pids))

    def _each(self, settings: str) -> str:
        return "".join(f"  {venue}: {{seed: 7, {settings}}}\n" for venue in VENUES.values())

    def _declare(self) -> None:
        venues, accounts, keys = "", "", []
        for account, venue in VENUES.items():
            at = read_sim_endpoint(self.venues.workspace, venue)
            urls = f'{{rest_url: "{at.rest_url}", ws_url: "{at.ws_url}"}}'
            venues += f"  {venue}: {{environments: {{testnet: {urls}}}}}\n"
            known = find_venue(venue).throwaway_credentials(simulated_seed(self._id, account))
            names = {field: f"{account}_{field}".upper() for field in known}
            listed = "".join(f"      {field}: ${{{name}}}\n" for field, name in names.items())
            accounts += f"  {account}:\n    venue: {venue}\n    environment: testnet\n    credentials:\n{listed}"
            keys += [f"{names[field]}={value}" for field, value in known.items()]
        sentinel = "sentinel: {grace_s: 600}\n"  # It would cancel what a test wants to find.
        fleet = f"id: {self._id}\nvenues:\n{venues}accounts:\n{accounts}{sentinel}"
        self.fleet.write("bots/fleet.yaml", fleet)
        self.fleet.write("bots/pair.yaml", PAIR)
        self.fleet.write(".env", "\n".join(keys) + "\n")
        (self.fleet.root / ".env").chmod(0o600)


def _send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


@pytest.fixture
def abroad() -> Iterator[Abroad]:
    place = Abroad()
    try:
        place.open()
        yield place
    finally:
        place.close()


def test_a_halt_cancels_at_the_living_venue_and_stays_pending_for_the_dead_one(abroad: Abroad) -> None:
    abroad.trade()
    abroad.simulators["paradex"].kill()
    abroad.simulators["paradex"].wait()
    words = abroad.fleet("halt", "--timeout", "25", code=1)
    assert "pair pending after" in words, "it was tried again"
    assert "still pending: pair: " in words and "botctl halt" in words
    assert abroad.resting() == 0
    hold = read_hold(abroad.fleet.workspace, "pair")
    assert hold is not None and hold.kind is HoldKind.HALT
    assert "still pending: pair: " in abroad.fleet("halt", "--timeout", "5", code=1), "and is no less pending later"


def test_an_apply_that_retires_a_dead_pair_cancels_what_it_left(abroad: Abroad) -> None:
    abroad.trade()
    abroad.kill_everything()
    (abroad.fleet.root / "bots" / "pair.yaml").unlink()
    assert "cancelling what is left of pair" in abroad.fleet("apply", "--yes", "--accept", "empty")
    assert abroad.resting() == 0
    assert abroad.fleet.status() == {}
