"""The background market: alive, near its price, bounded, and the same for the same seed."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from engine.clock import NS_PER_S
from engine.errors import ConfigInvalid
from engine.model.order import Side
from engine.sim.flow import HOUSE_MAKER, LEVELS
from engine.sim.recording import parse_line, recorded_lines
from tests.sim.desk import PERP, SPOT, Desk

EXCERPT = Path(__file__).parents[1] / "data" / "btcusdt_excerpt.gz"


def quote_around_mid(desk: Desk, distance_bps: float, symbol: str = SPOT) -> None:
    """Replace alice's two quotes by new ones around the middle."""
    desk.request("alice", "DELETE", "/api/v1/orders", {"symbol": symbol})
    book = desk.machine.exchange.markets[symbol].book
    bid, ask = book.best(Side.BUY), book.best(Side.SELL)
    assert bid is not None and ask is not None
    for side, sign in (("Bid", -1), ("Ask", 1)):
        ticks = round((bid + ask) / 2 * (1 + sign * distance_bps / 10_000))
        price = str(desk.machine.exchange.markets[symbol].market.instrument.price(ticks))
        desk.place("alice", side, price, "0.05", symbol=symbol, postOnly=True)


@pytest.mark.parametrize(("distance_bps", "symbol"), [(2, SPOT), (5, SPOT), (10, SPOT), (10, PERP)])
def test_a_bot_quoting_near_the_middle_is_filled_every_few_seconds(distance_bps: float, symbol: str):
    desk = Desk(speed="1")
    desk.get(None, "/api/v1/depth", symbol=symbol)
    for _ in range(120):
        quote_around_mid(desk, distance_bps, symbol)
        desk.run(0.5)
    fills = desk.machine.exchange.fills("alice")
    assert len(fills) >= 8
    assert {fill.side for fill in fills} == {Side.BUY, Side.SELL}


def test_deep_quotes_are_reached_too_now_and_then():
    desk = Desk(speed="1")
    desk.get(None, "/api/v1/depth", symbol=SPOT)
    for _ in range(200):
        quote_around_mid(desk, 25)
        desk.run(3)
    assert desk.machine.exchange.fills("alice")


def test_speed_changes_the_pace_and_nothing_else():
    counts = {}
    for speed in ("1", "10"):
        desk = Desk(speed=speed)
        socket = desk.open_socket(f"trade.{SPOT}")
        desk.run(20)
        counts[speed] = len(desk.frames(socket))
    assert counts["1"] * 4 < counts["10"] < counts["1"] * 25


def test_an_hour_of_flow_stays_near_its_price_and_within_its_bounds():
    desk = Desk(speed="20")
    desk.get(None, "/api/v1/depth", symbol=SPOT)
    start = desk.machine.exchange.markets[SPOT].market.start_price
    for _ in range(18):
        desk.run(10)
        at = desk.machine.exchange.markets[SPOT]
        assert abs(at.mark / start - 1) < Decimal("0.05")
        assert len(desk.machine.exchange.open_orders(HOUSE_MAKER)) <= 2 * LEVELS
        assert at.book.best(Side.BUY) < at.book.best(Side.SELL)
    assert desk.machine.exchange.order_history(HOUSE_MAKER) == []


def test_a_market_sleeps_until_somebody_asks_for_it():
    desk = Desk(speed="1")
    desk.run(5)
    assert all(at.book.best(Side.BUY) is None for at in desk.machine.exchange.markets.values())
    assert len(desk.get(None, "/api/v1/depth", symbol=SPOT)["bids"]) == LEVELS
    assert desk.machine.exchange.markets[PERP].book.best(Side.BUY) is None


def session(seed: int) -> Desk:
    """Some minutes of trading and listening."""
    desk = Desk(speed="2", seed=seed)
    desk.open_socket(
        f"depth.{SPOT}", f"depth.200ms.{SPOT}", f"trade.{SPOT}", f"kline.1m.{SPOT}", f"markPrice.{PERP}"
    )
    desk.open_socket("account.orderUpdate", "account.balanceUpdate", "account.positionUpdate", account="alice")
    for _ in range(40):
        quote_around_mid(desk, 4)
        desk.place("bob", "Bid", None, "0.5")
        desk.place("alice", "Ask", None, "0.3", symbol=PERP)
        desk.run(0.7)
    return desk


def test_the_same_seed_gives_the_same_venue_to_the_last_byte():
    first, second, other = session(1), session(1), session(2)
    assert len(first.transcript) > 1_000
    assert first.transcript == second.transcript
    assert first.transcript != other.transcript
    assert first.machine.exchange.fills("alice") == second.machine.exchange.fills("alice")


def test_a_recording_drives_a_market_at_the_markets_own_price():
    desk = Desk(recording=recorded_lines(EXCERPT), speed="1")
    socket = desk.open_socket(f"trade.{SPOT}", f"depth.{SPOT}")
    desk.run(8)
    at = desk.machine.exchange.markets[SPOT]
    bid, ask = at.book.best(Side.BUY), at.book.best(Side.SELL)
    assert bid is not None and ask is not None
    start_ticks = at.market.instrument.ticks_below(at.market.start_price)
    assert bid < ask
    assert abs(bid / start_ticks - 1) < 0.01
    assert len(desk.frames(socket, f"trade.{SPOT}")) > 20
    assert len(desk.frames(socket, f"depth.{SPOT}")) > 50


def test_in_a_gap_of_a_recording_no_book_rests_until_it_is_told_anew():
    def line(at_s: float, **data: object) -> str:
        return f"{round(at_s * NS_PER_S)} {json.dumps({'data': data})}"

    def book(at_s: float) -> list[str]:
        levels = {"b": [["99.9", "10"]], "a": [["100.1", "10"]]}
        return [line(at_s, e="bookTicker", b="99.9", a="100.1"), line(at_s, e="depthUpdate", **levels)]

    lines = [*book(0), line(1, e="gap", why="the socket went"), *book(3), line(9, e="gap")]
    desk = Desk(recording=lambda: lines, speed="1")
    desk.open_socket(f"depth.{SPOT}")
    rests = []
    for delay_s in (0.5, 1.5, 2):
        desk.run(delay_s)
        resting = desk.machine.exchange.markets[SPOT].book
        rests.append([resting.best(side) is not None for side in Side])
    assert rests == [[True, True], [False, False], [True, True]]


def test_a_recording_starts_again_at_its_end():
    lines = list(recorded_lines(EXCERPT)())[:300]
    desk = Desk(recording=lambda: lines, speed="10")
    socket = desk.open_socket(f"trade.{SPOT}")
    desk.run(3)
    once = len(desk.frames(socket))
    desk.run(6)
    assert len(desk.frames(socket)) > 2 * once > 0


@pytest.mark.parametrize("line", ["", "nonsense", "12 {", "x {}", '12 {"stream":"a"}'])
def test_a_line_of_another_format_is_refused(line: str):
    with pytest.raises(ConfigInvalid, match="not a recorded line"):
        parse_line(line)


def test_a_recording_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(ConfigInvalid, match="there is no recording"):
        recorded_lines(tmp_path / "absent.gz")
