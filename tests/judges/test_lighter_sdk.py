"""lighter-sdk 1.1.8, the venue's own package with its native signer, trades on the simulated Lighter unchanged."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from engine.sim.lighter.settings import LighterSettings
from engine.sim.venues import account_credentials, simulated_lighter
from engine.spec.types import SimSpec
from tests.late import late
from tests.sim.served import FLEET, serving

if importlib.util.find_spec("lighter") is None:
    pytest.skip("lighter-sdk has no wheel for this machine", allow_module_level=True)
lighter = late("lighter")

ETH = 0
SETTINGS = LighterSettings(taker_delay_ms=30, maker_delay_ms=20, cancel_delay_ms=20, requests_per_minute=None)
ACCOUNTS = ("orders", "taker", "maker", "errors", "batch", "sockets", "schedule", "ccxt")


@pytest.fixture(scope="module")
def venue() -> Iterator[tuple[str, str]]:
    spec = SimSpec(
        venue="lighter",
        seed=1,
        speed=Decimal(4),
        latency_ms=0,
        taker_delay_ms=30,
        recording=None,
        accounts={name: {"USDC": Decimal(100_000)} for name in ACCOUNTS},
    )
    with serving(simulated_lighter(spec, FLEET, settings=SETTINGS)) as urls:
        yield urls


class Client:
    """The SDK's signer and readers for one account."""

    def __init__(self, rest_url: str, name: str, chain_id: int) -> None:
        keys = account_credentials("lighter", FLEET, name)
        self.account, self.key = int(keys["account_index"]), int(keys["api_key_index"])
        self.signer = lighter.SignerClient(
            url=rest_url,
            account_index=self.account,
            api_private_keys={self.key: keys["api_private_key"]},
            chain_id=chain_id,
        )
        self.api = lighter.ApiClient(configuration=lighter.Configuration(host=rest_url))
        self.orders, self.accounts = lighter.OrderApi(self.api), lighter.AccountApi(self.api)

    def token(self) -> str:
        token, error = self.signer.create_auth_token_with_expiry(api_key_index=self.key)
        assert error is None
        return str(token)

    async def create(self, **order: Any) -> Any:
        usual = {"market_index": ETH, "base_amount": 100, "is_ask": False, "order_type": 0, "time_in_force": 1}
        _, answer, error = await self.signer.create_order(**{**usual, **order})
        assert error is None, error
        assert answer.code == 200
        return answer

    async def active(self) -> list[Any]:
        found = await self.orders.account_active_orders(self.token(), account_index=self.account, market_id=ETH)
        return list(found.orders)

    async def inactive(self) -> list[Any]:
        found = await self.orders.account_inactive_orders(self.token(), account_index=self.account, limit=20)
        return list(found.orders)

    async def detail(self) -> Any:
        return (await self.accounts.account(by="index", value=str(self.account))).accounts[0]


@asynccontextmanager
async def client(venue: tuple[str, str], name: str, chain_id: int = 304) -> AsyncIterator[Client]:
    made = Client(venue[0], name, chain_id)
    try:
        yield made
    finally:
        await made.signer.close()
        await made.api.close()


async def eventually(look: Callable[[], Any], timeout_s: float = 15.0) -> Any:
    async with asyncio.timeout(timeout_s):
        while not (seen := await look()):
            await asyncio.sleep(0.05)
        return seen


async def best(one: Client) -> tuple[int, int]:
    """(bid, ask) in the venue's integers."""
    book = await one.orders.order_book_orders(market_id=ETH, limit=5)
    return tuple(int(Decimal(side[0].price) * 100) for side in (book.bids, book.asks))  # type: ignore[return-value]


def test_the_sdk_reads_markets_book_and_account(venue: tuple[str, str]) -> None:
    async def read() -> None:
        async with client(venue, "orders") as one:
            details = await one.orders.order_book_details()
            assert {"ETH", "BTC"} <= {market.symbol for market in details.order_book_details}
            assert len((await one.orders.order_books()).order_books) == len(details.order_book_details)
            bid, ask = await best(one)
            assert bid < ask
            assert (await one.detail()).collateral == "100000.000000"
            status = await lighter.RootApi(one.api).status()
            assert status.status == 200
            trades = await eventually(lambda: _trades(one))
            assert trades[0].market_id == ETH
            assert one.signer.check_client() is None
            by_address = await one.accounts.accounts_by_l1_address(l1_address=f"0x{one.account:040x}")
            assert by_address.sub_accounts[0].index == one.account

    async def _trades(one: Client) -> Any:
        return (await one.orders.recent_trades(market_id=ETH, limit=5)).trades

    asyncio.run(read())


