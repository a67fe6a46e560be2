"""Commands that ask a venue take the way its bots take: through a real proxy, to a venue that only it can find."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import cli
from engine.control.account_checkup import account_checkup
from engine.control.finding import Grade
from engine.errors import Unavailable
from engine.host.workspace import Workspace
from engine.runtime.proxies import DEFAULTS
from tests.sim.served import served, sim_spec
from tests.transport.proxies import SmallProxy, Streams

FLEET = """id: judges
accounts:
  alice: {{venue: backpack, environment: sim, balances: {{USDC: 777}}}}
venues:
  backpack: {{environments: {{sim: {{rest_url: "{rest}", ws_url: "{ws}"}}}}}}
"""
BOT = """metadata: {name: sol}
exchange: {account: alice, market: SOL_USDC_PERP}
strategy: {kind: perp_market_maker, spread_bps: 10, order_size: 1}
risk: {max_position: 5}
"""
NAME = "venue.example"
"""Only the proxies of this file know where that is."""


class FarProxy(SmallProxy):
    async def _open(self, host: str, port: int) -> Streams:
        self.tunnels.append((host, port))
        assert host == NAME
        return await asyncio.open_connection("127.0.0.1", port)


@pytest.fixture
def proxy() -> Iterator[FarProxy]:
    small, loop = FarProxy("ann:hush"), asyncio.new_event_loop()
    listener = loop.run_until_complete(asyncio.start_server(small.serve, "127.0.0.1", 0))
    small.port = listener.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield small
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    listener.close()
    loop.close()


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "host"))
    for name in DEFAULTS:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "sol.yaml").write_text(BOT)
    with served(sim_spec("alice")) as venue:
        far = (url.replace("127.0.0.1", NAME) for url in (venue.rest_url, venue.ws_url))
        rest, ws = far
        (tmp_path / "bots" / "fleet.yaml").write_text(FLEET.format(rest=rest, ws=ws))
        yield Workspace(root=tmp_path)


def env_file(workspace: Workspace, **variables: str) -> None:
    workspace.env_file.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
    workspace.env_file.chmod(0o600)


def test_market_and_account_go_through_the_fleets_proxy(
    workspace: Workspace, proxy: FarProxy, capsys: pytest.CaptureFixture[str]
) -> None:
    env_file(workspace, HTTPS_PROXY=proxy.url("http"))
    for words in (["market", "book", "SOL_USDC"], ["account", "balances"]):
        assert cli.run([*words, "-C", str(workspace.root), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)
    assert {host for host, _ in proxy.tunnels} == {NAME}


def test_a_proxy_of_the_shell_counts_for_whoever_types(
    workspace: Workspace, proxy: FarProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy.url("socks5"))
    assert cli.run(["market", "list", "-C", str(workspace.root)]) == 0
    assert proxy.tunnels


def test_a_bots_own_proxy_comes_before_the_fleets(workspace: Workspace, proxy: FarProxy) -> None:
    env_file(workspace, HTTPS_PROXY="http://ann:hush@127.0.0.1:9", MINE=proxy.url("http"))
    (workspace.bots / "sol.yaml").write_text(BOT + 'process: {proxy: "${MINE}"}\n')
    assert cli.run(["market", "list", "-C", str(workspace.root)]) == 0
    assert proxy.tunnels


def test_doctor_asks_through_the_proxy_and_says_so(workspace: Workspace, proxy: FarProxy) -> None:
    env_file(workspace, HTTPS_PROXY=proxy.url("http"))
    found = list(account_checkup(workspace))
    assert any("through a proxy" in finding.what and finding.grade is Grade.OK for finding in found)
    assert any("keys are accepted" in finding.what for finding in found)
    assert all("hush" not in finding.what + finding.hint for finding in found)


def test_doctor_tells_a_proxy_that_cannot_be_reached_from_a_venue_that_cannot(workspace: Workspace) -> None:
    env_file(workspace, HTTPS_PROXY="http://ann:hush@127.0.0.1:9")
    failed = [finding for finding in account_checkup(workspace) if finding.grade is Grade.FAIL]
    assert len(failed) == 1 and "the proxy cannot be reached" in failed[0].what
    assert "127.0.0.1:9" not in failed[0].what


def test_without_the_proxy_the_venue_is_not_found(workspace: Workspace) -> None:
    with pytest.raises(Unavailable):
        cli.run(["market", "list", "-C", str(workspace.root)])
