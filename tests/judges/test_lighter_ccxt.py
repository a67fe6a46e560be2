"""ccxt and ccxt.pro on the simulated Lighter, unchanged: only their URLs and the signer's path are set.

ccxt 4.5.90 declares the native signer's `SignCreateOrder` with 17 arguments; the one of lighter-sdk 1.1.8 takes 19.
So with that library ccxt reads, watches and cancels, and the orders it looks at are placed by our own codec.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from engine.exchanges.interface import Codec, Context, Endpoints
from engine.exchanges.lighter import native
from engine.exchanges.lighter.venue import VENUE
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.model.commands import SubmitOrder
from engine.model.order import ApprovedOrder, OrderRequest, Side, TimeInForce
from engine.sim.lighter.settings import LighterSettings
from engine.sim.venues import account_credentials, simulated_lighter
from engine.spec.types import SimSpec
from tests.judges.waiting import eventually
from tests.late import late
from tests.sim.served import FLEET, serving

ccxt, ccxt_pro = late("ccxt"), late("ccxt.pro")

LIBRARY = native.library_file()
pytestmark = pytest.mark.skipif(LIBRARY is None, reason="lighter-sdk has no wheel for this machine")
PERP = "ETH/USDC:USDC"
SETTINGS = LighterSettings(taker_delay_ms=30, maker_delay_ms=20, cancel_delay_ms=20, requests_per_minute=None)


@pytest.fixture(scope="module")
def venue() -> Iterator[tuple[str, str]]:
    spec = SimSpec(
        venue="lighter",
        seed=1,
        speed=Decimal(4),
        latency_ms=0,
        taker_delay_ms=30,
        recording=None,
        accounts={name: {"USDC": Decimal(100_000)} for name in ("reader", "trader", "pro")},
    )
    with serving(simulated_lighter(spec, FLEET, settings=SETTINGS)) as urls:
        yield urls


class Hands:
    """Our own codec over plain HTTP: what ccxt cannot sign."""

    def __init__(self, rest_url: str, name: str) -> None:
        self._url = rest_url
        self._codec = self._made(account_credentials("lighter", FLEET, name))

    def place(self, client_id: int, ticks: int, side: Side = Side.BUY, **flags: Any) -> None:
        source = self._codec.nonce_source
        assert source is not None
        now_ns = VENUE.decode_server_time(self._send(VENUE.server_time_request()))
        nonce = source.decode(self._send(source.request(Context(now_ns=now_ns))))
        order = OrderRequest(leg="x", client_id=client_id, slot="x", side=side, ticks=ticks, lots=1_000, **flags)
        command = SubmitOrder(leg="x", order=ApprovedOrder(request=order))
        reply = self._send(self._codec.encode(command, Context(now_ns=now_ns, nonce=nonce)))
        assert reply.status == 200, reply.body

    def _made(self, credentials: Any) -> Codec:
        instruments = VENUE.decode_instruments(self._send(VENUE.instruments_request()))
        eth = next(one for one in instruments if one.symbol == "ETH")
        endpoints = Endpoints(rest_url=self._url, ws_url="")
        return VENUE.codec(leg="x", instrument=eth, credentials=credentials, endpoints=endpoints)

    def _send(self, request: HttpRequest) -> HttpResponse:
        answer = httpx.request(
            request.method, self._url + request.target, headers=dict(request.headers), content=request.body
        )
        return HttpResponse(status=answer.status_code, body=answer.content)


def configured(made: Any, venue: tuple[str, str], name: str) -> tuple[Any, tuple[int, str, str, str]]:
    """Addresses, the account's numbers and the signer's library; and what `load_account` wants."""
    keys = account_credentials("lighter", FLEET, name)
    account, index = keys["account_index"], keys["api_key_index"]
    rest_url, ws_url = venue
    made.urls["api"] = {"root": rest_url, "public": rest_url, "private": rest_url, "ws": ws_url}
    made.options |= {
        "accountIndex": int(account),
        "apiKeyIndex": int(index),
        "libraryPath": str(LIBRARY),
        "builderFee": False,
    }
    made.init_auth_object(account, index)
    return made, (304, keys["api_private_key"], index, account)


def client(venue: tuple[str, str], name: str) -> Any:
    made, key = configured(ccxt.lighter({"enableRateLimit": False}), venue, name)
    made.load_account(*key)
    return made


def test_ccxt_reads_markets_book_and_prices(venue: tuple[str, str]) -> None:
    exchange = client(venue, "reader")
    market = exchange.load_markets()[PERP]
    assert (market["precision"]["price"], market["precision"]["amount"], market["swap"]) == (0.01, 0.0001, True)
    book = exchange.fetch_order_book(PERP)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert exchange.fetch_ticker(PERP)["last"] > 0
    assert exchange.fetch_tickers([PERP])[PERP]["last"] > 0
    assert eventually(lambda: exchange.fetch_ohlcv(PERP, "1m"))
    assert exchange.fetch_funding_rates([PERP])[PERP]["symbol"] == PERP
    assert exchange.fetch_status()["status"] == "ok"
    assert exchange.fetch_time() > 0
    assert "USDC" in exchange.fetch_currencies()


def test_ccxt_sees_an_order_and_cancels_it(venue: tuple[str, str]) -> None:
    exchange = client(venue, "trader")
    exchange.load_markets()
    bid = exchange.fetch_order_book(PERP)["bids"][0][0]
    Hands(venue[0], "trader").place(77, round(bid * 100) - 3_000, post_only=True)
    (order,) = eventually(lambda: exchange.fetch_open_orders(PERP))
    assert (order["clientOrderId"], order["status"], order["side"]) == ("77", "open", "buy")
    assert (order["amount"], order["filled"], order["postOnly"]) == (0.1, 0.0, True)
    exchange.cancel_order(order["id"], PERP)
    closed = eventually(lambda: exchange.fetch_closed_orders(PERP))
    assert (closed[0]["id"], closed[0]["status"]) == (order["id"], "canceled")


def test_ccxt_sees_a_position_its_trade_and_the_balance(venue: tuple[str, str]) -> None:
    exchange = client(venue, "trader")
    exchange.load_markets()
    ask = exchange.fetch_order_book(PERP)["asks"][0][0]
    Hands(venue[0], "trader").place(78, round(ask * 100) + 3_000, time_in_force=TimeInForce.IOC)
    position = eventually(lambda: [held for held in exchange.fetch_positions([PERP]) if held["contracts"]])[0]
    assert (position["side"], position["contracts"], position["symbol"]) == ("long", 0.1, PERP)
    trade = exchange.fetch_my_trades(PERP)[-1]
    assert (trade["symbol"], trade["amount"] > 0) == (PERP, True)
    assert exchange.fetch_balance({"type": "swap"})["USDC"]["total"] > 0


def test_ccxt_pro_watches_the_book_trades_and_its_own_orders(venue: tuple[str, str]) -> None:
    async def watch() -> None:
        exchange, key = configured(ccxt_pro.lighter({"enableRateLimit": False}), venue, "pro")
        try:
            await exchange.load_account(*key)
            book = await asyncio.wait_for(exchange.watch_order_book(PERP), 20)
            assert book["bids"][0][0] < book["asks"][0][0]
            assert (await asyncio.wait_for(exchange.watch_ticker(PERP), 20))["last"] > 0
            assert (await asyncio.wait_for(exchange.watch_trades(PERP), 20))[0]["price"] > 0
            watching = asyncio.create_task(exchange.watch_orders(PERP))
            await asyncio.sleep(0.5)
            ticks = round(book["bids"][0][0] * 100) - 3_000
            await asyncio.to_thread(lambda: Hands(venue[0], "pro").place(5, ticks, post_only=True))
            orders = await asyncio.wait_for(watching, 20)
            assert (orders[-1]["status"], orders[-1]["clientOrderId"]) == ("open", "5")
        finally:
            await exchange.close()

    asyncio.run(watch())
