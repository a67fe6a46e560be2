"""`botctl market` against a simulated Lighter of the workspace."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import cli
from engine.clock import NS_PER_S
from engine.errors import ProtocolError, VenueError
from engine.exchanges.interface import CandleVenue
from engine.exchanges.lighter.venue import VENUE
from engine.exchanges.messages import HttpResponse
from engine.host.endpoints import SimEndpoint, write_sim_endpoint
from engine.host.workspace import Workspace
from tests.sim.served import served, sim_spec

FLEET = """id: judges
accounts:
  alice: {venue: lighter, balances: {USDC: 777}, options: {tier: premium}}
"""
Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Ask]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "host"))
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "fleet.yaml").write_text(FLEET)

    def run(*words: str) -> list[dict[str, Any]]:
        capsys.readouterr()
        assert cli.run([*words, "-C", str(tmp_path), "--json"]) == 0
        answer: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
        return answer

    with served(sim_spec("alice", venue="lighter", speed="50", balances={"USDC": Decimal(777)})) as venue:
        address = SimEndpoint(instance="one", rest_url=venue.rest_url, ws_url=venue.ws_url, pid=os.getpid())
        write_sim_endpoint(Workspace(root=tmp_path), "lighter", address)
        yield run


def test_markets_and_books_are_shown(ask: Ask) -> None:
    assert {"ETH", "BTC"} <= {row["market"] for row in ask("market", "list")}
    rows = ask("market", "book", "ETH")
    prices = [Decimal(row["price"]) for row in rows]
    assert prices == sorted(prices, reverse=True) and {row["side"] for row in rows} == {"ask", "bid"}


def test_candles_tell_what_traded(ask: Ask) -> None:
    ask("market", "book", "ETH")
    answers = (ask("market", "klines", "ETH", "--minutes", "10") for _ in range(200))
    for candle in next(candles for candles in answers if candles):
        low, high = Decimal(candle["low"]), Decimal(candle["high"])
        assert low <= Decimal(candle["open"]) <= high and low <= Decimal(candle["close"]) <= high
        assert Decimal(candle["volume"]) > 0


def decoded(body: str, status: int = 200) -> Any:
    assert isinstance(VENUE, CandleVenue)
    return VENUE.decode_candles(HttpResponse(status=status, body=body.encode()))


def test_candles_come_oldest_first_exactly_and_without_intervals_in_which_nothing_traded() -> None:
    row = '{"t":%d,"o":3801.1,"h":3803.50,"l":3800,"c":3802.2,"v":%s,"V":4752.6,"i":77}'
    rows = ",".join(row % pair for pair in ((1763448720000, "1.25"), (1763448660000, "0.1"), (1763448780000, "0")))
    first, second = decoded('{"code":200,"r":"1m","c":[' + rows + "]}")
    assert (first.start_ns, second.start_ns) == (1763448660 * NS_PER_S, 1763448720 * NS_PER_S)
    assert (first.open, first.high, first.low, first.close) == tuple(
        map(Decimal, ("3801.1", "3803.5", "3800", "3802.2"))
    )
    assert second.volume == Decimal("1.25")


@pytest.mark.parametrize("body", ["", "[]", '{"c":[{"t":1}]}', '{"c":[{"t":1,"o":1e999,"h":1,"l":1,"c":1,"v":1}]}'])
def test_candles_that_make_no_sense_are_said_to(body: str) -> None:
    with pytest.raises(ProtocolError):
        decoded(body)


def test_a_refusal_is_no_list_of_candles() -> None:
    with pytest.raises(VenueError, match="400"):
        decoded('{"code":20001,"message":"invalid param"}', status=400)
