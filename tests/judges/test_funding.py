"""Foreign clients read what the simulated venues paid in funding, and find what the venue itself knows it paid."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.sim.market_machine import MarketMachine
from engine.sim.venues import account_credentials, bare_machine
from tests.judges import test_ccxt, test_ccxt_aster, test_ccxt_paradex
from tests.judges.waiting import eventually
from tests.late import late
from tests.sim.served import FLEET, Served, served, serving, sim_spec

bpx = late("bpx.account")

WHO = "judge"
PAYING = {"funding_interval_s": 1, "funding_rate": Decimal("0.0001")}


@contextmanager
def paying(venue: str) -> Iterator[tuple[Served, MarketMachine]]:
    """A venue whose perps pay every second."""
    balances = {"USDC": Decimal(100_000), "USDT": Decimal(100_000)}
    spec = replace(sim_spec(WHO, venue=venue, speed="4", balances=balances), **PAYING)
    machine = bare_machine(spec, FLEET)
    with serving(machine) as (rest_url, ws_url):
        keys = {WHO: account_credentials(venue, FLEET, WHO)}
        yield Served(rest_url=rest_url, ws_url=ws_url, credentials=keys), machine


def known(machine: MarketMachine, symbol: str) -> Decimal:
    """What the venue paid the account until now, by its own books."""
    return machine.exchange.account(WHO).positions[symbol].funding


CCXT: dict[str, tuple[Callable[[Served, str], Any], str, str]] = {
    "backpack": (test_ccxt.client, test_ccxt.PERP, "SOL_USDC_PERP"),
    "paradex": (test_ccxt_paradex.client, test_ccxt_paradex.PERP, "SOL-USD-PERP"),
}


@pytest.mark.parametrize("venue", CCXT)
def test_ccxt_reads_a_long_position_paying(venue: str) -> None:
    client, symbol, market = CCXT[venue]
    with paying(venue) as (there, machine):
        pays_and_reads(client(there, WHO), machine, symbol, market, 1)


def test_ccxt_reads_a_long_position_paying_on_aster_whose_client_asks_the_spot_venue_too() -> None:
    with paying("aster") as (perp, machine), served(sim_spec(WHO, venue="aster-spot")) as spot:
        exchange = test_ccxt_aster.client(test_ccxt_aster.Apis(perp=perp, spot=spot), WHO)
        pays_and_reads(exchange, machine, test_ccxt_aster.PERP, "BTCUSDT", 0.01)


def pays_and_reads(exchange: Any, machine: MarketMachine, symbol: str, market: str, size: float) -> None:
    """Buy, hold for a while, sell; what the client reads is what the venue knows it paid."""
    exchange.create_order(symbol, "market", "buy", size)
    eventually(lambda: len(exchange.fetch_funding_history(symbol)) >= 2)
    exchange.create_order(symbol, "market", "sell", size, None, {"reduceOnly": True})
    eventually(lambda: not machine.exchange.account(WHO).lots(market))
    rows = exchange.fetch_funding_history(symbol)
    assert all(row["symbol"] == symbol and row["amount"] < 0 for row in rows)
    assert sum(row["amount"] for row in rows) == pytest.approx(float(known(machine, market)))


def test_the_backpack_sdk_reads_a_short_position_receiving() -> None:
    with paying("backpack") as (there, machine):
        mine = bpx.Account(*there.accounts[WHO])
        mine.BPX_API_URL = f"{there.rest_url}/"
        mine.execute_order("SOL_USDC_PERP", "Ask", "Market", quantity="1")
        eventually(lambda: len(mine.get_funding_payments()) >= 2)
        mine.execute_order("SOL_USDC_PERP", "Bid", "Market", quantity="1", reduce_only=True)
        rows = mine.get_funding_payments(symbol="SOL_USDC_PERP")
        assert all(row["fundingRate"] == "0.0001" and Decimal(row["quantity"]) > 0 for row in rows)
        assert sum(Decimal(row["quantity"]) for row in rows) == known(machine, "SOL_USDC_PERP")


def test_the_lighter_sdk_reads_a_long_position_paying() -> None:
    sdk = pytest.importorskip("tests.judges.test_lighter_sdk", reason="lighter-sdk has no wheel for this machine")

    async def look(one: Any, machine: MarketMachine) -> None:
        _, answer, error = await one.signer.create_market_order(
            market_index=0, client_order_index=3, base_amount=1_000, avg_execution_price=1_000_000, is_ask=False
        )
        assert error is None and answer.code == 200
        rows = await sdk.eventually(lambda: paid(one))
        assert {row.position_side for row in rows} == {"long"} and {row.position_size for row in rows} == {"0.1000"}
        assert all(Decimal(row.change) < 0 for row in rows)
        assert known(machine, "ETH") <= sum(Decimal(row.change) for row in rows) < 0

    async def paid(one: Any) -> Any:
        found = await one.accounts.position_funding(one.account, 100, authorization=one.token(), market_ids=[0])
        return found.position_fundings if len(found.position_fundings) >= 2 else None

    async def trade(venue: tuple[str, str], machine: MarketMachine) -> None:
        async with sdk.client(venue, WHO) as one:
            await look(one, machine)

    with paying("lighter") as (there, machine):
        asyncio.run(trade((there.rest_url, there.ws_url), machine))
