"""`botctl market record` over real sockets, against simulated venues of the workspace."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import cli
from engine.commands.market_record import progress_line, read_duration
from engine.control.recording import Progress
from engine.errors import Conflict, UsageError
from engine.host.endpoints import SimEndpoint, write_sim_endpoint
from engine.host.workspace import Workspace
from engine.sim.recording import BEST, DEPTH, TRADE, parse_line, recorded_lines
from tests.judges.waiting import eventually
from tests.session.simulated import PLACES
from tests.sim.served import Served, served, sim_spec

RECORD = "import sys, cli; sys.exit(cli.main())"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "host"))
    (tmp_path / "bots").mkdir()
    return Workspace(root=tmp_path)


def introduce(workspace: Workspace, venue: str, running: Served) -> None:
    """A fleet with one account, without keys, and where its venue listens."""
    fleet = f"id: judges\naccounts: {{alice: {{venue: {venue}, balances: {{{PLACES[venue].quote}: 9}}}}}}\n"
    (workspace.bots / "fleet.yaml").write_text(fleet)
    address = SimEndpoint(instance="one", rest_url=running.rest_url, ws_url=running.ws_url, pid=os.getpid())
    write_sim_endpoint(workspace, venue, address)


@pytest.mark.parametrize("venue", PLACES)
def test_a_market_of_every_venue_is_recorded_for_as_long_as_was_said(
    venue: str, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    path = workspace.root / "market.gz"
    words = ["market", "record", PLACES[venue].market, "-o", str(path), "-C", str(workspace.root)]
    with served(sim_spec("alice", venue=venue, speed="20")) as running:
        introduce(workspace, venue, running)
        assert cli.run([*words, "--for", "3s", "--json"]) == 0
        (row,) = json.loads(capsys.readouterr().out)
        with pytest.raises(Conflict, match="exists already"):
            cli.run([*words, "--for", "3s"])
    kinds = [message.e for _, message in map(parse_line, recorded_lines(path)())]
    assert {BEST, DEPTH, TRADE} <= set(kinds)
    assert (row["recording"], row["seconds"], row["gaps"]) == (str(path), 3, 0)
    assert (row["books"], row["trades"]) == (kinds.count(DEPTH), kinds.count(TRADE))
    assert row["size_bytes"] == path.stat().st_size


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_a_recording_whole(number: signal.Signals, workspace: Workspace) -> None:
    path = workspace.root / "market.gz"
    words = ["market", "record", PLACES["backpack"].market, "-o", str(path), "-C", str(workspace.root)]
    with served(sim_spec("alice", speed="20")) as running:
        introduce(workspace, "backpack", running)
        process = subprocess.Popen([sys.executable, "-c", RECORD, *words], stdout=subprocess.PIPE, text=True)
        try:
            eventually(lambda: path.exists() and path.stat().st_size > 500)
            process.send_signal(number)
            shown, _ = process.communicate(timeout=30)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 0 and str(path) in shown
    with gzip.open(path, "rt") as stream:
        lines = stream.readlines()
    assert lines and all(parse_line(line) and line.endswith("\n") for line in lines)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("1h", 3_600), ("1h30m", 5_400), ("0.5s", 0.5), ("2d", 172_800)],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert read_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "0s", "1h 30m", "h", "-5s", "1w"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no duration"):
        read_duration(text)


def test_without_a_file_nothing_is_recorded(workspace: Workspace) -> None:
    (workspace.bots / "fleet.yaml").write_text(
        "id: judges\naccounts: {a: {venue: backpack, balances: {USDC: 9}}}\n"
    )
    with pytest.raises(UsageError, match="needs a file"):
        cli.run(["market", "record", "SOL_USDC", "-C", str(workspace.root)])


def test_what_only_a_recording_has_is_refused_elsewhere(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="for recording"):
        cli.run(["market", "book", "SOL_USDC", "--for", "1h", "-C", str(workspace.root)])


def test_the_line_of_progress_tells_when_there_is_no_book() -> None:
    going = Progress(seconds=61.2, books=5, trades=3, gaps=0, size_bytes=1_500_000, lost_because="")
    assert progress_line(going) == "1:01 5 changes of the book, 3 trades, 0 gaps, 1.5 MB; Ctrl-C ends it"
    lost = Progress(seconds=1, books=0, trades=0, gaps=1, size_bytes=0, lost_because="the venue closed")
    assert "no book: the venue closed" in progress_line(lost)