def test_the_sdk_places_sees_and_cancels_an_order(venue: tuple[str, str]) -> None:
    async def trade() -> None:
        async with client(venue, "orders") as one:
            bid, _ = await best(one)
            answer = await one.create(client_order_index=1001, price=bid - 5_000, time_in_force=2)
            (order,) = await eventually(one.active)
            assert (order.client_order_index, order.status, order.time_in_force) == (1001, "open", "post-only")
            found = await lighter.TransactionApi(one.api).tx(by="hash", value=answer.tx_hash)
            assert (found.status, found.type) == (2, 14)
            _, answer, error = await one.signer.cancel_order(market_index=ETH, order_index=1001)
            assert error is None and answer.code == 200
            ended = await eventually(one.inactive)
            assert (ended[0].client_order_index, ended[0].status) == (1001, "canceled")

    asyncio.run(trade())


def test_a_crossing_post_only_of_the_sdk_is_accepted_and_then_canceled(venue: tuple[str, str]) -> None:
    async def trade() -> None:
        async with client(venue, "errors") as one:
            _, ask = await best(one)
            await one.create(client_order_index=2002, price=ask + 2_000, time_in_force=2)
            ended = await eventually(one.inactive)
            assert (ended[0].client_order_index, ended[0].status) == (2002, "canceled-post-only")

    asyncio.run(trade())


def test_the_sdk_opens_and_closes_a_position(venue: tuple[str, str]) -> None:
    async def trade() -> None:
        async with client(venue, "taker") as one:
            _, ask = await best(one)
            _, answer, error = await one.signer.create_market_order(
                market_index=ETH, client_order_index=3, base_amount=1_000, avg_execution_price=ask * 2, is_ask=False
            )
            assert error is None and answer.code == 200
            position = (await eventually(lambda: _held(one)))[0]
            assert (position.symbol, position.sign, Decimal(position.position)) == ("ETH", 1, Decimal("0.1"))
            mine = await one.orders.trades(
                sort_by="timestamp", limit=10, account_index=one.account, authorization=one.token()
            )
            assert mine.trades[0].bid_client_id == 3
            _, _, error = await one.signer.create_market_order(
                market_index=ETH,
                client_order_index=4,
                base_amount=5_000,
                avg_execution_price=1_000,
                is_ask=True,
                reduce_only=True,
            )
            assert error is None
            await eventually(lambda: _flat(one))

    async def _held(one: Client) -> Any:
        return [held for held in (await one.detail()).positions if Decimal(held.position)]

    async def _flat(one: Client) -> bool:
        return not await _held(one)

    asyncio.run(trade())


def test_a_resting_order_of_the_sdk_gets_filled_as_maker(venue: tuple[str, str]) -> None:
    async def trade() -> None:
        async with client(venue, "maker") as one:
            bid, _ = await best(one)
            await one.create(client_order_index=5, price=bid, base_amount=100)
            ended = (await eventually(one.inactive, timeout_s=60.0))[0]
            assert (ended.client_order_index, ended.status) == (5, "filled")
            assert Decimal(ended.filled_base_amount) == Decimal("0.01")
            mine = await one.orders.trades(
                sort_by="timestamp", limit=10, account_index=one.account, authorization=one.token()
            )
            bought = [trade for trade in mine.trades if trade.bid_client_id == 5]
            assert sum(Decimal(trade.size) for trade in bought) == Decimal("0.01")
            assert {trade.bid_account_id for trade in bought} == {one.account}
            detail = await one.detail()
            assert [Decimal(held.position) for held in detail.positions if held.symbol == "ETH"] == [
                Decimal("0.01")
            ]

    asyncio.run(trade())


def test_the_sdk_reads_candles_of_what_traded(venue: tuple[str, str]) -> None:
    async def read() -> None:
        async with client(venue, "orders") as one:
            candle = (await eventually(lambda: _candles(one)))[-1]
            assert candle.l <= candle.o <= candle.h and candle.l <= candle.c <= candle.h and candle.v > 0

    async def _candles(one: Client) -> Any:
        now_ms = time.time_ns() // 1_000_000
        found = await lighter.CandlestickApi(one.api).candles(ETH, "1m", now_ms - 3_600_000, now_ms, 60)
        return found.c

    asyncio.run(read())


