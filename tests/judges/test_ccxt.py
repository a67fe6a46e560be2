"""ccxt and ccxt.pro trade against the simulated Backpack unchanged: only their URLs are set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.judges.waiting import eventually
from tests.late import late
from tests.sim.served import Served

ccxt, ccxt_pro = late("ccxt"), late("ccxt.pro")

SPOT, PERP = "SOL/USDC", "SOL/USDC:USDC"


def options(venue: Served, account: str) -> dict[str, Any]:
    key, secret = venue.accounts[account]
    return {"apiKey": key, "secret": secret, "enableRateLimit": False}


def client(venue: Served, account: str) -> Any:
    exchange = ccxt.backpack(options(venue, account))
    exchange.urls["api"] = {"public": venue.rest_url, "private": venue.rest_url}
    return exchange


def pro_client(venue: Served, account: str) -> Any:
    exchange = ccxt_pro.backpack(options(venue, account))
    exchange.urls["api"] = {
        "public": venue.rest_url,
        "private": venue.rest_url,
        "ws": {"public": venue.ws_url, "private": venue.ws_url},
    }
    return exchange


def test_ccxt_reads_markets_book_and_prices(venue: Served):
    exchange = client(venue, "ccxt.spot")
    markets = exchange.load_markets()
    assert (markets[SPOT]["precision"]["price"], markets[SPOT]["precision"]["amount"]) == (0.01, 0.01)
    assert markets[PERP]["swap"]
    assert "PEPE/USDC" in markets
    book = exchange.fetch_order_book(SPOT)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert book["bids"][0][0] > book["bids"][1][0]
    assert exchange.fetch_ticker(SPOT)["last"] > 0
    assert eventually(lambda: exchange.fetch_trades(SPOT))[0]["side"] in ("buy", "sell")
    assert eventually(lambda: exchange.fetch_ohlcv(SPOT, "1m"))
    assert exchange.fetch_funding_rate(PERP)["markPrice"] > 0
    assert exchange.fetch_open_interest(PERP)["symbol"] == PERP
    assert exchange.fetch_funding_rate_history(PERP)
    assert exchange.fetch_status()["status"] == "ok"
    assert exchange.fetch_time() > 0
    assert "USDC" in exchange.fetch_currencies()


def test_ccxt_places_sees_and_cancels_orders(venue: Served):
    exchange = client(venue, "ccxt.spot")
    bid = exchange.fetch_order_book(SPOT)["bids"][0][0]
    assert exchange.fetch_balance()["USDC"]["free"] == 100_000
    placed = exchange.create_order(SPOT, "limit", "buy", 1, bid - 4, {"postOnly": True, "clientOrderId": 12})
    assert (placed["status"], placed["clientOrderId"]) == ("open", "12")
    assert [order["id"] for order in exchange.fetch_open_orders(SPOT)] == [placed["id"]]
    assert exchange.fetch_open_order(placed["id"], SPOT)["price"] == placed["price"]
    assert exchange.cancel_order(placed["id"], SPOT)["status"] == "canceled"
    batch = exchange.create_orders(
        [
            {"symbol": SPOT, "type": "limit", "side": "buy", "amount": 1, "price": bid - n, "params": {}}
            for n in (5, 6)
        ]
    )
    assert [order["status"] for order in batch] == ["open", "open"]
    assert len(exchange.cancel_all_orders(SPOT)) == 2
    assert exchange.fetch_open_orders(SPOT) == []
    assert len(exchange.fetch_orders(SPOT)) == 3


def test_ccxt_is_filled_as_taker_and_finds_its_trades(venue: Served):
    exchange = client(venue, "ccxt.perp")
    order = exchange.create_order(PERP, "market", "sell", 1)
    assert (order["status"], order["filled"]) == ("closed", 1.0)
    trade = exchange.fetch_my_trades(PERP)[0]
    assert (trade["order"], trade["takerOrMaker"], trade["fee"]["currency"]) == (order["id"], "taker", "USDC")
    position = exchange.fetch_positions([PERP])[0]
    assert (position["side"], float(position["contracts"])) == ("short", 1.0)
    closed = exchange.create_order(PERP, "market", "buy", 1, None, {"reduceOnly": True})
    assert closed["status"] == "closed"
    assert exchange.fetch_positions([PERP]) == []


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda e, bid: e.create_order(SPOT, "limit", "buy", 1, bid * 1.02, {"postOnly": True}), "InvalidOrder"),
        (lambda e, bid: e.create_order(SPOT, "limit", "buy", 1, bid * 0.5), "InvalidOrder"),
        (lambda e, bid: e.create_order(SPOT, "limit", "buy", 100_000, bid), "InsufficientFunds"),
        (lambda e, bid: e.fetch_open_order("123", SPOT), "ExchangeNotAvailable"),
    ],
)
def test_ccxt_understands_the_errors(venue: Served, wrong: Callable[[Any, float], object], error: str):
    exchange = client(venue, "ccxt.errors")
    bid = exchange.fetch_order_book(SPOT)["bids"][0][0]
    with pytest.raises(getattr(ccxt, error)):
        wrong(exchange, bid)


def test_ccxt_pro_watches_the_book_trades_and_its_own_orders(venue: Served):
    async def watch() -> None:
        exchange = pro_client(venue, "ccxt.pro")
        try:
            book = await asyncio.wait_for(exchange.watch_order_book(SPOT), 20)
            assert book["bids"][0][0] < book["asks"][0][0]
            assert (await asyncio.wait_for(exchange.watch_trades(SPOT), 20))[0]["price"] > 0
            assert (await asyncio.wait_for(exchange.watch_ticker(SPOT), 20))["last"] > 0
            watching = asyncio.create_task(exchange.watch_orders(SPOT))
            await asyncio.wait_for(exchange.watch_bids_asks([SPOT]), 20)
            await exchange.create_order(SPOT, "limit", "buy", 1, book["bids"][0][0] - 10)
            orders = await asyncio.wait_for(watching, 20)
            assert orders[-1]["status"] == "open"
        finally:
            await exchange.close()

    asyncio.run(watch())
