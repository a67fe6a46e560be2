"""Orders on the simulated Backpack, as its documentation and the captures of its traffic have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.sim.backpack.settings import BackpackSettings
from tests.sim.desk import PERP, SPOT, Desk

REFUSALS = json.loads(Path(__file__).parents[1].joinpath("cases/sim/refusals.json").read_text())
ORDER = {"symbol": SPOT, "side": "Bid", "orderType": "Limit", "price": "180", "quantity": "1"}


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case["why"])
def test_an_order_is_refused_in_the_venues_words_and_leaves_nothing(case: dict[str, Any]):
    desk = Desk()
    desk.place("bob", "Ask", "180.60", "1")
    order = {key: value for key, value in {**ORDER, **case["order"]}.items() if value is not None}
    answer = desk.post("alice", order)
    assert answer.pop("http") == case["status"]
    expected = {"text": case["text"]} if "text" in case else {"code": case["code"], "message": case["message"]}
    assert answer == expected
    assert desk.machine.exchange.open_orders("alice") == []
    assert desk.machine.exchange.account("alice").locked["USDC"] == 0


def test_a_resting_order_reads_back_as_it_was_placed():
    desk = Desk()
    placed = desk.place("alice", "Bid", "180.50", "1.5", postOnly=True, clientId=1001)
    assert placed["http"] == 200
    assert (
        placed
        | {
            "status": "New",
            "price": "180.5",
            "quantity": "1.5",
            "clientId": 1001,
            "postOnly": True,
            "executedQuantity": "0",
            "timeInForce": "GTC",
            "selfTradePrevention": "RejectTaker",
            "reduceOnly": None,
        }
        == placed
    )
    found = desk.get("alice", "/api/v1/order", symbol=SPOT, clientId="1001")
    assert found["id"] == placed["id"]
    assert desk.get("alice", "/api/v1/orders", symbol=SPOT) == [found]
    assert desk.get("bob", "/api/v1/orders", symbol=SPOT) == []


def test_orders_that_may_take_wait_for_the_speed_bump_and_post_only_ones_do_not():
    desk = Desk()
    before_ns = desk.now_ns
    desk.place("alice", "Bid", "180", "1", postOnly=True)
    assert desk.now_ns == before_ns
    desk.place("alice", "Bid", "180", "1")
    assert desk.now_ns == before_ns + 100_000_000


def test_a_maker_is_filled_at_its_own_price_and_both_sides_see_the_trade():
    desk = Desk()
    desk.place("bob", "Ask", "180.50", "2", clientId=5)
    taken = desk.place("alice", "Bid", "181", "1", timeInForce="IOC")
    assert (taken["status"], taken["executedQuantity"], taken["executedQuoteQuantity"]) == ("Filled", "1", "180.5")
    (mine,) = desk.get("alice", "/wapi/v1/history/fills", symbol=SPOT)
    (theirs,) = desk.get("bob", "/wapi/v1/history/fills", symbol=SPOT)
    assert (mine["isMaker"], mine["fee"], mine["feeSymbol"]) == (False, "0.001", "SOL")
    assert (theirs["isMaker"], theirs["fee"], theirs["feeSymbol"]) == (True, "0.1444", "USDC")
    assert (theirs["clientId"], mine["clientId"]) == ("5", None)
    assert mine["tradeId"] == theirs["tradeId"]


@pytest.mark.parametrize(
    ("quantity", "more", "status", "executed", "reason"),
    [
        ("3", {"timeInForce": "IOC"}, "Expired", "2", "ImmediateOrCancel"),
        ("3", {"timeInForce": "FOK"}, "Expired", "0", "FillOrKill"),
        ("2", {"timeInForce": "FOK"}, "Filled", "2", None),
        ("3", {}, "PartiallyFilled", "2", None),
    ],
)
def test_time_in_force(quantity: str, more: dict[str, str], status: str, executed: str, reason: str | None):
    desk = Desk()
    desk.place("bob", "Ask", "180", "2")
    placed = desk.place("alice", "Bid", "180", quantity, **more)
    assert (placed["status"], placed["executedQuantity"]) == (status, executed)
    (row, *_) = desk.get("alice", "/wapi/v1/history/orders")
    assert (row["status"], row["expiryReason"]) == (status, reason)


def test_a_market_order_by_quote_quantity_spends_at_most_that():
    desk = Desk()
    desk.place("bob", "Ask", "180", "10")
    order = {"symbol": SPOT, "side": "Bid", "orderType": "Market", "quoteQuantity": "1000"}
    bought = desk.post("alice", order)
    assert (bought["status"], bought["quantity"], bought["executedQuantity"]) == ("Filled", None, "5.55")
    assert bought["executedQuoteQuantity"] == "999"


def test_a_market_order_stops_where_its_impact_would_be_too_large():
    desk = Desk()
    desk.place("bob", "Ask", "180", "1")
    desk.place("bob", "Ask", "200", "1")
    bought = desk.place("alice", "Bid", None, "2")
    assert (bought["status"], bought["executedQuantity"]) == ("Expired", "1")
    assert desk.place("alice", "Ask", None, "1")["status"] == "Expired"


@pytest.mark.parametrize(
    ("rule", "taker", "resting"),
    [("RejectTaker", "Expired", 1), ("RejectMaker", "New", 1), ("RejectBoth", "Expired", 0)],
)
def test_an_account_never_trades_with_itself(rule: str, taker: str, resting: int):
    desk = Desk()
    desk.place("alice", "Ask", "180", "1")
    placed = desk.place("alice", "Bid", "180", "1", selfTradePrevention=rule)
    assert placed["status"] == taker
    assert len(desk.get("alice", "/api/v1/orders")) == resting
    assert desk.get("alice", "/wapi/v1/history/fills") == []


def test_a_reduce_only_order_shrinks_with_the_position_and_ends_with_it():
    desk = Desk()
    desk.place("bob", "Ask", "180", "2", symbol=PERP)
    desk.place("alice", "Bid", "180", "2", symbol=PERP)
    closing = desk.place("alice", "Ask", "190", "5", symbol=PERP, reduceOnly=True)
    assert closing["quantity"] == "2"
    desk.place("bob", "Bid", "181", "1.5", symbol=PERP)
    desk.place("alice", "Ask", "181", "1.5", symbol=PERP)
    (left,) = desk.get("alice", "/api/v1/orders")
    assert left["quantity"] == "0.5"
    desk.place("bob", "Bid", "181", "0.5", symbol=PERP)
    desk.place("alice", "Ask", "181", "0.5", symbol=PERP)
    assert desk.get("alice", "/api/v1/orders") == []
    history = desk.get("alice", "/wapi/v1/history/orders", orderId=closing["id"])
    assert (history[0]["status"], history[0]["expiryReason"]) == ("Expired", "ReduceOnlyNotReduced")


def test_cancelling_gives_back_the_order_and_the_money():
    desk = Desk()
    placed = desk.place("alice", "Bid", "180", "1", clientId=3)
    answer = desk.request("alice", "DELETE", "/api/v1/order", {"symbol": SPOT, "clientId": "3"})
    assert (answer.status, json.loads(answer.body)["status"]) == (200, "Cancelled")
    assert desk.get("alice", "/api/v1/capital")["USDC"] == {"available": "100000", "locked": "0", "staked": "0"}
    again = desk.request("alice", "DELETE", "/api/v1/order", {"symbol": SPOT, "orderId": placed["id"]})
    assert (again.status, json.loads(again.body)["code"]) == (404, "RESOURCE_NOT_FOUND")
    lookup = desk.request("alice", "GET", "/api/v1/order", {"symbol": SPOT, "orderId": placed["id"]})
    assert (lookup.status, json.loads(lookup.body)["message"]) == (404, "Not Found")


def test_cancel_all_ends_one_market_of_one_account():
    desk = Desk()
    for account, symbol in (("alice", SPOT), ("alice", SPOT), ("alice", PERP), ("bob", SPOT)):
        desk.place(account, "Bid", "179", "1", symbol=symbol)
    answer = desk.request("alice", "DELETE", "/api/v1/orders", {"symbol": SPOT})
    assert [order["status"] for order in json.loads(answer.body)] == ["Cancelled", "Cancelled"]
    assert [order["symbol"] for order in desk.get("alice", "/api/v1/orders")] == [PERP]
    assert len(desk.get("bob", "/api/v1/orders")) == 1


def test_a_cancel_may_be_only_accepted_and_happen_later():
    desk = Desk(settings=BackpackSettings(accept_cancels_only=True))
    desk.place("alice", "Bid", "180", "1", clientId=3)
    answer = desk.request("alice", "DELETE", "/api/v1/order", {"symbol": SPOT, "clientId": 3})
    assert (answer.status, answer.body) == (202, b"")
    assert len(desk.get("alice", "/api/v1/orders")) == 1
    desk.run(0.1)
    assert desk.get("alice", "/api/v1/orders") == []


def test_a_batch_is_answered_element_by_element():
    desk = Desk()
    good, bad = {**ORDER, "clientId": 1}, {**ORDER, "price": "180.001"}
    answer = json.loads(desk.request("alice", "POST", "/api/v1/orders", [good, bad, good]).body)
    assert [row["operation"] for row in answer] == ["Ok", "Err", "Ok"]
    assert answer[1]["code"] == "INVALID_PRICE"
    assert len(desk.get("alice", "/api/v1/orders")) == 2


def test_whether_two_live_orders_may_share_a_client_id_is_a_setting():
    lenient, strict = Desk(), Desk(settings=BackpackSettings(allow_duplicate_client_ids=False))
    for desk in (lenient, strict):
        desk.place("alice", "Bid", "180", "1", clientId=9)
    assert lenient.place("alice", "Bid", "180", "1", clientId=9)["http"] == 200
    assert strict.place("alice", "Bid", "180", "1", clientId=9)["http"] == 400
    assert strict.place("bob", "Bid", "180", "1", clientId=9)["http"] == 200


def test_tiny_prices_stay_plain_decimals():
    desk = Desk()
    desk.place("alice", "Bid", "0.000000012", "1000", symbol="PEPE_USDC")
    placed = desk.place("alice", "Bid", "0.00001234", "1000000", symbol="PEPE_USDC")
    assert (placed["price"], placed["quantity"]) == ("0.00001234", "1000000")
    depth = desk.request(None, "GET", "/api/v1/depth", {"symbol": "PEPE_USDC"})
    assert b'"0.00001234"' in depth.body


def test_history_pages_and_filters():
    desk = Desk()
    desk.place("bob", "Ask", "180", "5")
    for _ in range(5):
        desk.place("alice", "Bid", "180", "1")
        desk.run(1)
    fills = desk.get("alice", "/wapi/v1/history/fills")
    assert [fill["tradeId"] for fill in fills] == [5, 4, 3, 2, 1]
    page = desk.get("alice", "/wapi/v1/history/fills", limit=2, offset=1)
    assert [fill["tradeId"] for fill in page] == [4, 3]
    oldest_first = desk.get("alice", "/wapi/v1/history/fills", sortDirection="Asc", limit=1)
    assert oldest_first == fills[-1:]
    by_order = desk.get("alice", "/wapi/v1/history/fills", orderId=fills[2]["orderId"])
    assert by_order == [fills[2]]
    since_ms = desk.now_ns // 1_000_000 - 2_500
    assert len(desk.get("alice", "/wapi/v1/history/fills", **{"from": since_ms})) == 2
    assert desk.get("alice", "/wapi/v1/history/fills", to=since_ms) == fills[2:]
    assert desk.get("alice", "/wapi/v1/history/fills", symbol=PERP) == []
    assert desk.get("alice", "/wapi/v1/history/fills", marketType="PERP") == []
