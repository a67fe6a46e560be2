"""ccxt and ccxt.pro trade against the simulated Aster unchanged: only their URLs are set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from engine.model.value import Value
from tests.judges.waiting import eventually
from tests.late import late
from tests.sim.served import Served, served, sim_spec

ccxt, ccxt_pro = late("ccxt"), late("ccxt.pro")

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
BALANCES = {"USDT": Decimal(100_000), "BTC": Decimal(1)}
ACCOUNTS = ("trade", "fill", "pro", "errors")


class Apis(Value, frozen=True, kw_only=True):
    perp: Served
    spot: Served


@pytest.fixture(scope="module")
def apis() -> Iterator[Apis]:
    """Each API is a venue of its own; an account has the same wallet on both."""
    perp = sim_spec(*ACCOUNTS, venue="aster", speed="4", balances=BALANCES)
    spot = sim_spec(*ACCOUNTS, venue="aster-spot", speed="4", balances=BALANCES)
    with served(perp) as first, served(spot) as second:
        yield Apis(perp=first, spot=second)


def client(apis: Apis, account: str, library: Any = ccxt) -> Any:
    keys = apis.perp.credentials[account]
    exchange = library.aster(
        {"privateKey": keys["private_key"], "walletAddress": keys["user"], "enableRateLimit": False}
    )
    for name in ("Public", "Private"):
        exchange.urls["api"][f"fapi{name}"] = apis.perp.rest_url + "/fapi"
        exchange.urls["api"][f"sapi{name}"] = apis.spot.rest_url + "/api"
    if library is ccxt_pro:
        # ccxt tells the two APIs' frames apart by their host's name, which a user name can carry as well.
        for kind, name, api in (("swap", "fstream", apis.perp), ("spot", "sstream", apis.spot)):
            ws_url = api.ws_url.replace("//", f"//{name}@", 1)
            exchange.urls["api"]["ws"]["public"][kind] = ws_url + "stream"
            exchange.urls["api"]["ws"]["private"][kind] = ws_url + "ws"
    return exchange


def test_ccxt_reads_markets_book_and_prices(apis: Apis) -> None:
    exchange = client(apis, "trade")
    markets = exchange.load_markets()
    assert (markets[PERP]["precision"]["price"], markets[PERP]["precision"]["amount"]) == (0.1, 0.001)
    assert markets[SPOT]["limits"]["cost"]["min"] == markets[PERP]["limits"]["cost"]["min"] == 5
    for symbol in (SPOT, PERP):
        book = exchange.fetch_order_book(symbol)
        assert book["bids"][1][0] < book["bids"][0][0] < book["asks"][0][0]
        assert exchange.fetch_ticker(symbol)["last"] > 0
        assert eventually(lambda symbol=symbol: exchange.fetch_trades(symbol))[0]["side"] in ("buy", "sell")
        assert eventually(lambda symbol=symbol: exchange.fetch_ohlcv(symbol, "1m"))
    assert exchange.fetch_funding_rate(PERP)["markPrice"] > 0
    assert exchange.fetch_time() > 0


@pytest.mark.parametrize(("symbol", "kind"), [(PERP, "swap"), (SPOT, "spot")])
def test_ccxt_places_sees_and_cancels_orders(apis: Apis, symbol: str, kind: str) -> None:
    exchange = client(apis, "trade")
    bid = exchange.fetch_order_book(symbol)["bids"][0][0]
    assert exchange.fetch_balance({"type": kind})["USDT"]["free"] == 100_000
    placed = exchange.create_order(
        symbol, "limit", "buy", 0.01, bid - 500, {"postOnly": True, "clientOrderId": f"judge-{kind}"}
    )
    assert (placed["status"], placed["clientOrderId"]) == ("open", f"judge-{kind}")
    assert [order["id"] for order in exchange.fetch_open_orders(symbol)] == [placed["id"]]
    assert exchange.fetch_order(placed["id"], symbol)["price"] == placed["price"]
    assert exchange.cancel_order(placed["id"], symbol)["status"] == "canceled"
    exchange.create_order(symbol, "limit", "buy", 0.01, bid - 600)
    exchange.cancel_all_orders(symbol)
    assert exchange.fetch_open_orders(symbol) == []
    assert len(exchange.fetch_orders(symbol)) == 2


def test_what_ccxt_leaves_resting_is_cancelled_at_the_end_of_its_countdown(apis: Apis) -> None:
    exchange = client(apis, "trade")
    bid = exchange.fetch_order_book(PERP)["bids"][0][0]
    placed = exchange.create_order(PERP, "limit", "buy", 0.01, bid - 500)
    exchange.fapiPrivatePostV3CountdownCancelAll({"symbol": "BTCUSDT", "countdownTime": 300})
    assert eventually(lambda: exchange.fetch_order(placed["id"], PERP)["status"] == "canceled")


def test_ccxt_places_and_cancels_many(apis: Apis) -> None:
    exchange = client(apis, "trade")
    bid = exchange.fetch_order_book(PERP)["bids"][0][0]
    orders = [
        {"symbol": PERP, "type": "limit", "side": "buy", "amount": 0.01, "price": bid - 100 * n, "params": {}}
        for n in (5, 6)
    ]
    placed = exchange.create_orders(orders)
    assert [order["status"] for order in placed] == ["open", "open"]
    canceled = exchange.cancel_orders([order["id"] for order in placed], PERP)
    assert [order["status"] for order in canceled] == ["canceled", "canceled"]


def test_ccxt_is_filled_as_taker_and_finds_its_trades(apis: Apis) -> None:
    exchange = client(apis, "fill")
    exchange.load_markets()
    placed = exchange.create_order(PERP, "market", "sell", 0.01, None, {"newOrderRespType": "RESULT"})
    assert (placed["status"], placed["filled"]) == ("closed", 0.01)
    trades = exchange.fetch_my_trades(PERP)
    assert sum(trade["amount"] for trade in trades if trade["order"] == placed["id"]) == pytest.approx(0.01)
    assert trades[0]["fee"]["currency"] == "USDT"
    position = exchange.fetch_positions([PERP])[0]
    assert float(position["info"]["positionAmt"]) == -0.01
    exchange.create_order(PERP, "market", "buy", 0.01, None, {"reduceOnly": True})
    assert exchange.fetch_positions([PERP]) == []
    bought = exchange.create_order(SPOT, "market", "buy", 0.001)
    assert exchange.fetch_order(bought["id"], SPOT)["status"] == "closed"


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda e, bid: e.create_order(PERP, "limit", "buy", 0.0001, bid), "InvalidOrder"),
        (lambda e, bid: e.create_order(PERP, "limit", "buy", 0.01, bid * 1.2), "InvalidOrder"),
        (lambda e, bid: e.create_order(PERP, "limit", "buy", 1_000, bid * 0.9), "InsufficientFunds"),
        (lambda e, bid: e.cancel_order("123", PERP), "OrderNotFound"),
        (lambda e, bid: e.fetch_order("123", PERP), "OrderNotFound"),
    ],
)
def test_ccxt_understands_the_errors(apis: Apis, wrong: Callable[[Any, float], object], error: str) -> None:
    exchange = client(apis, "errors")
    bid = exchange.fetch_order_book(PERP)["bids"][0][0]
    with pytest.raises(getattr(ccxt, error)):
        wrong(exchange, bid)


def test_another_key_is_not_accepted(apis: Apis) -> None:
    exchange = client(apis, "errors")
    exchange.privateKey = "0x" + "11" * 32
    with pytest.raises(ccxt.BaseError):
        exchange.fetch_balance({"type": "swap"})


@pytest.mark.parametrize("symbol", [PERP, SPOT])
def test_ccxt_pro_watches_the_book_trades_and_its_own_orders(apis: Apis, symbol: str) -> None:
    async def watch() -> None:
        exchange = client(apis, "pro", ccxt_pro)
        try:
            book = await asyncio.wait_for(exchange.watch_order_book(symbol), 20)
            assert book["bids"][0][0] < book["asks"][0][0]
            assert (await asyncio.wait_for(exchange.watch_trades(symbol), 20))[0]["price"] > 0
            assert (await asyncio.wait_for(exchange.watch_ticker(symbol), 20))["last"] > 0
            watching = asyncio.create_task(exchange.watch_orders(symbol))
            await asyncio.wait_for(exchange.watch_bids_asks([symbol]), 20)
            await exchange.create_order(symbol, "limit", "buy", 0.01, book["bids"][0][0] - 1_000)
            orders = await asyncio.wait_for(watching, 20)
            assert orders[-1]["status"] == "open"
        finally:
            await exchange.close()

    asyncio.run(watch())
