"""What the simulated Paradex does with orders, keys, tokens, sockets and limits. All in virtual time."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from engine.exchanges.paradex.chains import TESTNET
from engine.exchanges.paradex.keys import keys_of
from engine.exchanges.paradex.signing import Signer
from engine.exchanges.registry import find_venue
from engine.sim.paradex.settings import ParadexSettings
from tests.sim.paradex_desk import SOL, Desk

BOOK, DELTAS = f"order_book.{SOL}.snapshot@15@50ms", f"order_book.{SOL}.deltas@15@50ms"


def error(answer: Any) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["error"]


def stranger(seed: str = "stranger") -> tuple[Signer, int]:
    credentials = find_venue("paradex").throwaway_credentials(seed)
    return Signer(keys_of(credentials, TESTNET), TESTNET), int(credentials["ethereum_private_key"], 16)


# Coming in --------------------------------------------------------------------------------------------------


def test_a_stranger_is_onboarded_once_and_then_let_in() -> None:
    desk = Desk()
    signer, ethereum_key = stranger()
    assert error(desk.login(signer)) == (400, "NOT_ONBOARDED")
    for _ in range(2):
        answer = desk.send(signer.onboarding(ethereum_key))
        assert (answer.status, answer.body) == (200, b"")
    assert "jwt_token" in json.loads(desk.login(signer).body)
    assert desk.get(None, f"/onboarding?public_key={hex(signer.keys.public_key)}")["exists"]


def test_an_onboarding_signed_by_somebody_else_is_refused() -> None:
    desk = Desk()
    request = stranger()[0].onboarding(stranger()[1])
    body = json.dumps({"public_key": hex(desk.keys["bob"].public_key)}).encode()
    forged = msgspec.structs.replace(request, body=body)
    assert error(desk.send(forged)) == (401, "STARKNET_SIGNATURE_VERIFICATION_FAILED")


def test_a_login_with_another_key_or_at_another_time_is_refused() -> None:
    desk = Desk()
    forged = Signer(msgspec.structs.replace(desk.keys["bob"], account=desk.keys["alice"].account), TESTNET)
    assert error(desk.login(forged)) == (401, "STARKNET_SIGNATURE_VERIFICATION_FAILED")
    now_s = desk.now_ns // 10**9
    signer = desk.signers["alice"]
    assert error(desk.send(signer.login(now_s - 3_600, 1_800))) == (400, "INVALID_SIGNATURE_EXPIRATION")
    assert error(desk.send(signer.login(now_s, 8 * 24 * 3_600))) == (400, "INVALID_SIGNATURE_EXPIRATION")
    assert error(desk.send(signer.login(now_s + 60, 1_800))) == (400, "INVALID_TIMESTAMP")


def test_a_subkey_trades_for_the_main_account() -> None:
    desk = Desk()
    subkey = desk.add_subkey("alice", "subkey")
    assert "jwt_token" in json.loads(desk.login(subkey).body)
    assert desk.settled("alice", "BUY", "140", "1", signer=subkey)["status"] == "OPEN"


def test_a_token_ends_after_its_time_and_a_socket_it_opened_does_not() -> None:
    desk = Desk()
    socket_id = desk.open_socket("orders.ALL", account="alice")
    old = desk.token("alice")
    desk.run(301)
    assert error(desk.request("alice", "GET", "/positions")) == (401, "INVALID_TOKEN")
    assert desk.call(desk.open_socket(), "auth", {"bearer": old})["error"]["code"] == 40111
    assert desk.call(socket_id, "order.cancel_all")["result"] == {"status": "ok"}


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic a.b.c"])
def test_what_is_no_token_is_malformed(header: str) -> None:
    desk = Desk()
    request = desk.signers["alice"].login(1, 1)
    answer = desk.send(
        msgspec.structs.replace(request, method="GET", target="/v1/positions", headers=(("Authorization", header),))
    )
    assert error(answer) == (401, "INVALID_TOKEN")
    assert "missing or malformed jwt" in answer.body.decode()


def test_a_token_with_other_claims_is_not_ours() -> None:
    desk = Desk()
    head, _, signature = desk.token("alice").split(".")
    claims = desk.token("bob").split(".")[1]
    assert (
        desk.call(desk.open_socket(), "auth", {"bearer": f"{head}.{claims}.{signature}"})["error"]["code"] == 40111
    )


# Orders -----------------------------------------------------------------------------------------------------


def test_a_201_means_queued_and_the_stream_tells_the_rest() -> None:
    desk = Desk()
    socket_id = desk.open_socket(f"orders.{SOL}", account="alice")
    placed = desk.place("alice", "BUY", "140", "1.5", client_id="mine")
    assert (placed["http"], placed["status"], placed["remaining_size"]) == (201, "NEW", "1.5")
    assert desk.pushed(socket_id, f"orders.{SOL}") == []
    desk.run(0.01)
    (opened,) = desk.pushed(socket_id, f"orders.{SOL}")
    assert (opened["id"], opened["status"], opened["client_id"]) == (placed["id"], "OPEN", "mine")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"instruction": "POST_ONLY", "price": "151"}, "POST_ONLY_WOULD_CROSS"),
        ({"size": "0.05"}, "ORDER_SIZE_BELOW_MIN"),
        ({"size": "100000"}, "NOT_ENOUGH_MARGIN"),
        ({"flags": ["REDUCE_ONLY"]}, "REDUCE_ONLY_WILL_INCREASE"),
        ({"price": "170"}, "PRICE_BAND_EXCEEDED"),
    ],
)
def test_what_fails_behind_the_queue_is_told_on_the_stream_and_remembered(change: dict[str, Any], why: str) -> None:
    desk = Desk()
    desk.settled("bob", "SELL", "145", "1")
    socket_id = desk.open_socket("orders.ALL", account="alice")
    order = {"price": "140", "size": "1"} | change
    placed = desk.place("alice", "BUY", order.pop("price"), order.pop("size"), **order)
    assert (placed["http"], placed["status"]) == (201, "NEW")
    desk.run(0.01)
    (ended,) = desk.pushed(socket_id, "orders.ALL")
    assert (ended["id"], ended["status"], ended["cancel_reason"]) == (placed["id"], "CLOSED", why)
    assert desk.look("alice", placed["id"])["cancel_reason"] == why
    assert [row["cancel_reason"] for row in desk.get("alice", "/orders-history")["results"]] == [why]
    assert desk.get("alice", "/orders")["results"] == []


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"signed": {"price": "140.001"}}, "INVALID_ORDER_SIGNATURE"),
        ({"signed": {"side": "SELL"}}, "INVALID_ORDER_SIGNATURE"),
        ({"signature": "[]"}, "INVALID_ORDER_SIGNATURE"),
        ({"signature": '["1","2"]'}, "INVALID_ORDER_SIGNATURE"),
        ({"price": "140.0001"}, "VALIDATION_ERROR"),
        ({"size": "1.001"}, "INVALID_ORDER_SIZE"),
        ({"size": "0"}, "VALIDATION_ERROR"),
        ({"instruction": "FOK"}, "VALIDATION_ERROR"),
        ({"instruction": "RPI"}, "RPI_ACCOUNT_NOT_WHITELISTED"),
        ({"stp": "NOBODY"}, "VALIDATION_ERROR"),
        ({"client_id": "x" * 65}, "VALIDATION_ERROR"),
        ({"recv_window": 9}, "VALIDATION_ERROR"),
        ({"signature_timestamp": 1_790_000_000_000 - 300_001}, "INVALID_TIMESTAMP"),
        ({"signature_timestamp": 1_790_000_000_000 + 10_001}, "INVALID_TIMESTAMP"),
        ({"type": "STOP_LIMIT"}, "INVALID_REQUEST_PARAMETER"),
    ],
)
def test_what_is_no_order_is_refused_at_once(order: dict[str, Any], code: str) -> None:
    desk = Desk()
    order = {"price": "140", "size": "1"} | order
    answer = desk.place("alice", "BUY", order.pop("price"), order.pop("size"), **order)
    assert (answer["http"] // 100, answer["error"]) == (4, code)


def test_a_window_of_its_own_ends_an_order_that_comes_late() -> None:
    desk = Desk()
    old = desk.order("alice", "BUY", "140", "1", recv_window=5_000)
    desk.run(6)
    assert error(desk.request("alice", "POST", "/orders", old)) == (400, "INVALID_TIMESTAMP")


def test_orders_match_and_both_sides_hear_of_fills_before_the_end_of_the_order() -> None:
    desk = Desk()
    resting = desk.settled("bob", "SELL", "145", "2")
    channels = (f"fills.{SOL}", f"orders.{SOL}", "positions", "account")
    maker = desk.open_socket(*channels, account="bob")
    taker = desk.open_socket(*channels, account="alice")
    taken = desk.settled("alice", "BUY", "146", "1.5", instruction="IOC")
    assert (taken["status"], taken["remaining_size"], taken["cancel_reason"]) == ("CLOSED", "0", "")
    assert taken["avg_fill_price"] == "145"
    (fill,) = desk.pushed(taker, f"fills.{SOL}")
    assert (fill["order_id"], fill["liquidity"], fill["fee"]) == (taken["id"], "TAKER", "0.097875")
    (made,) = desk.pushed(maker, f"fills.{SOL}")
    assert (made["order_id"], made["liquidity"], made["fee"]) == (resting["id"], "MAKER", "0")
    assert [row["remaining_size"] for row in desk.pushed(maker, f"orders.{SOL}")] == ["0.5"]
    assert [(row["side"], row["size"]) for row in desk.pushed(maker, "positions")] == [("SHORT", "-1.5")]
    assert desk.get("alice", "/positions")["results"][0]["size"] == "1.5"
    assert desk.pushed(taker, "account")[-1]["total_collateral"] == "99999.902125"


def test_the_rest_of_an_order_that_may_not_rest_ends() -> None:
    desk = Desk()
    desk.settled("bob", "SELL", "145", "1")
    ended = desk.settled("alice", "BUY", "146", "3", instruction="IOC")
    assert (ended["status"], ended["remaining_size"], ended["cancel_reason"]) == (
        "CLOSED",
        "2",
        "IMMEDIATE_OR_CANCEL",
    )


def test_a_venue_that_clears_what_remained_says_zero() -> None:
    desk = Desk(settings=ParadexSettings(clears_remaining=True))
    placed = desk.settled("alice", "BUY", "140", "1")
    desk.request("alice", "DELETE", f"/orders/{placed['id']}")
    desk.run(0.01)
    assert desk.look("alice", placed["id"])["remaining_size"] == "0"


def test_a_cancel_is_queued_too_and_closed_orders_cannot_be_cancelled() -> None:
    desk = Desk()
    placed = desk.settled("alice", "BUY", "140", "1", client_id="mine")
    answer = desk.request("alice", "DELETE", f"/orders/by_client_id/mine?market={SOL}")
    assert (answer.status, answer.body) == (204, b"")
    assert desk.look("alice", placed["id"])["status"] == "OPEN"
    desk.run(0.01)
    gone = desk.look("alice", placed["id"])
    assert (gone["status"], gone["cancel_reason"]) == ("CLOSED", "USER_CANCELED")
    assert error(desk.request("alice", "DELETE", f"/orders/{placed['id']}")) == (400, "ORDER_IS_CLOSED")
    assert error(desk.request("alice", "DELETE", "/orders/77")) == (404, "ORDER_ID_NOT_FOUND")
    assert error(desk.request("bob", "DELETE", f"/orders/{placed['id']}")) == (404, "ORDER_ID_NOT_FOUND")
    assert error(desk.request("alice", "GET", "/orders/by_client_id/x")) == (404, "CLIENT_ORDER_ID_NOT_FOUND")


def test_a_cancel_that_overtakes_nothing_ends_an_order_right_behind_its_start() -> None:
    desk = Desk()
    placed = desk.place("alice", "BUY", "140", "1")
    assert desk.request("alice", "DELETE", f"/orders/{placed['id']}").status == 204
    desk.run(0.01)
    assert desk.look("alice", placed["id"])["cancel_reason"] == "USER_CANCELED"


def test_a_batch_stands_or_falls_with_its_signatures_and_each_order_with_itself() -> None:
    desk = Desk()
    good, off_grid = desk.order("alice", "BUY", "140", "1"), desk.order("alice", "BUY", "140", "1.001")
    forged = desk.order("alice", "BUY", "140", "1", signed={"size": "2"})
    answer = json.loads(desk.request("alice", "POST", "/orders/batch", [good, off_grid]).body)
    assert [order["status"] for order in answer["orders"]] == ["NEW"]
    assert [one["error"] for one in answer["errors"]] == ["INVALID_ORDER_SIZE"]
    refused = desk.request("alice", "POST", "/orders/batch", [good, forged])
    assert error(refused) == (400, "INVALID_ORDER_SIGNATURE")
    for count in (0, 51):
        too_many = desk.request("alice", "POST", "/orders/batch", [good] * count)
        assert error(too_many) == (400, "BATCH_SIZE_OUT_OF_RANGE")
    named = {"order_ids": [answer["orders"][0]["id"], "12"]}
    results = json.loads(desk.request("alice", "DELETE", "/orders/batch", named).body)["results"]
    assert [row["status"] for row in results] == ["QUEUED_FOR_CANCELLATION", "NOT_FOUND"]


def test_a_client_id_serves_one_open_order_at_a_time() -> None:
    desk = Desk()
    desk.settled("alice", "BUY", "140", "1", client_id="mine")
    assert desk.place("alice", "BUY", "139", "1", client_id="mine")["error"] == "DUPLICATED_CLIENT_ID"
    assert desk.place("bob", "BUY", "139", "1", client_id="mine")["http"] == 201


def test_a_signature_timestamp_may_be_made_to_serve_once() -> None:
    desk = Desk(settings=ParadexSettings(refuses_reused_timestamps=True))
    assert desk.place("alice", "BUY", "140", "1")["http"] == 201
    assert desk.place("alice", "BUY", "139", "1")["error"] == "INVALID_TIMESTAMP"
    assert Desk().place("alice", "BUY", "140", "1")["http"] == 201


def test_an_interactive_token_waits_out_its_speed_bump() -> None:
    desk = Desk()
    desk.interactive("alice")
    placed = desk.place("alice", "BUY", "140", "1")
    desk.run(0.25)
    assert desk.look("alice", placed["id"])["status"] == "NEW"
    desk.run(0.1)
    assert desk.look("alice", placed["id"])["status"] == "OPEN"


# Sockets ----------------------------------------------------------------------------------------------------


def test_orders_can_be_entered_and_cancelled_on_the_socket() -> None:
    desk = Desk()
    socket_id = desk.open_socket("orders.ALL", account="alice")
    created = desk.call(socket_id, "order.create", desk.order("alice", "BUY", "140", "1", client_id="w1"))
    assert created["result"]["order"]["status"] == "NEW"
    for batch in ([desk.order("alice", "BUY", "139", "1")], {"orders": [desk.order("alice", "BUY", "138", "1")]}):
        assert len(desk.call(socket_id, "order.create_batch", batch)["result"]["results"]) == 1
    desk.run(0.01)
    assert len(desk.get("alice", "/orders")["results"]) == 3
    cancelled = desk.call(socket_id, "order.cancel", {"client_id": "w1", "market": SOL})["result"]
    assert cancelled["status"] == "QUEUED_FOR_CANCELLATION"
    assert desk.call(socket_id, "order.cancel_all", {"market": SOL})["result"] == {"status": "ok"}
    desk.run(0.01)
    assert desk.get("alice", "/orders")["results"] == []
    forged = desk.order("alice", "BUY", "140", "1", signed={"size": "2"})
    assert desk.call(socket_id, "order.create", forged)["error"]["data"] == "INVALID_ORDER_SIGNATURE"


def test_a_socket_that_asked_for_it_takes_its_orders_along_when_it_goes() -> None:
    desk = Desk()
    elsewhere = desk.settled("alice", "BUY", "139", "1")
    for wanted in (False, True):
        socket_id = desk.open_socket(account="alice")
        desk.call(socket_id, "order.cancel_on_disconnect", {"enabled": wanted})
        desk.call(socket_id, "order.create", desk.order("alice", "BUY", "140", "1"))
        desk.run(0.01)
        desk.close_socket(socket_id)
        desk.run(0.01)
        assert len(desk.get("alice", "/orders")["results"]) == 2
    assert desk.look("alice", elsewhere["id"])["status"] == "OPEN"


def test_private_channels_and_orders_need_a_login() -> None:
    desk = Desk()
    socket_id = desk.open_socket()
    assert desk.call(socket_id, "subscribe", {"channel": "orders.ALL"})["error"]["code"] == 40300
    assert desk.call(socket_id, "order.cancel_all")["error"]["code"] == 40300
    assert desk.call(socket_id, "auth", {"bearer": "x"})["error"]["code"] == 40110


def test_what_the_venue_does_not_know_is_an_error_of_its_own_kind() -> None:
    desk = Desk()
    socket_id = desk.open_socket(BOOK)
    assert desk.call(socket_id, "dance")["error"]["code"] == -32601
    assert desk.call(socket_id, "subscribe", {"channel": "weather"})["error"]["code"] == -32602
    assert desk.call(socket_id, "subscribe", {"channel": "bbo.XXX"})["error"]["code"] == -32602
    assert desk.call(socket_id, "subscribe", {"channel": BOOK})["error"]["code"] == -32600
    assert desk.call(socket_id, "unsubscribe", {"channel": "bbo.ALL"})["error"]["code"] == -32600
    assert desk.call(socket_id, "unsubscribe", {"channel": BOOK})["result"] == {"channel": BOOK}


def test_a_book_begins_whole_and_goes_on_whole_or_as_changes() -> None:
    desk = Desk()
    desk.settled("bob", "SELL", "145", "1")
    socket_id = desk.open_socket(BOOK, DELTAS)
    assert [row["update_type"] for row in desk.pushed(socket_id, BOOK)] == ["s"]
    gone = desk.settled("bob", "SELL", "146", "2")
    desk.run(0.1)
    desk.request("bob", "DELETE", f"/orders/{gone['id']}")
    desk.settled("bob", "BUY", "140", "3")
    desk.run(0.1)
    whole, changes = desk.pushed(socket_id, BOOK), desk.pushed(socket_id, DELTAS)
    numbers = [row["seq_no"] for row in whole]
    assert numbers == sorted(set(numbers)) == [row["seq_no"] for row in changes]
    assert len(whole[-1]["inserts"]) == 2
    assert changes[1]["update_type"] == "d"
    assert changes[1]["inserts"] == [{"side": "SELL", "price": "146", "size": "2"}]
    assert [row["price"] for update in changes for row in update["deletes"]] == ["146"]


@pytest.mark.parametrize("seconds", [20])
def test_changes_add_up_to_the_whole_book(seconds: int) -> None:
    desk = Desk(speed="3")
    socket_id = desk.open_socket(BOOK, DELTAS)
    desk.run(seconds)
    wholes = {row["seq_no"]: row for row in desk.pushed(socket_id, BOOK)}
    book: dict[tuple[str, str], str] = {}
    compared = 0
    for update in desk.pushed(socket_id, DELTAS):
        for row in (*update["inserts"], *update["updates"]):
            book[row["side"], row["price"]] = row["size"]
        for row in update["deletes"]:
            del book[row["side"], row["price"]]
        rows = {(row["side"], row["price"]): row["size"] for row in wholes[update["seq_no"]]["inserts"]}
        assert book == rows
        compared += 1
    assert compared > 20


def test_a_market_tells_its_best_prices_its_trades_and_its_mark() -> None:
    desk = Desk(speed="3")
    socket_id = desk.open_socket(f"bbo.{SOL}", "trades.ALL", "markets_summary", f"funding_data.{SOL}")
    desk.run(10)
    best = desk.pushed(socket_id, f"bbo.{SOL}")
    assert len(best) > 5
    assert all(float(row["bid"]) < float(row["ask"]) for row in best if row["bid"] and row["ask"])
    assert desk.pushed(socket_id, "trades.ALL")
    assert {row["symbol"] for row in desk.pushed(socket_id, "markets_summary")} >= {SOL, "BTC-USD-PERP"}
    assert desk.pushed(socket_id, f"funding_data.{SOL}")[0]["funding_period_hours"] == 8


# The rest ---------------------------------------------------------------------------------------------------


def test_each_kind_of_request_has_a_limit_that_refills() -> None:
    desk = Desk(settings=ParadexSettings(private_reads_per_minute=3, orders_per_second=2))
    statuses = [desk.request("alice", "GET", "/positions") for _ in range(4)]
    assert [answer.status for answer in statuses] == [200, 200, 200, 429]
    assert dict(statuses[-1].headers)["x-ratelimit-limit"] == "3"
    assert desk.request("bob", "GET", "/positions").status == 200
    assert [desk.place("alice", "BUY", "140", "1")["http"] for _ in range(3)] == [201, 201, 429]
    desk.run(21)
    assert desk.request("alice", "GET", "/positions").status == 200


def test_history_comes_in_pages_and_within_times() -> None:
    desk = Desk()
    ids = [desk.settled("alice", "BUY", "140", "1")["id"] for _ in range(3)]
    first = desk.get("alice", "/orders-history?page_size=2")
    assert [row["id"] for row in first["results"]] == ids[:0:-1]
    rest = desk.get("alice", f"/orders-history?page_size=2&cursor={first['next']}")
    assert ([row["id"] for row in rest["results"]], rest["next"]) == (ids[:1], None)
    later = desk.now_ns // 10**6 + 1
    assert desk.get("alice", f"/orders-history?start_at={later}")["results"] == []
    assert error(desk.request("alice", "GET", "/orders-history?page_size=x")) == (400, "INVALID_REQUEST_PARAMETER")


def test_funding_is_paid_every_eight_hours() -> None:
    desk = Desk()
    desk.settled("bob", "SELL", "145", "1")
    desk.settled("alice", "BUY", "145", "1")
    desk.run(8 * 3_600)
    desk.forget_tokens()
    (paid,) = desk.get("alice", "/funding/payments")["results"]
    (received,) = desk.get("bob", "/funding/payments")["results"]
    assert float(paid["payment"]) == -float(received["payment"]) < 0


def test_unknown_paths_and_markets_are_not_found() -> None:
    desk = Desk()
    assert error(desk.request(None, "GET", "/nothing")) == (404, "NOT_FOUND")
    assert error(desk.request(None, "GET", "/bbo/XXX")) == (404, "MARKET_NOT_FOUND")
    assert error(desk.request("alice", "POST", "/orders")) == (400, "BINDING_ERROR")
    assert error(desk.request("alice", "PUT", "/orders/1", {})) == (400, "INVALID_REQUEST_PARAMETER")
