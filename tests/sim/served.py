"""A simulated venue served on a free loopback port from a thread, for clients that block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal

from engine.exchanges.interface import Credentials
from engine.model.value import Value
from engine.sim.machine import VenueMachine
from engine.sim.server import loopback_socket, serve, urls
from engine.sim.venues import account_credentials, build_machine
from engine.spec.types import SimSpec

FLEET = "judges"
BALANCES = {"USDC": Decimal(100_000), "SOL": Decimal(100), "ETH": Decimal(5), "BTC": Decimal(1)}


class Served(Value, frozen=True, kw_only=True):
    rest_url: str
    ws_url: str
    credentials: dict[str, Credentials]
    """By account name."""

    @property
    def accounts(self) -> dict[str, tuple[str, str]]:
        """(api key, api secret) by account name."""
        return {name: (keys["api_key"], keys["api_secret"]) for name, keys in self.credentials.items()}


def sim_spec(
    *accounts: str,
    venue: str = "backpack",
    speed: str = "1",
    seed: int = 1,
    taker_delay_ms: int = 100,
    balances: Mapping[str, Decimal] = BALANCES,
) -> SimSpec:
    return SimSpec(
        venue=venue,
        seed=seed,
        speed=Decimal(speed),
        latency_ms=0,
        taker_delay_ms=taker_delay_ms,
        recording=None,
        accounts={key: dict(balances) for key in accounts},
    )


@contextmanager
def served(spec: SimSpec) -> Iterator[Served]:
    """The spec's venue, until the block ends."""
    listener = loopback_socket()
    rest_url, ws_url = urls(listener)
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    def work(machine: VenueMachine) -> None:
        loop.run_until_complete(serve(machine, listener, ready=ready.set, stop=stop, linger_s=0))
        loop.close()

    thread = threading.Thread(target=work, args=(build_machine(spec, FLEET),))
    thread.start()
    try:
        assert ready.wait(10)
        keys = {name: account_credentials(spec.venue, FLEET, name) for name in spec.accounts}
        yield Served(rest_url=rest_url, ws_url=ws_url, credentials=keys)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        assert not thread.is_alive()
