"""`botctl sim`: a venue for people, with or without a workspace."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

import cli
from engine.errors import UsageError
from engine.host.endpoints import read_sim_endpoint
from engine.host.workspace import Workspace

FLEET = """id: people
accounts:
  main: {venue: backpack, environment: sim, balances: {USDC: 777}}
sim:
  backpack: {seed: 3}
"""


def run_sim(folder: Path, *arguments: str) -> tuple[str, subprocess.Popen[str]]:
    """What the command says until it serves, and the running command."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", "import sys, cli; sys.exit(cli.main())", "sim", *arguments]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = ""
    deadline = time.monotonic() + 30
    while "Ctrl-C" not in said:
        line = process.stdout.readline()
        assert line and time.monotonic() < deadline, said
        said += line
    return said, process


def stop(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGINT)
    code = process.wait(10)
    if process.stdout:
        process.stdout.close()
    return code


def test_without_a_workspace_it_serves_two_accounts_and_shows_their_keys(tmp_path: Path):
    said, process = run_sim(tmp_path)
    assert re.search(r"simulated backpack at http://127\.0\.0\.1:\d+ and ws://", said)
    assert said.count("api_secret") == 2
    assert "account alice: 100000 USDC" in said
    assert stop(process) == 0
    assert list(tmp_path.iterdir()) == []


def test_accounts_can_be_named_on_the_command_line(tmp_path: Path):
    said, process = run_sim(tmp_path, "--account", "carol=USDC:1000,SOL:5", "--seed", "9", "--speed", "2.5")
    assert "account carol: 1000 USDC, 5 SOL" in said
    assert "alice" not in said
    assert stop(process) == 0


def test_in_a_workspace_it_serves_the_fleets_accounts_and_engines_find_it(tmp_path: Path):
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "fleet.yaml").write_text(FLEET)
    said, process = run_sim(tmp_path)
    assert "account main: 777 USDC" in said
    endpoint = read_sim_endpoint(Workspace(root=tmp_path), "backpack")
    assert endpoint.rest_url in said
    assert stop(process) == 0


@pytest.mark.parametrize("wrong", [["kraken"], ["--account", "x=USDC"], ["--port", "70000"]])
def test_what_cannot_be_meant_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: list[str]):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        cli.run(["sim", *wrong])


def test_faults_of_a_running_simulator_are_switched_and_taken_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "fleet.yaml").write_text(FLEET)
    _, process = run_sim(tmp_path)
    try:
        here = ["sim", "-C", str(tmp_path), "--faults"]
        assert cli.run([*here, "rate_limited=1,slow_ms=20"]) == 0
        url = read_sim_endpoint(Workspace(root=tmp_path), "backpack").rest_url
        assert httpx.get(f"{url}/api/v1/time", trust_env=False).status_code == 429
        with pytest.raises(UsageError, match="thunder"):
            cli.run([*here, "thunder=1"])
        assert cli.run([*here, "none"]) == 0
        assert httpx.get(f"{url}/api/v1/time", trust_env=False).status_code == 200
        assert '"rate_limited":1.0' in capsys.readouterr().out
    finally:
        assert stop(process) == 0
