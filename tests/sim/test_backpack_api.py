"""Keys, windows, limits, oddities and public data of the simulated Backpack."""

from __future__ import annotations

import json

import msgspec
import pytest

from engine.clock import NS_PER_MS, NS_PER_S
from engine.exchanges.backpack.signing import build_request
from engine.exchanges.backpack.venue import VENUE
from engine.exchanges.messages import HttpRequest
from engine.sim.backpack.markets import MARKETS
from engine.sim.backpack.settings import BackpackSettings
from tests.sim.desk import PERP, SPOT, START_NS, Desk


def signed(desk: Desk, *, age_ms: int = 0, window_ms: int = 5_000) -> HttpRequest:
    timestamp_ms = desk.now_ns // NS_PER_MS - age_ms
    return build_request(desk.signers["alice"], "GET", "/api/v1/capital", {}, timestamp_ms, window_ms)


@pytest.mark.parametrize(
    ("age_ms", "window_ms", "status"),
    [(0, 5_000, 200), (5_000, 5_000, 200), (5_001, 5_000, 400), (-1_000, 5_000, 200), (-1_001, 5_000, 400),
     (0, 60_000, 200), (0, 60_001, 400), (0, 0, 400)],
)  # fmt: skip
def test_a_request_counts_only_inside_its_window(age_ms: int, window_ms: int, status: int):
    desk = Desk()
    assert desk.send(signed(desk, age_ms=age_ms, window_ms=window_ms)).status == status


def test_a_signature_over_something_else_is_refused():
    desk = Desk()
    request = msgspec.structs.replace(signed(desk), target="/api/v1/orders")
    answer = desk.send(request)
    assert (answer.status, json.loads(answer.body)["message"]) == (400, "Invalid signature")


