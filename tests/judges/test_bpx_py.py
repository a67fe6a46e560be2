"""bpx-py 2.0.11, the community SDK the exchange links to, trades against the simulated Backpack unchanged."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from tests.judges.waiting import eventually
from tests.late import late
from tests.sim.served import Served

bpx, bpx_async, bpx_public = late("bpx.account"), late("bpx.async_.account"), late("bpx.public")

UINT32_ID = 4_294_967_295


@pytest.fixture(autouse=True)
def _pointed_at_the_simulator(venue: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bpx.base.base_account.BaseAccount.BPX_API_URL", venue.rest_url + "/")
    monkeypatch.setattr("bpx.base.base_public.BasePublic.BASE_URL", venue.rest_url + "/")


def account(venue: Served, name: str) -> Any:
    return bpx.Account(*venue.accounts[name])


def best(symbol: str) -> tuple[Decimal, Decimal]:
    """(bid, ask): both sides of the book are ascending."""
    depth = bpx_public.Public().get_depth(symbol)
    return Decimal(depth["bids"][-1][0]), Decimal(depth["asks"][0][0])


def test_the_sdk_reads_all_public_data():
    public = bpx_public.Public()
    symbols = {market["symbol"] for market in public.get_markets()}
    assert {"SOL_USDC", "BTC_USDC_PERP"} <= symbols
    bid, ask = best("SOL_USDC")
    assert bid < ask
    assert public.get_ticker("SOL_USDC")["symbol"] == "SOL_USDC"
    assert len(public.get_tickers()) == len(symbols)
    assert public.get_open_interest("SOL_USDC_PERP")[0]["symbol"] == "SOL_USDC_PERP"
    assert public.get_funding_interval_rates("SOL_USDC_PERP")[0]["fundingRate"]
    assert eventually(lambda: public.get_recent_trades("SOL_USDC", 5))[0]["price"]
    assert public.get_klines("SOL_USDC", "1m", 0)[0]["trades"]
    assert public.get_status() == {"status": "Ok", "message": None}
    assert public.get_ping() == "pong"
    assert isinstance(public.get_time(), int)
    assert "USDC" in {asset["symbol"] for asset in public.get_assets()}


def test_the_sdk_places_sees_and_cancels_a_spot_order(venue: Served):
    mine = account(venue, "sdk.spot")
    bid, _ = best("SOL_USDC")
    price = str(bid - 5)
    placed = mine.execute_order(
        "SOL_USDC", "Bid", "Limit", quantity="1.5", price=price, client_id=UINT32_ID, post_only=True
    )
    assert (placed["status"], placed["clientId"], placed["postOnly"]) == ("New", UINT32_ID, True)
    assert Decimal(mine.get_balances()["USDC"]["locked"]) == Decimal("1.5") * Decimal(price)
    assert mine.get_open_order("SOL_USDC", client_id=UINT32_ID)["id"] == placed["id"]
    assert [order["id"] for order in mine.get_open_orders(symbol="SOL_USDC")] == [placed["id"]]
    assert mine.cancel_order("SOL_USDC", client_id=UINT32_ID)["status"] == "Cancelled"
    assert mine.get_open_orders(symbol="SOL_USDC") == []
    assert mine.get_balances()["USDC"]["locked"] == "0"
    history = mine.get_order_history(limit=10, offset=0, symbol="SOL_USDC")
    assert history[0]["status"] == "Cancelled"
    assert mine.get_open_order("SOL_USDC", order_id=placed["id"])["code"] == "RESOURCE_NOT_FOUND"


def test_a_quote_of_the_sdk_is_filled_by_the_market(venue: Served):
    mine = account(venue, "sdk.spot")
    bid, _ = best("SOL_USDC")
    placed = mine.execute_order(
        "SOL_USDC", "Bid", "Limit", quantity="0.5", price=str(bid), client_id=7, post_only=True
    )
    assert placed["status"] == "New"

    def my_fills() -> list[dict[str, str]]:
        fills = mine.get_fill_history(symbol="SOL_USDC", fill_type="User")
        return [fill for fill in fills if fill["orderId"] == placed["id"]]

    fill = eventually(my_fills)[0]
    assert (fill["isMaker"], fill["clientId"], fill["feeSymbol"]) == (True, "7", "SOL")
    assert Decimal(fill["fee"]) == Decimal(fill["quantity"]) * Decimal("0.0008")
    mine.cancel_all_orders("SOL_USDC")


def test_the_sdk_opens_and_closes_a_perp_position(venue: Served):
    mine = account(venue, "sdk.perp")
    opened = mine.execute_order("SOL_USDC_PERP", "Bid", "Market", quantity="2")
    assert (opened["status"], opened["executedQuantity"]) == ("Filled", "2")
    (position,) = mine.get_open_positions()
    assert (position["symbol"], position["netQuantity"]) == ("SOL_USDC_PERP", "2")
    assert Decimal(position["entryPrice"]) > 0
    assert Decimal(mine.get_collateral()["netExposureFutures"]) > 300
    closed = mine.execute_order("SOL_USDC_PERP", "Ask", "Market", quantity="5", reduce_only=True)
    assert (closed["status"], closed["executedQuantity"]) == ("Filled", "2")
    assert mine.get_open_positions() == []
    refused = mine.execute_order("SOL_USDC_PERP", "Ask", "Market", quantity="1", reduce_only=True)
    assert "Reduce only" in refused["message"]


def test_the_sdk_reads_and_changes_account_settings(venue: Served):
    mine = account(venue, "sdk.perp")
    assert mine.get_account()["futuresMakerFee"] == "2"
    mine.update_account(leverage_limit="5")
    assert mine.get_account()["leverageLimit"] == "5"
    assert Decimal(mine.get_max_order_quantity("SOL_USDC_PERP", "Bid")["maxOrderQuantity"]) > 1
    assert mine.get_deposits(limit=1, offset=0) == []
    assert mine.get_funding_payments() == []


def test_a_key_nobody_knows_and_a_wrong_signature_are_refused(venue: Served):
    key, secret = venue.accounts["sdk.spot"]
    other_key, _ = venue.accounts["sdk.perp"]
    assert bpx.Account(other_key, secret).get_balances()["message"] == "Invalid signature"
    stranger = bpx.Account(secret, secret)
    assert stranger.get_balances()["code"] == "UNAUTHORIZED"
    assert "Invalid window" in bpx.Account(key, secret, window=60_001).get_balances()["message"]


def test_the_asynchronous_sdk_trades_too(venue: Served):
    async def trade() -> None:
        mine = bpx_async.Account(*venue.accounts["sdk.async"])
        placed = await mine.execute_order(
            "ETH_USDC", "Ask", "Limit", quantity="0.1", price="4000", time_in_force="GTC"
        )
        assert placed["status"] == "New"
        cancelled = await mine.cancel_order("ETH_USDC", order_id=placed["id"])
        assert cancelled["status"] == "Cancelled"

    asyncio.run(trade())
