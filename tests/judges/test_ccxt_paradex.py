"""ccxt and ccxt.pro trade against the simulated Paradex unchanged: only their URLs are set."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from engine.exchanges.paradex.keys import ACCOUNT, ETHEREUM_KEY, ethereum_address
from tests.judges.waiting import eventually
from tests.late import late
from tests.sim.served import Served, served, sim_spec

ccxt, ccxt_pro = late("ccxt"), late("ccxt.pro")

PERP = "SOL/USD:USDC"
ACCOUNTS = ("ccxt.reads", "ccxt.orders", "ccxt.taker", "ccxt.pro")


@pytest.fixture(scope="module")
def paradex() -> Iterator[Served]:
    with served(sim_spec(*ACCOUNTS, venue="paradex", speed="4")) as running:
        yield running


def options(paradex: Served, account: str) -> dict[str, Any]:
    keys = paradex.credentials[account]
    address = ethereum_address(int(keys[ETHEREUM_KEY], 16))
    return {"privateKey": keys[ETHEREUM_KEY], "walletAddress": address, "enableRateLimit": False}


def client(paradex: Served, account: str) -> Any:
    exchange = ccxt.paradex(options(paradex, account))
    exchange.urls["api"] = {"v1": f"{paradex.rest_url}/v1"}
    return exchange


def test_ccxt_reads_markets_book_and_prices(paradex: Served) -> None:
    exchange = client(paradex, "ccxt.reads")
    markets = exchange.load_markets()
    assert (markets[PERP]["precision"]["price"], markets[PERP]["precision"]["amount"]) == (0.001, 0.01)
    assert markets[PERP]["limits"]["cost"]["min"] == 10
    book = exchange.fetch_order_book(PERP)
    assert book["bids"][1][0] < book["bids"][0][0] < book["asks"][0][0]
    assert exchange.fetch_ticker(PERP)["last"] > 0
    assert eventually(lambda: exchange.fetch_trades(PERP))[0]["side"] in ("buy", "sell")
    assert eventually(lambda: exchange.fetch_ohlcv(PERP, "1m"))
    assert exchange.fetch_open_interest(PERP)["symbol"] == PERP
    assert exchange.fetch_funding_rate_history(PERP)
    assert exchange.fetch_status()["status"] == "ok"
    assert exchange.fetch_time() > 0


def test_ccxt_derives_its_key_is_let_in_and_sees_its_money(paradex: Served) -> None:
    exchange = client(paradex, "ccxt.reads")
    exchange.onboarding()
    assert exchange.retrieve_account()["address"] == paradex.credentials["ccxt.reads"][ACCOUNT]
    assert exchange.fetch_balance()["USDC"]["total"] == 100_000
    assert exchange.fetch_leverage(PERP)["longLeverage"] == 20


def test_ccxt_places_sees_and_cancels_orders(paradex: Served) -> None:
    exchange = client(paradex, "ccxt.orders")
    bid = exchange.fetch_order_book(PERP)["bids"][0][0]
    placed = exchange.create_order(PERP, "limit", "buy", 1, bid - 4, {"postOnly": True, "clientOrderId": "mine-1"})
    assert (placed["status"], placed["clientOrderId"]) == ("open", "mine-1")
    assert placed["info"]["status"] == "NEW"
    seen = eventually(lambda: [o for o in exchange.fetch_open_orders(PERP) if o["info"]["status"] == "OPEN"])
    assert [order["id"] for order in seen] == [placed["id"]]
    exchange.cancel_order(placed["id"], PERP)
    assert eventually(lambda: exchange.fetch_order(placed["id"], PERP)["status"] == "canceled")
    batch = exchange.create_orders(
        [
            {"symbol": PERP, "type": "limit", "side": "buy", "amount": 1, "price": bid - n, "params": {}}
            for n in (5, 6)
        ]
    )
    assert [order["status"] for order in batch] == ["open", "open"]
    exchange.cancel_all_orders(PERP)
    assert eventually(lambda: exchange.fetch_open_orders(PERP) == [])
    assert len(exchange.fetch_orders(PERP)) == 3


def test_ccxt_learns_of_a_refusal_only_afterwards(paradex: Served) -> None:
    exchange = client(paradex, "ccxt.orders")
    ask = exchange.fetch_order_book(PERP)["asks"][0][0]
    placed = exchange.create_order(PERP, "limit", "buy", 1, ask * 1.01, {"postOnly": True})
    assert placed["info"]["status"] == "NEW"
    ended = eventually(lambda: exchange.fetch_order(placed["id"], PERP)["info"]["cancel_reason"])
    assert ended == "POST_ONLY_WOULD_CROSS"
    too_much = exchange.create_order(PERP, "limit", "buy", 100_000, ask - 5)
    assert eventually(lambda: exchange.fetch_order(too_much["id"], PERP)["status"] == "rejected")


def test_ccxt_is_filled_as_taker_and_finds_its_trades(paradex: Served) -> None:
    exchange = client(paradex, "ccxt.taker")
    order = exchange.create_order(PERP, "market", "sell", 1)
    trade = eventually(lambda: exchange.fetch_my_trades(PERP))[0]
    assert (trade["order"], trade["takerOrMaker"], trade["fee"]["currency"]) == (order["id"], "taker", "USDC")
    assert exchange.fetch_order(order["id"], PERP)["status"] == "closed"
    (position,) = exchange.fetch_positions([PERP])
    assert (position["side"], float(position["contracts"])) == ("short", 1.0)
    exchange.create_order(PERP, "market", "buy", 1, None, {"reduceOnly": True})
    assert eventually(lambda: exchange.fetch_positions([PERP]) == [])


def test_ccxt_understands_the_errors(paradex: Served) -> None:
    exchange = client(paradex, "ccxt.orders")
    with pytest.raises(ccxt.InvalidOrder):
        exchange.fetch_order("123", PERP)
    exchange.options["authToken"] = "not.a.token"
    with pytest.raises(ccxt.AuthenticationError):
        exchange.fetch_order("123", PERP)


def test_ccxt_pro_watches_the_book_trades_and_its_own_orders(paradex: Served) -> None:
    async def watch() -> None:
        exchange = ccxt_pro.paradex(options(paradex, "ccxt.pro"))
        exchange.urls["api"] = {"v1": f"{paradex.rest_url}/v1", "ws": paradex.ws_url}
        try:
            book = await asyncio.wait_for(exchange.watch_order_book(PERP), 20)
            assert book["bids"][0][0] < book["asks"][0][0]
            assert (await asyncio.wait_for(exchange.watch_trades(PERP), 20))[0]["price"] > 0
            assert (await asyncio.wait_for(exchange.watch_ticker(PERP), 20))["last"] > 0
            watching = asyncio.create_task(exchange.watch_orders(PERP))
            for number in range(10):
                await exchange.create_order(PERP, "limit", "buy", 1, book["bids"][0][0] - 10 - number)
                with suppress(asyncio.TimeoutError):
                    orders = await asyncio.wait_for(asyncio.shield(watching), 2)
                    assert orders[-1]["status"] == "open"
                    return
            raise AssertionError("no own order was ever heard of")
        finally:
            await exchange.close()

    asyncio.run(watch())