def test_a_changed_body_is_refused():
    desk = Desk()
    order = {"symbol": SPOT, "side": "Bid", "orderType": "Limit", "price": "180", "quantity": "1"}
    request = build_request(desk.signers["alice"], "POST", "/api/v1/order", order, desk.now_ns // NS_PER_MS)
    forged = msgspec.structs.replace(request, body=request.body.replace(b'"180"', b'"181"'))
    assert desk.send(forged).status == 400
    assert desk.machine.exchange.open_orders("alice") == []


def test_headers_must_be_there_and_the_key_known():
    desk = Desk("alice")
    bare = HttpRequest(method="GET", target="/api/v1/capital")
    assert desk.send(bare).status == 400
    stranger = Desk("mallory")
    assert desk.send(signed_by(stranger, "mallory")).status == 401


def signed_by(desk: Desk, account: str) -> HttpRequest:
    return build_request(desk.signers[account], "GET", "/api/v1/capital", {}, START_NS // NS_PER_MS)


def test_an_account_has_so_many_requests_a_minute():
    desk = Desk(settings=BackpackSettings(requests_per_minute=5))
    statuses = [desk.send(signed(desk)).status for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    assert desk.request("bob", "GET", "/api/v1/capital").status == 200
    desk.run(60)
    assert desk.send(signed(desk)).status == 200


@pytest.mark.parametrize(
    ("target", "status", "body"),
    [
        ("/api/v1/nope", 404, "not found"),
        ("/api/v1/ping", 200, "pong"),
        ("/api/v1/depth", 400,
         'failed to parse parameter `symbol`: failed to parse "string": missing parameter symbol'),
        ("/api/v1/depth?symbol=SOL_USDC&limit=7", 400,
         'failed to parse parameter `limit`: failed to parse "DepthLimit": Expect a valid enumeration value.'),
        ("/api/v1/trades?symbol=SOL_USDC&limit=1001", 400,
         'failed to parse parameter `limit`: failed to parse "integer": invalid digit or out of range'),
        ("/api/v1/klines?symbol=SOL_USDC&interval=2m&startTime=0", 400,
         'failed to parse parameter `interval`: failed to parse "string": Expect a valid enumeration value.'),
        ("/api/v1/depth?symbol=DOGE_USDC", 400,
         '{"code":"INVALID_CLIENT_REQUEST","message":"Invalid market symbol"}'),
        ("/api/v1/markPrices?symbol=DOGE_USDC", 400,
         '{"code":"INVALID_CLIENT_REQUEST","message":"Symbol not found"}'),
        ("/api/v1/time", 200, str(START_NS // NS_PER_MS)),
    ],
)  # fmt: skip
def test_public_answers_to_the_letter(target: str, status: int, body: str):
    answer = Desk().send(HttpRequest(method="GET", target=target))
    assert (answer.status, answer.body.decode()) == (status, body)


def test_a_body_that_is_no_json_is_answered_in_plain_text():
    desk = Desk()
    request = build_request(desk.signers["alice"], "POST", "/api/v1/order", {}, desk.now_ns // NS_PER_MS)
    answer = desk.send(request)
    assert answer.status == 400
    assert answer.body.startswith(b"parse request payload error: ")


def test_a_signed_route_that_is_not_simulated_says_so():
    answer = Desk().request("alice", "POST", "/api/v1/rfq", {"symbol": SPOT})
    assert json.loads(answer.body)["code"] == "NOT_IMPLEMENTED"


def test_the_client_reads_every_market_as_it_is_simulated():
    markets = VENUE.decode_instruments(Desk().request(None, "GET", "/api/v1/markets"))
    for market in MARKETS:
        (found,) = [one for one in markets if one.symbol == market.symbol]
        assert found == market.instrument


def test_both_sides_of_the_depth_ascend_and_prices_are_not_padded():
    desk = Desk()
    for price in ("180", "179.5", "179"):
        desk.place("alice", "Bid", price, "1")
    for price in ("181", "181.5"):
        desk.place("bob", "Ask", price, "2")
    depth = desk.get(None, "/api/v1/depth", symbol=SPOT)
    assert depth["bids"] == [["179", "1"], ["179.5", "1"], ["180", "1"]]
    assert depth["asks"] == [["181", "2"], ["181.5", "2"]]
    assert isinstance(depth["lastUpdateId"], str)
    assert desk.get(None, "/api/v1/depth", symbol=SPOT, limit=5)["bids"] == depth["bids"]


def test_funding_is_paid_on_the_hour_and_shown_in_both_histories():
    desk = Desk()
    desk.place("bob", "Ask", "180.60", "10", symbol=PERP)
    desk.place("alice", "Bid", "180.60", "10", symbol=PERP)
    desk.run(3_600)
    assert desk.now_ns // NS_PER_S // 3_600 > START_NS // NS_PER_S // 3_600
    (payment,) = desk.get("alice", "/wapi/v1/history/funding")
    assert (payment["symbol"], payment["quantity"]) == (PERP, "-0.022575")
    running, past = desk.get(None, "/api/v1/fundingRates", symbol=PERP)
    assert past["intervalEndTimestamp"] == payment["intervalEndTimestamp"]
    assert running["intervalEndTimestamp"] > past["intervalEndTimestamp"]
    (position,) = desk.get("alice", "/api/v1/position")
    assert position["cumulativeFundingPayment"] == "-0.022575"


def test_candles_and_the_ticker_tell_what_traded():
    desk = Desk()
    for price in ("180", "182", "181"):
        desk.place("bob", "Ask", price, "1")
        desk.place("alice", "Bid", price, "1")
    (candle,) = desk.get(None, "/api/v1/klines", symbol=SPOT, interval="5m", startTime=0)
    assert (candle["open"], candle["high"], candle["low"], candle["close"]) == ("180", "182", "180", "181")
    assert (candle["volume"], candle["trades"]) == ("3", "3")
    ticker = desk.get(None, "/api/v1/ticker", symbol=SPOT)
    assert (ticker["lastPrice"], ticker["high"], ticker["quoteVolume"]) == ("181", "182", "543")
    assert ticker["priceChangePercent"] == "0.005556"
    newest, *_ = desk.get(None, "/api/v1/trades", symbol=SPOT)
    assert (newest["price"], newest["isBuyerMaker"]) == ("181", False)


def test_collateral_counts_what_is_free_for_margin():
    desk = Desk()
    before = desk.get("alice", "/api/v1/capital/collateral")
    assert (before["netEquity"], before["netEquityAvailable"]) == ("100000", "100000")
    desk.place("alice", "Bid", "180", "100", symbol=PERP)
    after = desk.get("alice", "/api/v1/capital/collateral")
    assert (after["netEquity"], after["netEquityAvailable"]) == ("100000", "99097")


def test_a_leverage_limit_changes_what_margin_asks_for():
    desk = Desk()
    order = {"side": "Bid", "price": "180.60", "quantity": "5000", "symbol": PERP}
    assert desk.request("alice", "PATCH", "/api/v1/account", {"leverageLimit": "5"}).body == b""
    assert desk.place("alice", **order)["code"] == "INSUFFICIENT_MARGIN"
    desk.request("alice", "PATCH", "/api/v1/account", {"leverageLimit": "20"})
    assert desk.place("alice", **order)["status"] == "New"
    assert desk.request("alice", "PATCH", "/api/v1/account", {"leverageLimit": "0"}).status == 400
