"""The simulated Aster as its clients see it: who may ask, what orders become, what the streams tell."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from engine.clock import NS_PER_S
from engine.exchanges.messages import HttpRequest
from engine.model.commands import QueryFills
from engine.model.events import FillsReported
from engine.model.instrument import MarketKind
from engine.sim.aster.settings import AsterSettings
from engine.sim.machine import SocketReceived
from tests.sim.aster_desk import BTC, AsterDesk, body
from tests.wire.aster.support import codec

SPOT = MarketKind.SPOT


def code(answer: Any) -> int:
    return int(answer["code"])


# Who may ask -------------------------------------------------------------------------------------------------


def test_a_wallet_and_an_old_key_open_the_same_account() -> None:
    desk = AsterDesk()
    placed = desk.place("alice", "BUY", "86000", "0.01")
    request = desk.old_key("alice").request("GET", "/fapi/v1/openOrders", f"symbol={BTC}", desk.nonce())
    assert [order["orderId"] for order in body(desk.send(request))] == [placed["orderId"]]


@pytest.mark.parametrize("scheme", ["wallet", "old_key"])
def test_a_changed_request_is_refused(scheme: str) -> None:
    desk = AsterDesk()
    signer = getattr(desk, scheme)("alice")
    path = f"/fapi/v{signer.generation}/order"
    sent = signer.request("POST", path, "symbol=BTCUSDT&side=BUY", desk.nonce())
    changed = sent.body.replace(b"BUY", b"SELL")
    answer = desk.send(HttpRequest(method="POST", target=path, headers=sent.headers, body=changed))
    assert (answer.status, code(body(answer))) == (400, -1022)


def test_another_wallet_cannot_speak_for_a_user() -> None:
    desk = AsterDesk()
    alice, bob = desk.keys["alice"], desk.keys["bob"]
    desk.keys["alice"] = {**alice, "private_key": bob["private_key"]}
    assert code(desk.ask("alice", "GET", "/balance")) == -1002
    desk.keys["alice"] = {**alice, "private_key": "11" * 32}
    assert code(desk.ask("alice", "GET", "/balance")) == -1002


def test_a_nonce_serves_once_and_only_near_the_venues_clock() -> None:
    desk = AsterDesk()
    request = desk.signed("alice", "GET", "/balance")
    assert desk.send(request).status == 200
    assert code(body(desk.send(request))) == -4225
    early = desk.signed("alice", "GET", "/balance")
    desk.run(11)
    assert body(desk.send(early)) == {"code": -4225, "msg": "Nonce Expired"}


def test_a_nonce_below_a_full_list_has_expired() -> None:
    desk = AsterDesk(settings=AsterSettings(nonces_kept=3))
    late = desk.signed("alice", "GET", "/balance")
    for _ in range(3):
        assert desk.send(desk.signed("alice", "GET", "/balance")).status == 200
    assert code(body(desk.send(late))) == -4225


def test_an_old_keys_timestamp_must_be_fresh() -> None:
    desk = AsterDesk()
    request = desk.old_key("alice").request("GET", "/fapi/v2/balance", "", desk.nonce())
    desk.run(6)
    assert code(body(desk.send(request))) == -1021


def test_a_text_signed_before_it_was_encoded_is_accepted() -> None:
    """As the official JavaScript demo does."""
    desk = AsterDesk()
    orders = (
        "[{'symbol':'BTCUSDT','side':'BUY','type':'LIMIT','timeInForce':'GTC','quantity':'0.01','price':'86000'}]"
    )
    signed = desk.wallet("alice").request("POST", "", f"batchOrders={orders}", desk.nonce()).body.decode()
    sent = (
        signed.replace("'", "%27").replace("[", "%5B").replace("{", "%7B").replace(":", "%3A").replace(",", "%2C")
    )
    (placed,) = body(desk.send(HttpRequest(method="POST", target=f"/fapi/v3/batchOrders?{sent}")))
    assert placed["status"] == "NEW"


def test_too_many_requests_are_refused_and_then_banned() -> None:
    desk = AsterDesk(settings=AsterSettings(weight_per_minute=2))
    statuses = [desk.send(desk.signed("alice", "GET", "/openOrders")).status for _ in range(5)]
    assert statuses == [200, 200, 429, 429, 418]
    desk.run(61)
    answer = desk.send(desk.signed("alice", "GET", "/openOrders"))
    assert dict(answer.headers)["x-mbx-used-weight-1m"] == "1"


# Orders ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "quantity", "expected"),
    [
        ("86000.05", "0.01", -4014),
        ("86000", "0.0105", -4023),
        ("86000", "0.0001", -4004),
        ("86000", "0", -4003),
        ("-1", "0.01", -4001),
        ("99000", "0.01", -4016),
        ("1000", "0.001", -4164),
        ("86000", "50", -2019),
        ("x", "0.01", -1130),
    ],
)
def test_an_order_off_the_rules_is_refused_with_its_code(price: str, quantity: str, expected: int) -> None:
    assert code(AsterDesk().place("alice", "BUY", price, quantity)) == expected


def test_a_crossing_post_only_order_is_taken_and_expires() -> None:
    desk = AsterDesk()
    desk.place("bob", "SELL", "86000", "0.01")
    stream = desk.account_stream("alice")
    answer = desk.place("alice", "BUY", "86000", "0.01", timeInForce="GTX", newOrderRespType="RESULT")
    assert (answer["status"], answer["executedQty"]) == ("EXPIRED", "0")
    told = [frame["o"] for frame in desk.frames(stream) if frame["e"] == "ORDER_TRADE_UPDATE"]
    assert [(order["x"], order["X"], order["f"]) for order in told] == [
        ("NEW", "NEW", "GTX"),
        ("EXPIRED", "EXPIRED", "GTX"),
    ]


@pytest.mark.parametrize("spelling", [-5022, -5021, -2010])
def test_a_crossing_post_only_order_may_be_refused_instead(spelling: int) -> None:
    settings = AsterSettings(crossing_post_only_expires=False, crossing_post_only_code=spelling)
    desk = AsterDesk(settings=settings)
    desk.place("bob", "SELL", "86000", "0.01")
    assert code(desk.place("alice", "BUY", "86000", "0.01", timeInForce="GTX")) == spelling
    assert desk.ask("alice", "GET", "/allOrders", symbol=BTC) == []


def test_an_acknowledgement_says_new_whatever_happened() -> None:
    desk = AsterDesk()
    desk.place("bob", "SELL", "86000", "0.01")
    assert desk.place("alice", "BUY", None, "0.01")["status"] == "NEW"
    desk.place("bob", "SELL", "86000", "0.01")
    assert desk.place("alice", "BUY", None, "0.01", newOrderRespType="RESULT")["status"] == "FILLED"


def test_a_client_id_is_unique_among_open_orders_only() -> None:
    desk = AsterDesk()
    first = desk.place("alice", "BUY", "86000", "0.01", newClientOrderId="a.1")
    assert code(desk.place("alice", "BUY", "86000", "0.01", newClientOrderId="a.1")) == -4116
    assert desk.ask("alice", "GET", "/order", symbol=BTC, origClientOrderId="a.1")["orderId"] == first["orderId"]
    assert desk.ask("alice", "DELETE", "/order", symbol=BTC, origClientOrderId="a.1")["status"] == "CANCELED"
    assert code(desk.ask("alice", "DELETE", "/order", symbol=BTC, origClientOrderId="a.1")) == -2011
    assert code(desk.ask("alice", "GET", "/openOrder", symbol=BTC, origClientOrderId="a.1")) == -2013
    assert desk.place("alice", "BUY", "86000", "0.01", newClientOrderId="a.1")["status"] == "NEW"
    assert code(desk.place("alice", "BUY", "86000", "0.01", newClientOrderId="a 1")) == -4015


def test_a_batch_is_answered_element_by_element() -> None:
    desk = AsterDesk()
    good = {
        "symbol": BTC,
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01",
        "price": "86000",
    }
    orders = json.dumps([good, good | {"price": "86000.05"}])
    placed, refused = desk.ask("alice", "POST", "/batchOrders", batchOrders=orders)
    assert (placed["status"], refused["code"]) == ("NEW", -4014)
    ids = json.dumps([str(placed["orderId"]), "5"])
    canceled, unknown = desk.ask("alice", "DELETE", "/batchOrders", symbol=BTC, orderIdList=ids)
    assert (canceled["status"], unknown["code"]) == ("CANCELED", -2011)


@pytest.mark.parametrize(("mode", "left"), [("EXPIRE_TAKER", 1), ("EXPIRE_MAKER", 1), ("EXPIRE_BOTH", 0)])
def test_orders_of_one_account_do_not_trade_with_each_other(mode: str, left: int) -> None:
    desk = AsterDesk()
    desk.place("alice", "SELL", "86000", "0.01")
    desk.place("alice", "BUY", "86000", "0.01", stpMode=mode)
    assert desk.ask("alice", "GET", "/userTrades", symbol=BTC) == []
    assert len(desk.ask("alice", "GET", "/openOrders", symbol=BTC)) == left


def test_a_reduce_only_order_needs_something_to_reduce() -> None:
    desk = AsterDesk()
    assert code(desk.place("alice", "SELL", "86800", "0.01", reduceOnly="true")) == -2022


def test_cancel_all_says_200_in_each_apis_own_way() -> None:
    assert AsterDesk().ask("alice", "DELETE", "/allOpenOrders", symbol=BTC)["code"] == "200"
    assert AsterDesk(SPOT).ask("alice", "DELETE", "/allOpenOrders", symbol=BTC)["code"] == 200


def test_a_countdown_cancels_at_its_end_unless_it_began_anew_and_0_ends_it() -> None:
    desk = AsterDesk()
    desk.place("alice", "BUY", "86000", "0.01")
    desk.place("bob", "BUY", "86000", "0.01")
    for _ in range(3):
        answer = desk.ask("alice", "POST", "/countdownCancelAll", symbol=BTC, countdownTime=10_000)
        assert answer == {"symbol": BTC, "countdownTime": "10000"}
        desk.run(9)
    assert desk.ask("alice", "GET", "/openOrders", symbol=BTC)
    desk.ask("alice", "POST", "/countdownCancelAll", symbol=BTC, countdownTime=0)
    desk.run(20)
    assert desk.ask("alice", "GET", "/openOrders", symbol=BTC)
    desk.ask("alice", "POST", "/countdownCancelAll", symbol=BTC, countdownTime=10_000)
    desk.run(11)
    assert desk.ask("alice", "GET", "/openOrders", symbol=BTC) == []
    assert len(desk.ask("bob", "GET", "/openOrders", symbol=BTC)) == 1


def test_a_countdown_is_of_one_market_and_spot_has_none() -> None:
    desk = AsterDesk()
    desk.place("alice", "BUY", "86000", "0.01")
    desk.ask("alice", "POST", "/countdownCancelAll", symbol="SOLUSDT", countdownTime=1_000)
    desk.run(2)
    assert len(desk.ask("alice", "GET", "/openOrders", symbol=BTC)) == 1
    assert code(desk.ask("alice", "POST", "/countdownCancelAll", symbol=BTC)) == -1102
    assert "code" in AsterDesk(SPOT).ask("alice", "POST", "/countdownCancelAll", symbol=BTC, countdownTime=1_000)


def test_a_trade_moves_position_and_money_and_is_told() -> None:
    desk = AsterDesk()
    stream = desk.account_stream("alice")
    desk.place("bob", "SELL", "86000", "0.01")
    desk.place("alice", "BUY", "86000", "0.01")
    (row,) = desk.ask("alice", "GET", "/positionRisk", symbol=BTC)
    assert (row["positionAmt"], row["entryPrice"]) == ("0.01", "86000")
    (trade,) = desk.ask("alice", "GET", "/userTrades", symbol=BTC)
    assert (trade["qty"], trade["commission"], trade["maker"]) == ("0.01", "0.301", False)
    changes = [frame["a"] for frame in desk.frames(stream) if frame["e"] == "ACCOUNT_UPDATE"]
    assert (changes[-1]["P"][0]["pa"], changes[-1]["B"][0]["wb"]) == ("0.01", "99999.699")
    assert desk.frames(stream)[-2]["o"]["X"] == "FILLED"


@pytest.mark.parametrize("is_negative", [False, True])
def test_what_was_paid_is_written_either_way_and_means_the_same(is_negative: bool) -> None:
    desk = AsterDesk(settings=AsterSettings(costs_are_negative=is_negative))
    desk.place("bob", "SELL", "86000", "0.01")
    desk.place("alice", "BUY", "86000", "0.01")
    answer = desk.send(desk.signed("alice", "GET", "/userTrades", symbol=BTC))
    assert body(answer)[0]["commission"] == ("-0.301" if is_negative else "0.301")
    command = QueryFills(leg="main", since_ns=0)
    (reported,) = codec("aster").decode_reply(command, answer, requested_ns=desk.now_ns, at_ns=desk.now_ns)
    assert isinstance(reported, FillsReported) and reported.fills[0].fee == Decimal("0.301")


def test_spot_moves_balances_and_tells_them() -> None:
    desk = AsterDesk(SPOT)
    stream = desk.account_stream("bob")
    desk.place("bob", "SELL", "86000", "0.01")
    assert desk.frames(stream)[0]["B"] == [{"a": "BTC", "f": "1.99", "l": "0.01"}]
    desk.place("alice", "BUY", "86000", "0.01")
    held = {row["asset"]: row for row in desk.ask("bob", "GET", "/account")["balances"]}
    assert (held["BTC"]["free"], held["BTC"]["locked"]) == ("1.99", "0")
    assert desk.frames(stream)[1]["e"] == "executionReport"


# Streams -----------------------------------------------------------------------------------------------------


def depth(desk: AsterDesk, socket: int) -> list[dict[str, Any]]:
    return [frame["data"] for frame in desk.frames(socket) if "stream" in frame]


def watch(desk: AsterDesk) -> int:
    socket = desk.open("/stream")
    text = json.dumps({"method": "SUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": 4})
    desk.handle(SocketReceived(socket_id=socket, text=text))
    assert desk.frames(socket) == [{"result": None, "id": 4}]
    return socket


def test_perp_diffs_chain_by_pu_alone() -> None:
    desk = AsterDesk()
    socket = watch(desk)
    for price in ("86000", "86001", "86002"):
        desk.place("alice", "BUY", price, "0.01")
        desk.run(0.2)
    first, second, third = depth(desk, socket)
    assert (second["pu"], third["pu"]) == (first["u"], second["u"])
    assert second["U"] > first["u"] + 1
    snapshot = body(desk.send(HttpRequest(method="GET", target=f"/fapi/v3/depth?symbol={BTC}&limit=5")))
    assert snapshot["lastUpdateId"] == third["u"]
    assert snapshot["bids"][0] == ["86002", "0.01"]


def test_spot_diffs_follow_each_other_by_one() -> None:
    desk = AsterDesk(SPOT)
    socket = watch(desk)
    for price in ("86000", "86001"):
        desk.place("alice", "BUY", price, "0.01")
        desk.run(0.2)
    first, second = depth(desk, socket)
    assert second["U"] == first["u"] + 1


def test_a_frame_that_is_no_request_is_told_so() -> None:
    desk = AsterDesk()
    socket = desk.open("/stream")
    for text in ("{", '{"method":"DANCE","id":1}'):
        desk.handle(SocketReceived(socket_id=socket, text=text))
    assert [frame["code"] for frame in desk.frames(socket)] == [3, 2]


def test_a_listen_key_is_one_for_the_account_and_lives_an_hour_from_its_last_renewal() -> None:
    desk = AsterDesk()
    key = desk.ask("alice", "POST", "/listenKey")["listenKey"]
    assert desk.ask("alice", "POST", "/listenKey")["listenKey"] == key
    stream = desk.open(f"/ws/{key}")
    desk.run(2_000)
    assert desk.ask("alice", "PUT", "/listenKey") == {}
    desk.run(3_500)
    assert desk.frames(stream) == []
    desk.run(200)
    assert desk.frames(stream) == [{"e": "listenKeyExpired", "E": desk.frames(stream)[0]["E"]}]
    desk.place("alice", "BUY", "86000", "0.01")
    assert len(desk.frames(stream)) == 1
    assert code(desk.ask("alice", "PUT", "/listenKey")) == -1125
    assert desk.ask("alice", "POST", "/listenKey")["listenKey"] != key


def test_an_old_key_needs_no_signature_for_its_listen_key() -> None:
    desk = AsterDesk()
    headers = (("X-MBX-APIKEY", desk.keys["alice"]["api_key"]),)
    answer = desk.send(HttpRequest(method="POST", target="/fapi/v1/listenKey", headers=headers))
    assert body(answer)["listenKey"] == desk.ask("alice", "POST", "/listenKey")["listenKey"]


def test_funding_is_paid_every_eight_hours_and_told() -> None:
    desk = AsterDesk()
    desk.place("bob", "SELL", "86000", "0.01")
    desk.place("alice", "BUY", "86000", "0.01")
    desk.now_ns += 8 * 3_600 * NS_PER_S
    desk.run(0)
    (row,) = desk.ask("alice", "GET", "/income")
    assert (row["incomeType"], row["income"][0]) == ("FUNDING_FEE", "-")
