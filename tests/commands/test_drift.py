"""`botctl drift` on the wires of simulated venues: what it asks, and what it can never send or write."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

import cli
from engine.commands import drift_look
from engine.control import venue_questions
from engine.control.drift import looking
from engine.control.fleet import Eyes, View
from engine.control.venue_questions import Counter, account_leverage, open_counter
from engine.control.venue_settings import set_leverage
from engine.errors import NotSent, Refused, VenueError
from engine.exchanges.interface import Codec, Context, Endpoints, LeverageCodec
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.exchanges.registry import find_venue
from engine.host.endpoints import SimEndpoint, write_sim_endpoint
from engine.host.workspace import Workspace
from engine.sim.venues import simulated_markets
from tests.fleets import bot_spec, fleet_spec, write_generation
from tests.sim.served import served, sim_spec

MARKETS = {
    "backpack": "SOL_USDC_PERP",
    "aster": "SOLUSDT",
    "paradex": "SOL-USD-PERP",
    "lighter": "SOL",
}


@contextmanager
def opened(folder: Path, venue: str, fleet: str = "judges") -> Iterator[Workspace]:
    """A workspace with one bot on a simulated venue that is served from here."""
    asset = "USDT" if venue == "aster" else "USDC"
    (folder / "bots").mkdir()
    (folder / "bots" / "fleet.yaml").write_text(
        f"id: {fleet}\naccounts:\n  main: {{venue: {venue}, environment: sim, balances: {{{asset}: 100000}}}}\n"
    )
    (folder / "bots" / "sol.yaml").write_text(
        f"metadata: {{name: sol}}\nexchange: {{account: main, market: {MARKETS[venue]}}}\n"
        "strategy: {kind: perp_market_maker, spread_bps: 10, order_size: 1}\nrisk: {max_position: 5}\n"
    )
    workspace = Workspace(root=folder)
    with served(sim_spec("main", venue=venue, balances={asset: Decimal(100_000)})) as there:
        address = SimEndpoint(instance="one", rest_url=there.rest_url, ws_url=there.ws_url, pid=os.getpid())
        write_sim_endpoint(workspace, venue, address)
        yield workspace


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "host"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    place = tmp_path / "fleet"
    place.mkdir()
    return place


def counter_of(workspace: Workspace) -> Counter:
    return open_counter(workspace, "main")


@pytest.mark.parametrize("venue", ["backpack", "aster"])
def test_leverage_is_told_and_set_by_the_venues_own_words(venue: str, folder: Path) -> None:
    with opened(folder, venue) as workspace:
        counter, market = counter_of(workspace), MARKETS[venue]
        told = account_leverage(counter, market)
        assert told is not None and told[1], "it can also be set"
        assert told[0].times == 20 and told[0].is_of_account is (venue == "backpack")
        set_leverage(counter, market, Decimal(7))
        again = account_leverage(counter, market)
        assert again is not None and again[0].times == 7
        with pytest.raises(VenueError, match=r"did not set leverage to 0.5 times: \S"):
            set_leverage(counter, market, Decimal("0.5"))


def test_a_venue_that_only_tells_leverage_is_not_set(folder: Path) -> None:
    with opened(folder, "paradex") as workspace:
        told = account_leverage(counter_of(workspace), MARKETS["paradex"])
        assert told is not None and (told[0].times, told[1]) == (20, False)
        with pytest.raises(Refused, match="cannot set leverage"):
            set_leverage(counter_of(workspace), MARKETS["paradex"], Decimal(5))


def test_a_venue_that_does_not_tell_leverage_says_nothing(folder: Path) -> None:
    with opened(folder, "lighter") as workspace:
        assert account_leverage(counter_of(workspace), MARKETS["lighter"]) is None


@pytest.mark.parametrize("venue", ["backpack", "aster", "paradex"])
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"leverageLimit": "many", "configs": []}'),
        (200, b'[{"symbol": "SOLUSDT", "leverage": "NaN"}]'),
        (500, b"<html>"),
        (429, b"{}"),
    ],
)
def test_garbage_is_no_leverage(venue: str, status: int, body: bytes) -> None:
    package = find_venue(venue)
    instrument = next(one for one in simulated_markets(venue) if one.symbol == MARKETS[venue])
    codec = package.codec(
        leg="question",
        instrument=instrument,
        credentials=package.throwaway_credentials("garbage"),
        endpoints=Endpoints(rest_url="http://127.0.0.1", ws_url="ws://127.0.0.1"),
    )
    assert isinstance(codec, LeverageCodec)
    with pytest.raises(VenueError):
        codec.decode_leverage(HttpResponse(status=status, body=body))


def test_what_is_sent_as_a_question_can_only_be_one(folder: Path) -> None:
    def order(_codec: Codec, _context: Context) -> HttpRequest:
        return HttpRequest(method="POST", target="/api/v1/order")

    with opened(folder, "backpack") as workspace, pytest.raises(NotSent, match="is no question"):
        venue_questions._ask_codec(counter_of(workspace), MARKETS["backpack"], order, lambda *_: None)


def test_looking_is_given_a_view_without_hands(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []

    def look(view: View, wanted: looking.Wanted, progress: looking.Progress) -> looking.Looked:
        given.append(view)
        return looking.look(view, wanted, progress)

    monkeypatch.setattr(drift_look, "look", look)
    with opened(folder, "backpack") as workspace:
        cli.run(["drift", "-C", str(workspace.root)])
    [view] = given
    assert isinstance(view, View) and isinstance(view.backend, Eyes)
    assert {name for name in dir(view.backend) if not name.startswith("_")} == {"observe"}


def test_looking_leaves_every_file_as_it_was(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with opened(folder, "backpack", fleet="test") as workspace:
        write_generation(workspace, {"sol": bot_spec("sol", market="SOL_USDC_PERP")}, fleet=fleet_spec())
        before = files(folder)
        for options in ([], ["-v", "--all"], ["--json", "sol"]):
            capsys.readouterr()
            assert cli.run(["drift", *options, "-C", str(folder)]) == 2
        assert json.loads(capsys.readouterr().out)["has_drift"]
        assert files(folder) == before


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
