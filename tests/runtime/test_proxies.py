"""A bot's proxy: a reference in the spec, a secret everywhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.errors import ConfigInvalid
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.runtime.proxies import proxy_of
from engine.spec.fingerprint import fingerprint
from engine.spec.load import load_fleet
from engine.spec.types import BotSpec, SecretRef
from tests.fleets import bot_spec

FLEET = "id: lab\naccounts:\n  main: {venue: backpack, environment: sim, balances: {USDC: 1}}\n"
BOT = """metadata: {name: maker}
exchange: {account: main, market: SOL_USDC_PERP}
strategy: {kind: perp_market_maker, spread_bps: 10, order_size: 1}
risk: {max_position: 5}
process: {proxy: PROXY}
"""


def through(reference: SecretRef | None) -> BotSpec:
    spec = bot_spec("maker")
    return replace(spec, process=replace(spec.process, proxy=reference))


def secrets(folder: Path, url: str) -> Secrets:
    (folder / ".env").write_text(f"PROXY={url}\n")
    (folder / ".env").chmod(0o600)
    return Secrets(Workspace(root=folder), shell={})


def loaded(proxy: str):
    files = {"bots/fleet.yaml": FLEET, "bots/maker.yaml": BOT.replace("PROXY", proxy)}
    return load_fleet(
        files, environment={"PROXY": "http://ann:hush@host:1"}, facts=lambda _venue, _environment: None
    )


def test_a_bot_without_a_proxy_goes_directly_and_is_the_same_bot_as_ever(tmp_path: Path) -> None:
    assert proxy_of(through(None), secrets(tmp_path, "x"), hide=lambda _secrets: None) is None
    assert fingerprint(through(None)) == fingerprint(bot_spec("maker"))
    assert fingerprint(through(SecretRef(env="PROXY"))) != fingerprint(bot_spec("maker"))


def test_a_proxys_address_and_its_password_are_hidden_from_logs(tmp_path: Path) -> None:
    hidden: set[str] = set()
    found = proxy_of(
        through(SecretRef(env="PROXY")), secrets(tmp_path, "http://ann:hushhush@host:1"), hide=hidden.update
    )
    assert found is not None and found.is_for("api.example.com")
    assert {"http://ann:hushhush@host:1", "hushhush"} <= hidden


NO_SHELL: dict[str, str] = {}


@pytest.mark.parametrize(
    ("env_file", "expected"),
    [
        ("HTTPS_PROXY=http://a:1\nALL_PROXY=http://b:1\nHTTP_PROXY=http://c:1\n", "http://a:1"),
        ("ALL_PROXY=socks5://b:1\nHTTP_PROXY=http://c:1\n", "socks5://b:1"),
        ("http_proxy=http://c:1\n", "http://c:1"),
        ("HTTPS_PROXY=\n", None),
    ],
)
def test_a_bot_without_one_takes_the_fleets(tmp_path: Path, env_file: str, expected: str | None) -> None:
    (tmp_path / ".env").write_text(env_file)
    (tmp_path / ".env").chmod(0o600)
    hidden: list[str] = []
    proxy_of(through(None), Secrets(Workspace(root=tmp_path), shell=NO_SHELL), hide=hidden.extend)
    assert (hidden[0] if hidden else None) == expected


def test_a_bots_own_proxy_comes_before_the_fleets(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("HTTPS_PROXY=http://a:1\nPROXY=http://b:1\n")
    (tmp_path / ".env").chmod(0o600)
    hidden: list[str] = []
    own = through(SecretRef(env="PROXY"))
    proxy_of(own, Secrets(Workspace(root=tmp_path), shell=NO_SHELL), hide=hidden.extend)
    assert hidden[0] == "http://b:1"


def test_a_proxy_of_the_shell_is_none_for_a_supervised_bot(tmp_path: Path) -> None:
    """supervisord froze its environment when it started: what is in a shell today is nothing to count on."""
    shell = {"HTTPS_PROXY": "http://a:1"}
    workspace = Workspace(root=tmp_path)
    assert proxy_of(through(None), Secrets(workspace, shell=shell), hide=lambda _: None) is None
    typed = Secrets(workspace, shell=shell, shell_allowed=True)
    assert proxy_of(through(None), typed, hide=lambda _: None) is not None


def test_an_address_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="cannot be used"):
        proxy_of(through(SecretRef(env="PROXY")), secrets(tmp_path, "nonsense"), hide=lambda _secrets: None)


def test_the_reference_stays_a_reference() -> None:
    assert loaded('"${PROXY}"').bots["maker"].spec.process.proxy == SecretRef(env="PROXY")
    assert loaded("{file: proxy.txt}").bots["maker"].spec.process.proxy == SecretRef(file="proxy.txt")
    assert loaded("null").bots["maker"].spec.process.proxy is None


def test_a_pasted_address_is_refused_and_not_repeated() -> None:
    [complaint] = [found for found in loaded("http://ann:hush@host:1").diagnostics if found.is_error]
    assert complaint.code == "pasted-secret" and "hush" not in str(complaint)