def test_the_sdk_schedules_a_cancel_all_and_takes_it_back(venue: tuple[str, str]) -> None:
    async def schedule() -> None:
        async with client(venue, "schedule") as one:
            at_ms = time.time_ns() // 1_000_000 + 600_000
            _, _, error = await one.signer.cancel_all_orders(
                time_in_force=one.signer.CANCEL_ALL_TIF_SCHEDULED, timestamp_ms=at_ms
            )
            assert error is None
            await eventually(lambda: _set_for(one, at_ms))
            _, _, error = await one.signer.cancel_all_orders(
                time_in_force=one.signer.CANCEL_ALL_TIF_ABORT, timestamp_ms=0
            )
            assert error is None
            await eventually(lambda: _set_for(one, 0))
            too_soon = time.time_ns() // 1_000_000 + 60_000
            _, _, error = await one.signer.cancel_all_orders(
                time_in_force=one.signer.CANCEL_ALL_TIF_SCHEDULED, timestamp_ms=too_soon
            )
            assert "21713" in error or "time" in error.lower()

    async def _set_for(one: Client, at_ms: int) -> bool:
        return (await one.detail()).cancel_all_time == at_ms

    asyncio.run(schedule())


def test_the_sdk_sends_a_batch_and_cancels_all(venue: tuple[str, str]) -> None:
    async def trade() -> None:
        async with client(venue, "batch") as one:
            bid, _ = await best(one)
            nonce = (await lighter.TransactionApi(one.api).next_nonce(one.account, one.key)).nonce
            signed = [
                one.signer.sign_create_order(
                    ETH, 10 + n, 100, bid - 4_000 - n, False, 0, 2, nonce=nonce + n, api_key_index=one.key
                )
                for n in range(3)
            ]
            answer = await one.signer.send_tx_batch(
                tx_types=[s[0] for s in signed], tx_infos=[s[1] for s in signed]
            )
            assert answer.code == 200 and len(answer.tx_hash) == 3
            assert len(await eventually(lambda: _three(one))) == 3
            _, answer, error = await one.signer.cancel_all_orders(time_in_force=0, timestamp_ms=0)
            assert error is None and answer.code == 200
            await eventually(lambda: _none(one))

    async def _three(one: Client) -> Any:
        found = await one.active()
        return found if len(found) == 3 else None

    async def _none(one: Client) -> bool:
        return not await one.active()

    asyncio.run(trade())


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"price": 1}, "21706"),
        ({"base_amount": 3}, "21706"),
        ({"nonce": 99_999, "api_key_index": 4}, "invalid nonce"),
        ({"market_index": 77}, "21602"),
        ({"base_amount": 100_000_000, "time_in_force": 2}, "21739"),
    ],
)
def test_the_sdk_is_told_what_is_wrong(venue: tuple[str, str], order: dict[str, Any], words: str) -> None:
    async def trade() -> None:
        async with client(venue, "errors") as one:
            bid, _ = await best(one)
            usual = {
                "market_index": ETH,
                "client_order_index": 0,
                "base_amount": 100,
                "price": bid - 3_000,
                "is_ask": False,
                "order_type": 0,
                "time_in_force": 1,
            }
            _, answer, error = await one.signer.create_order(**{**usual, **order})
            assert answer is None
            assert words in error

    asyncio.run(trade())


def test_the_sdk_on_another_chain_has_no_valid_signature(venue: tuple[str, str]) -> None:
    async def trade() -> None:
        async with client(venue, "errors", chain_id=300) as one:
            bid, _ = await best(one)
            _, answer, error = await one.signer.create_order(ETH, 0, 100, bid - 3_000, False, 0, 1)
            assert answer is None
            assert "21120" in error

    asyncio.run(trade())


def test_the_sdks_socket_follows_book_and_account(venue: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    books: list[Any] = []
    accounts: list[Any] = []

    async def watch() -> None:
        async with client(venue, "sockets") as one:
            sockets = lighter.WsClient(
                ws_url=venue[1],
                order_book_ids=[ETH],
                account_ids=[one.account],
                on_order_book_update=lambda market, book: books.append((market, json.loads(json.dumps(book)))),
                on_account_update=lambda account, state: accounts.append(account),
                on_unhandled_message=lambda message: None,
            )
            running = asyncio.create_task(sockets.run_async())
            try:
                await eventually(lambda: _enough())
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                await sockets.ws.close()

    async def _enough() -> bool:
        return len(books) > 3 and bool(accounts)

    importlib.import_module("lighter.ws_client")
    asyncio.run(watch())
    for market, book in books:
        assert market == "0"
        bids, asks = ([Decimal(level["price"]) for level in book[side]] for side in ("bids", "asks"))
        assert max(bids) < min(asks)
