"""The simulated Lighter: nonces, signatures, tokens, delays, and outcomes that come after the answer."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any
from urllib.parse import quote_plus

import msgspec
import pytest

from engine.errors import AuthenticationFailed, RateLimited, VenueError
from engine.exchanges.lighter.account_wide import abort_cancel_all, cancel_all_now, schedule_cancel_all
from engine.exchanges.lighter.options import LighterOptions
from engine.exchanges.lighter.sending import send_transaction
from engine.exchanges.lighter.transactions import TxType
from engine.exchanges.lighter.venue import Lighter
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.model.commands import (
    QueryBalances,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    QueryOrderHistory,
    QueryPosition,
)
from engine.model.events import (
    BalancesReported,
    BookUpdated,
    CancelAcknowledged,
    CancelRejected,
    DepthChanged,
    FillsReported,
    NonceUsed,
    OpenOrdersReported,
    OrderFilled,
    OrderHistoryReported,
    OrderNotFound,
    OrderUpdated,
    PositionReported,
    SubmitRejected,
)
from engine.model.order import OrderStatus, RejectReason, Side, TimeInForce
from engine.sim.lighter.settings import LighterSettings
from tests.sim.lighter_desk import UNCOUNTED, VENUE, LighterDesk

ASK, BID = 381_000, 379_000


def kinds(events: list[Any]) -> list[str]:
    return [type(event).__name__ for event in events]


def only(events: list[Any], kind: type[Any]) -> Any:
    (found,) = [event for event in events if isinstance(event, kind)]
    return found


def code(answer: HttpResponse) -> int:
    return int(json.loads(answer.body)["code"])


def open_ids(desk: LighterDesk, name: str) -> list[int | None]:
    return [order.client_id for order in desk.machine.exchange.open_orders(name)]


# Accepted is not executed --------------------------------------------------------------------------------------


def test_an_order_is_answered_at_once_and_rests_after_the_tiers_delay() -> None:
    desk = LighterDesk()
    desk.listen("alice")
    desk.events("alice")
    assert desk.place("alice", 7, Side.BUY, BID, post_only=True) == []
    assert open_ids(desk, "alice") == []
    desk.run(0.19)
    assert desk.events("alice") == []
    desk.run(0.02)
    report = only(desk.events("alice"), OrderUpdated).report
    assert (report.client_id, report.ticks, report.lots, report.status) == (7, BID, 100, OrderStatus.RESTING)
    assert open_ids(desk, "alice") == [7]


@pytest.mark.parametrize("transactions_come_first", [False, True])
def test_an_orders_transaction_is_told_of_before_or_after_it(transactions_come_first: bool) -> None:
    settings = msgspec.structs.replace(UNCOUNTED, transactions_come_first=transactions_come_first)
    desk = LighterDesk(settings=settings)
    desk.listen("alice")
    desk.events("alice")
    desk.place("alice", 7, Side.BUY, BID, post_only=True)
    desk.run(1)
    kinds = [type(event) for event in desk.events("alice") if isinstance(event, OrderUpdated | NonceUsed)]
    assert kinds == ([NonceUsed, OrderUpdated] if transactions_come_first else [OrderUpdated, NonceUsed])


def test_a_crossing_post_only_is_accepted_and_refused_later() -> None:
    desk = LighterDesk()
    desk.place("bob", 1, Side.SELL, ASK)
    desk.run(1)
    desk.listen("alice")
    desk.events("alice")
    assert desk.place("alice", 8, Side.BUY, ASK, post_only=True) == []
    desk.run(1)
    heard = desk.events("alice")
    assert only(heard, SubmitRejected).reason is RejectReason.WOULD_CROSS
    assert only(heard, OrderUpdated).report.status is OrderStatus.REJECTED
    history = only(desk.ask("alice", QueryOrderHistory(leg="main", since_ns=0)), OrderHistoryReported)
    assert [(order.client_id, order.reason) for order in history.orders] == [(8, "post-only")]


def test_a_taker_is_filled_and_everything_says_so() -> None:
    desk = LighterDesk()
    desk.place("bob", 1, Side.SELL, ASK, lots=300)
    desk.run(1)
    desk.listen("alice")
    desk.events("alice")
    desk.place("alice", 9, Side.BUY, ASK + 100, lots=200, time_in_force=TimeInForce.IOC)
    desk.run(0.29)
    assert not any(isinstance(event, OrderFilled) for event in desk.events("alice"))
    desk.run(0.02)
    heard = desk.events("alice")
    fill = only(heard, OrderFilled).fill
    assert (fill.client_id, fill.ticks, fill.lots, fill.side, fill.fee) == (9, ASK, 200, Side.BUY, 0)
    assert only(heard, PositionReported).position.lots == 200
    fills = only(desk.ask("alice", QueryFills(leg="main", since_ns=0)), FillsReported).fills
    assert fills == (fill,)
    assert only(desk.ask("alice", QueryPosition(leg="main")), PositionReported).position.lots == 200
    assert only(desk.ask("bob", QueryPosition(leg="main")), PositionReported).position.lots == -200
    (usdc,) = only(desk.ask("alice", QueryBalances(leg="main")), BalancesReported).balances
    assert (usdc.asset, usdc.total) == ("USDC", 10_000)


def test_an_order_is_canceled_by_its_client_index_and_a_second_cancel_fails_later() -> None:
    desk = LighterDesk()
    desk.listen("alice")
    desk.place("alice", 7, Side.BUY, BID)
    desk.run(1)
    found = desk.ask("alice", QueryOrder(leg="main", client_id=7))
    assert only(found, OrderUpdated).report.client_id == 7
    desk.events("alice")
    assert kinds(desk.cancel("alice", 7)) == [CancelAcknowledged.__name__]
    desk.run(1)
    assert only(desk.events("alice"), OrderUpdated).report.status is OrderStatus.CANCELED
    only(desk.ask("alice", QueryOrder(leg="main", client_id=7)), OrderNotFound)
    assert kinds(desk.cancel("alice", 7)) == [CancelAcknowledged.__name__]
    desk.run(1)
    assert only(desk.events("alice"), CancelRejected).reason is RejectReason.UNKNOWN_ORDER


def test_a_resting_order_ends_at_its_own_time() -> None:
    desk = LighterDesk()
    desk.listen("alice")
    codec = Lighter(LighterOptions(tx_lifetime_s=30, order_life_s=330)).codec(
        leg="main",
        instrument=desk.codecs["alice"].instrument,
        credentials=desk.keys["alice"],
        endpoints=VENUE.facts.endpoints["mainnet"],
    )
    desk.codecs["alice"] = codec
    desk.place("alice", 7, Side.BUY, BID)
    desk.run(329)
    assert open_ids(desk, "alice") == [7]
    desk.events("alice")
    desk.run(2)
    report = only(desk.events("alice"), OrderUpdated).report
    assert (report.status, report.reason) == (OrderStatus.EXPIRED, "expired")


def test_open_orders_are_those_that_rest() -> None:
    desk = LighterDesk()
    for client_id in (1, 2):
        desk.place("alice", client_id, Side.BUY, BID - client_id)
    desk.run(1)
    found = only(desk.ask("alice", QueryOpenOrders(leg="main")), OpenOrdersReported)
    assert [order.client_id for order in found.orders] == [1, 2]


# Who may -------------------------------------------------------------------------------------------------------


def send_again(desk: LighterDesk, **changes: Any) -> int:
    """The code of the answer to a signed cancel whose fields were changed afterwards."""
    signed = desk.signed("alice", TxType.CANCEL_ORDER, {"MarketIndex": 0, "Index": 1})
    info = json.dumps(json.loads(signed.tx_info) | changes)
    return code(desk.send(send_transaction(msgspec.structs.replace(signed, tx_info=info))))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 200),
        ({"Index": 2}, 21120),
        ({"Sig": "AAAA"}, 21120),
        ({"Sig": "not base64"}, 21120),
        ({"Nonce": 5}, 21104),
        ({"ApiKeyIndex": 9}, 21109),
        ({"AccountIndex": 12}, 21100),
        ({"ExpiredAt": 1}, 21711),
        ({"Nonce": "x"}, 21501),
        ({"L2TxAttributes": {"4": 1, "5": 1, "6": 1, "7": 1, "8": 1}}, 21501),
        ({"L2TxAttributes": {"4": 1}}, 21120),
    ],
)
def test_a_transaction_must_be_signed_numbered_and_in_time(changes: dict[str, Any], expected: int) -> None:
    assert send_again(LighterDesk(), **changes) == expected


def test_a_nonce_is_used_up_by_an_accepted_transaction_only() -> None:
    desk = LighterDesk()
    source = desk.codecs["alice"].nonce_source
    assert source is not None

    def next_nonce() -> int:
        return source.decode(desk.send(source.request(desk.context())))

    assert next_nonce() == 0
    assert send_again(desk, Index=2) == 21120
    assert next_nonce() == 0
    desk._nonces["alice"] = 0
    assert send_again(desk) == 200
    assert next_nonce() == 1


def test_with_the_skip_attribute_a_later_nonce_will_do() -> None:
    desk = LighterDesk()
    desk._nonces["alice"] = 500
    cancel = {"MarketIndex": 0, "Index": 1}
    signed = desk.signed("alice", TxType.CANCEL_ORDER, cancel, attributes={"4": 1})
    assert code(desk.send(send_transaction(signed))) == 200
    desk._nonces["alice"] = 500
    signed = desk.signed("alice", TxType.CANCEL_ORDER, cancel, attributes={"4": 1})
    assert code(desk.send(send_transaction(signed))) == 21104


def test_a_signature_for_another_chain_is_none() -> None:
    desk = LighterDesk(settings=LighterSettings(chain_id=300, requests_per_minute=None))
    with pytest.raises(AuthenticationFailed) as caught:
        desk.place("alice", 1, Side.BUY, BID)
    assert "21120" in caught.value.venue_words


def test_a_token_opens_private_reads_until_it_ends_and_only_its_own_account() -> None:
    desk = LighterDesk()
    token = desk.signers["alice"].auth_token(desk.now_ns // 10**9 + 60)
    alice, bob = (desk.keys[name]["account_index"] for name in ("alice", "bob"))

    def read(account: str, shown: str) -> int:
        target = f"/api/v1/accountActiveOrders?account_index={account}&market_id=0"
        return code(desk.send(HttpRequest(method="GET", target=target, headers=(("authorization", shown),))))

    assert read(alice, token) == 200
    assert read(bob, token) == read(alice, "") == read(alice, token[:-2] + "00") == 20013
    desk.run(61)
    assert read(alice, token) == 20013


def test_a_private_channel_wants_a_good_token() -> None:
    desk = LighterDesk()
    account = desk.keys["alice"]["account_index"]
    channel = f"account_all_orders/{account}"
    other = desk.signers["bob"].auth_token(desk.now_ns // 10**9 + 60)
    socket = desk.open(json.dumps({"type": "subscribe", "channel": channel}))
    desk.say(socket, json.dumps({"type": "subscribe", "channel": channel, "auth": other}))
    desk.say(socket, json.dumps({"type": "subscribe", "channel": "order_book/99"}))
    desk.say(socket, json.dumps({"type": "subscribe", "channel": "nonsense/0"}))
    desk.say(socket, "{")
    codes = [frame["error"]["code"] for frame in desk.sent if "error" in frame]
    assert codes == [30006, 20013, 21602, 30005, 30000]


def test_a_channel_may_fall_silent_when_its_token_ends() -> None:
    desk = LighterDesk(settings=msgspec.structs.replace(UNCOUNTED, tokens_end_streams=True))
    desk.listen("alice")
    desk.run(7 * 3600 + 5)
    desk.events("alice")
    desk.place("alice", 1, Side.BUY, BID)
    desk.run(1)
    assert not any(isinstance(event, OrderUpdated) for event in desk.events("alice"))


def test_a_standard_account_has_sixty_requests_a_minute() -> None:
    desk = LighterDesk(settings=LighterSettings())
    for _ in range(60):
        desk.ask("alice", QueryOpenOrders(leg="main"))
    with pytest.raises(RateLimited):
        desk.ask("alice", QueryOpenOrders(leg="main"))
    desk.ask("bob", QueryOpenOrders(leg="main"))
    desk.run(61)
    desk.ask("alice", QueryOpenOrders(leg="main"))


def test_a_premium_account_may_send_more_pays_for_reads_by_weight_and_does_not_wait() -> None:
    desk = LighterDesk(settings=LighterSettings(), tiers={"alice": "premium"})
    for _ in range(80):
        desk.ask("alice", QueryOpenOrders(leg="main"))
    with pytest.raises(RateLimited):
        desk.ask("alice", QueryOpenOrders(leg="main"))
    desk.run(61)
    for client_id in range(1, 101):
        desk.place("alice", client_id, Side.BUY, BID - client_id, post_only=True)
    desk.run(0.001)
    assert len(open_ids(desk, "alice")) == 100


# What may be asked ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({"ticks": 100, "lots": 100}, RejectReason.INVALID),
        ({"ticks": BID, "lots": 49}, RejectReason.INVALID),
        ({"ticks": BID, "lots": 10_000_000}, RejectReason.INSUFFICIENT_FUNDS),
    ],
)
def test_an_order_that_cannot_rest_is_refused_at_once(order: dict[str, int], reason: RejectReason) -> None:
    rejected = only(LighterDesk().place("alice", 1, Side.BUY, **order), SubmitRejected)
    assert rejected.reason is reason


def test_a_client_index_in_use_is_refused() -> None:
    desk = LighterDesk()
    desk.place("alice", 1, Side.BUY, BID)
    desk.run(1)
    assert "21728" in only(desk.place("alice", 1, Side.BUY, BID - 1), SubmitRejected).venue_words


def test_a_modified_order_keeps_its_client_index() -> None:
    desk = LighterDesk()
    desk.place("alice", 1, Side.BUY, BID)
    desk.run(1)
    fields = {"MarketIndex": 0, "Index": 1, "BaseAmount": 150, "Price": BID - 10, "TriggerPrice": 0}
    assert code(desk.send(send_transaction(desk.signed("alice", TxType.MODIFY_ORDER, fields)))) == 200
    desk.run(1)
    (order,) = desk.machine.exchange.open_orders("alice")
    assert (order.client_id, order.ticks, order.lots) == (1, BID - 10, 150)


def test_cancel_all_takes_every_order_of_the_account_now_later_or_not() -> None:
    desk = LighterDesk()
    alice = desk.signers["alice"]

    def quote(client_id: int) -> None:
        desk.place("alice", client_id, Side.BUY, BID - client_id)
        desk.run(1)

    def send(make: Any, *arguments: int) -> int:
        request = make(alice, *arguments, nonce=desk.nonce("alice"), now_ns=desk.now_ns)
        answered = code(desk.send(request))
        desk.run(1)
        return answered

    quote(1)
    assert send(schedule_cancel_all, 300_000) == 200
    assert send(abort_cancel_all) == 200
    desk.run(400)
    assert open_ids(desk, "alice") == [1]
    assert send(schedule_cancel_all, 300_000) == 200
    desk.run(290)
    assert open_ids(desk, "alice") == [1]
    desk.run(15)
    assert open_ids(desk, "alice") == []
    quote(2)
    assert send(cancel_all_now) == 200
    assert open_ids(desk, "alice") == []
    with pytest.raises(VenueError):
        send(schedule_cancel_all, 1_000)


@pytest.mark.parametrize("as_object", [True, False])
def test_a_transaction_may_come_over_the_socket(as_object: bool) -> None:
    desk = LighterDesk()
    signed = desk.signed("alice", TxType.CANCEL_ORDER, {"MarketIndex": 0, "Index": 1})
    info = json.loads(signed.tx_info) if as_object else signed.tx_info
    data = {"id": "7", "tx_type": signed.tx_type, "tx_info": info}
    desk.open(json.dumps({"type": "jsonapi/sendtx", "data": data}))
    assert (desk.sent[-1]["type"], desk.sent[-1]["id"], desk.sent[-1]["code"]) == ("jsonapi/sendtx", "7", 200)


def test_a_batch_is_taken_in_order() -> None:
    desk = LighterDesk()
    cancels = [desk.signed("alice", TxType.CANCEL_ORDER, {"MarketIndex": 0, "Index": n}) for n in (1, 2)]
    types = json.dumps([signed.tx_type for signed in cancels])
    infos = json.dumps([signed.tx_info for signed in cancels])
    body = f"tx_types={quote_plus(types)}&tx_infos={quote_plus(infos)}".encode()
    answer = desk.send(HttpRequest(method="POST", target="/api/v1/sendTxBatch", body=body))
    assert len(json.loads(answer.body)["tx_hash"]) == 2


# The book ------------------------------------------------------------------------------------------------------


def test_the_book_is_followed_from_the_streams_own_snapshot() -> None:
    desk = LighterDesk(speed="4", settings=msgspec.structs.replace(UNCOUNTED, book_interval_ms=0))
    desk.listen("alice")
    book, shown = VENUE.book("main"), 0
    for _ in range(20):
        desk.run(1)
        for event in desk.events("alice", depth=True):
            outcome = book.changed(event) if isinstance(event, DepthChanged) else book.snapshot(event)  # type: ignore[arg-type]
            assert isinstance(outcome, BookUpdated)
            shown += 1
    venues = desk.machine.exchange.markets["ETH"].book
    assert outcome.bids[:5] == tuple(venues.levels(Side.BUY, 5))
    assert outcome.asks[:5] == tuple(venues.levels(Side.SELL, 5))
    assert shown > 20


def test_changes_of_a_book_leave_together_at_most_every_interval() -> None:
    desk = LighterDesk(speed="50")
    desk.listen("alice")
    desk.events("alice")
    desk.run(1)
    updates = [frame for frame in desk.sent if frame["type"] == "update/order_book"]
    assert 5 < len(updates) <= 20
    nonces = [(frame["order_book"]["begin_nonce"], frame["order_book"]["nonce"]) for frame in updates]
    assert all(before[1] == after[0] for before, after in pairwise(nonces))


def test_a_lost_update_makes_the_book_stale() -> None:
    desk = LighterDesk(speed="4")
    desk.listen("alice")
    desk.run(5)
    book = VENUE.book("main")
    snapshot, *diffs = desk.events("alice", depth=True)
    book.snapshot(snapshot)  # type: ignore[arg-type]
    book.changed(diffs[0])  # type: ignore[arg-type]
    book.changed(diffs[2])  # type: ignore[arg-type]
    assert book.wants_snapshot
