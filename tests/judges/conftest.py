"""One lively simulated Backpack for all judges; every test has an account of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sim.served import Served, served, sim_spec

ACCOUNTS = ("sdk.spot", "sdk.perp", "sdk.async", "ccxt.spot", "ccxt.perp", "ccxt.pro", "ccxt.errors")


@pytest.fixture(scope="session")
def venue() -> Iterator[Served]:
    with served(sim_spec(*ACCOUNTS, speed="4", taker_delay_ms=20)) as running:
        yield running
