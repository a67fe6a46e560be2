"""Paradex's official SDK trades against the simulated venue unchanged: only its URL is set.

paradex-py needs starknet-crypto-py, which exists as a wheel for Python 3.10 alone, where botctl does not run. So it
is a process of its own, in an environment that `make test` makes below `.venv` where that Python is present.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.exchanges.paradex.keys import ETHEREUM_KEY, ethereum_address
from tests.sim.served import served, sim_spec

SDK = Path(sys.prefix) / "paradex-py" / "bin" / "python"
ACCOUNT, MARKET = "sdk", "SOL-USD-PERP"

pytestmark = pytest.mark.skipif(
    not SDK.exists(), reason="paradex-py, for which Python 3.10 is needed, is not installed"
)


@pytest.fixture(scope="module")
def seen() -> Any:
    """What the SDK saw in one session."""
    with served(sim_spec(ACCOUNT, venue="paradex", speed="4")) as venue:
        key = venue.credentials[ACCOUNT][ETHEREUM_KEY]
        address = ethereum_address(int(key, 16))
        client = Path(__file__).with_name("paradex_py_client.py")
        command = [str(SDK), str(client), venue.rest_url, venue.ws_url, address, key, MARKET]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_it_derives_its_keys_is_let_in_and_reads_markets_book_and_balances(seen: Any) -> None:
    assert MARKET in seen["markets"]
    assert float(seen["spread"]) > 0
    assert float(seen["balances"]["USDC"]) > 0


def test_it_places_sees_and_cancels_an_order(seen: Any) -> None:
    assert seen["listed"] == [["rests", "OPEN", True]]
    assert seen["canceled"]


def test_it_is_filled_as_taker_and_sees_its_position(seen: Any) -> None:
    assert set(map(tuple, seen["filled"])) == {("takes", "BUY", "TAKER")}
    assert seen["positions"] == [[MARKET, "LONG"]]
