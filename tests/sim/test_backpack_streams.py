"""The simulated Backpack's WebSocket: subscriptions, errors, and streams that tell the whole truth."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from engine.exchanges.backpack.venue import VENUE
from engine.exchanges.interface import Context, Endpoints
from engine.exchanges.messages import HttpResponse
from engine.model.commands import QueryBook
from engine.model.events import BookUpdated, DepthChanged, DepthSnapshot
from engine.model.order import Side
from engine.sim.backpack.markets import MARKETS
from engine.sim.machine import SocketClosed, SocketReceived
from engine.sim.venues import account_credentials
from tests.sim.desk import FLEET, PERP, SPOT, Desk


def test_depth_updates_are_a_chain_and_rebuild_the_book():
    desk = Desk(speed="5")
    snapshot = desk.get(None, "/api/v1/depth", symbol=SPOT)
    socket = desk.open_socket(f"depth.{SPOT}")
    desk.run(30)
    sides = {side: {float(price): size for price, size in snapshot[side]} for side in ("bids", "asks")}
    last_id = int(snapshot["lastUpdateId"])
    for update in desk.frames(socket, f"depth.{SPOT}"):
        assert update["U"] == update["u"] == last_id + 1
        last_id = update["u"]
        for side, changes in (("bids", update["b"]), ("asks", update["a"])):
            for price, size in changes:
                sides[side][float(price)] = size
    now = desk.get(None, "/api/v1/depth", symbol=SPOT)
    assert int(now["lastUpdateId"]) == last_id
    for side, levels in sides.items():
        assert sorted((p, s) for p, s in levels.items() if s != "0") == [(float(p), s) for p, s in now[side]]


def test_windowed_depth_gives_the_same_book_in_fewer_updates():
    desk = Desk(speed="5")
    socket = desk.open_socket(f"depth.{SPOT}", f"depth.1000ms.{SPOT}")
    desk.run(10)
    single, windowed = desk.frames(socket, f"depth.{SPOT}"), desk.frames(socket, f"depth.1000ms.{SPOT}")
    assert len(single) > 20
    assert 8 <= len(windowed) <= 10
    newest: dict[str, str] = {}
    for update in single:
        if update["u"] <= windowed[-1]["u"]:
            newest |= dict(update["b"])
    told: dict[str, str] = {}
    for before, after in pairwise(windowed):
        assert after["U"] == before["u"] + 1
    for update in windowed:
        told |= dict(update["b"])
    assert told.items() <= newest.items()


def test_the_clients_book_machine_follows_the_stream_without_a_gap():
    """Both ends of the protocol against each other: the codec and book machine that engines use."""
    desk = Desk(speed="5")
    (market,) = [market for market in MARKETS if market.symbol == SPOT]
    codec = VENUE.codec(
        leg="main",
        instrument=market.instrument,
        credentials=account_credentials("backpack", FLEET, "alice"),
        endpoints=Endpoints(rest_url="http://sim", ws_url="ws://sim"),
    )
    book = VENUE.book("main")
    socket = desk.open_socket(f"depth.{SPOT}")
    desk.run(5)
    query = QueryBook(leg="main")
    request = codec.encode(query, Context(now_ns=desk.now_ns))
    snapshot: HttpResponse = desk.send(request)
    (taken,) = codec.decode_reply(query, snapshot, requested_ns=desk.now_ns, at_ns=desk.now_ns)
    assert isinstance(taken, DepthSnapshot)
    book.snapshot(taken)
    desk.run(20)
    seen = None
    for frame in desk.frames(socket):
        for event in codec.decode_frame(json.dumps(frame), at_ns=desk.now_ns):
            if isinstance(event, DepthChanged):
                seen = book.changed(event) or seen
    assert isinstance(seen, BookUpdated)
    venues_own = desk.machine.exchange.markets[SPOT].book
    assert seen.bids[0] == venues_own.levels(Side.BUY, 1)[0]
    assert seen.asks[0] == venues_own.levels(Side.SELL, 1)[0]


def test_prices_are_padded_on_the_stream():
    desk = Desk()
    socket = desk.open_socket(f"depth.{SPOT}", f"bookTicker.{SPOT}", f"trade.{SPOT}")
    desk.place("bob", "Ask", "181", "1")
    assert desk.frames(socket, f"depth.{SPOT}")[0]["a"] == [["181.00", "1"]]
    ticker = desk.frames(socket, f"bookTicker.{SPOT}")[0]
    assert (ticker["a"], ticker["A"], ticker["b"], ticker["B"]) == ("181.00", "1", None, None)
    desk.place("alice", "Bid", "181", "1")
    (trade,) = desk.frames(socket, f"trade.{SPOT}")
    assert (trade["p"], trade["q"], trade["m"], trade["t"]) == ("181.00", "1", False, 1)
    assert desk.frames(socket, f"depth.{SPOT}")[1]["a"] == [["181.00", "0"]]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("no json", 4002),
        ('{"method":"HELLO","params":[]}', 4002),
        ('{"method":"SUBSCRIBE","params":["nonsense"]}', 4006),
        ('{"method":"SUBSCRIBE","params":["depth."]}', 4006),
        ('{"method":"SUBSCRIBE","params":["kline.2m.SOL_USDC"]}', 4006),
        ('{"method":"SUBSCRIBE","params":["account.secrets"]}', 4006),
        ('{"method":"SUBSCRIBE","params":["depth.300ms.SOL_USDC"]}', 4008),
        ('{"method":"SUBSCRIBE","params":["account.orderUpdate"]}', 4003),
        ('{"method":"SUBSCRIBE","params":["account.orderUpdate"],"signature":["a","b","c","d"]}', 4003),
    ],
)
def test_a_frame_that_cannot_be_meant_gets_an_error_and_the_socket_stays_open(text: str, code: int):
    desk = Desk()
    socket = desk.open_socket()
    desk.handle(SocketReceived(socket_id=socket, text=text))
    (frame,) = desk.frames(socket)
    assert (frame["id"], frame["error"]["code"]) == (None, code)
    desk.subscribe(socket, [f"depth.{SPOT}"])
    desk.place("bob", "Ask", "181", "1")
    assert desk.frames(socket, f"depth.{SPOT}")


def test_an_unknown_symbol_is_silent_and_subscribing_twice_delivers_once():
    desk = Desk()
    socket = desk.open_socket("depth.DOGE_USDC", f"depth.{SPOT}", f"depth.{SPOT}")
    desk.subscribe(socket, [f"depth.{SPOT}"])
    desk.place("bob", "Ask", "181", "1")
    assert len(desk.frames(socket)) == 1


def test_unsubscribing_and_closing_end_the_delivery():
    desk = Desk()
    left, closed = desk.open_socket(f"depth.{SPOT}"), desk.open_socket(f"depth.{SPOT}")
    desk.handle(
        SocketReceived(socket_id=left, text=json.dumps({"method": "UNSUBSCRIBE", "params": [f"depth.{SPOT}"]}))
    )
    desk.handle(SocketClosed(socket_id=closed))
    desk.place("bob", "Ask", "181", "1")
    assert desk.frames(left) == desk.frames(closed) == []


def test_an_accounts_orders_are_told_to_its_own_sockets_only():
    desk = Desk()
    mine = desk.open_socket("account.orderUpdate", account="alice")
    here = desk.open_socket(f"account.orderUpdate.{SPOT}", account="alice")
    elsewhere = desk.open_socket(f"account.orderUpdate.{PERP}", account="alice")
    theirs = desk.open_socket("account.orderUpdate", account="bob")
    desk.place("alice", "Bid", "180", "1", clientId=4)
    assert len(desk.frames(mine)) == len(desk.frames(here)) == 1
    assert desk.frames(elsewhere) == desk.frames(theirs) == []


def test_the_life_of_an_order_on_the_stream():
    desk = Desk()
    socket = desk.open_socket("account.orderUpdate", account="alice")
    desk.place("alice", "Bid", "180", "2", clientId=4)
    desk.place("bob", "Ask", "180", "0.5")
    desk.request("alice", "DELETE", "/api/v1/orders", {"symbol": SPOT})
    desk.place("bob", "Ask", "181", "1")
    desk.place("alice", "Bid", "181", "3", timeInForce="IOC")
    told = [shape(update) for update in desk.frames(socket, "account.orderUpdate")]
    assert told == [
        ("orderAccepted", "New", "0", None, None),
        ("orderFill", "PartiallyFilled", "0.5", "0.5", None),
        ("orderCancelled", "Cancelled", "0.5", None, None),
        ("orderAccepted", "New", "0", None, None),
        ("orderFill", "PartiallyFilled", "1", "1", None),
        ("orderExpired", "Expired", "1", None, "ImmediateOrCancel"),
    ]
    fill = desk.frames(socket, "account.orderUpdate")[1]
    assert (fill["c"], fill["m"], fill["n"], fill["N"], fill["L"]) == (4, True, "0.0004", "SOL", "180")
    assert (fill["o"], fill["S"], fill["f"], fill["O"]) == ("LIMIT", "Bid", "GTC", "USER")


def shape(update: dict[str, Any]) -> tuple[object, ...]:
    return update["e"], update["X"], update["z"], update.get("l"), update.get("R")


def test_balances_are_told_by_asset_as_absolute_values():
    desk = Desk()
    socket = desk.open_socket("account.balanceUpdate", account="alice")
    desk.place("alice", "Bid", "180", "1")
    (locked,) = desk.frames(socket, "account.balanceUpdate")
    assert (locked["a"], locked["A"], locked["L"]) == ("USDC", "99820", "180")
    desk.place("bob", "Ask", "180", "1")
    newest = {update["a"]: update for update in desk.frames(socket, "account.balanceUpdate")}
    assert (newest["USDC"]["A"], newest["USDC"]["L"]) == ("99820", "0")
    assert newest["SOL"]["A"] == "100.9992"


def test_positions_are_sent_once_on_subscribing_and_then_as_they_change():
    desk = Desk()
    early = desk.open_socket("account.positionUpdate", account="alice")
    trade_perp(desk, "Bid", "2")
    late = desk.open_socket(f"account.positionUpdate.{PERP}", account="alice")
    trade_perp(desk, "Ask", "1")
    trade_perp(desk, "Ask", "1")
    events = [(update.get("e"), update["q"]) for update in desk.frames(early, "account.positionUpdate")]
    assert events == [("positionOpened", "2"), ("positionAdjusted", "1"), ("positionClosed", "0")]
    snapshot = desk.frames(late)[0]["data"]
    assert "e" not in snapshot
    assert (snapshot["q"], snapshot["B"], snapshot["s"]) == ("2", "180", PERP)
    assert len(desk.frames(late)) == 3


def trade_perp(desk: Desk, side: str, quantity: str) -> None:
    desk.place("bob", "Ask" if side == "Bid" else "Bid", "180", quantity, symbol=PERP)
    desk.place("alice", side, "180", quantity, symbol=PERP)


def test_marks_and_tickers_come_once_a_second_even_when_nothing_changes():
    desk = Desk()
    socket = desk.open_socket(f"markPrice.{PERP}", f"ticker.{SPOT}", f"markPrice.{SPOT}")
    desk.run(5)
    marks = desk.frames(socket, f"markPrice.{PERP}")
    assert len(marks) == 5
    assert (marks[0]["p"], marks[0]["f"]) == ("180.6", "0.0000125")
    assert len(desk.frames(socket, f"ticker.{SPOT}")) == 5
    assert desk.frames(socket, f"markPrice.{SPOT}") == []


def test_a_candle_is_sent_in_seconds_with_a_trade():
    desk = Desk()
    socket = desk.open_socket(f"kline.1m.{SPOT}")
    desk.place("bob", "Ask", "181", "1")
    desk.place("alice", "Bid", "181", "1")
    desk.run(3)
    (candle,) = desk.frames(socket, f"kline.1m.{SPOT}")
    assert (candle["o"], candle["v"], candle["n"], candle["X"]) == ("181", "1", 1, False)
