"""`botctl run` of a file or of flags alone, in a workspace: the same engine and locks, and nothing left behind."""

from __future__ import annotations

import signal
import subprocess

import pytest

from engine.host.direct import direct_bots, read_direct
from engine.runtime.journal_reader import live_orders
from tests.fleets import bot_spec
from tests.runtime.conftest import Stage, until

COMMAND = """
import sys, cli
sys.argv[1:] = ["run", "-C", sys.argv[1].removesuffix("/.botctl"), *sys.argv[2:]]
sys.exit(cli.main())
"""
VERB = """
import sys, cli
sys.argv[1:] = [*sys.argv[2:], "-C", sys.argv[1].removesuffix("/.botctl")]
sys.exit(cli.main())
"""
FLEET = "id: test\naccounts: {main: {venue: backpack, balances: {USDC: 100000, SOL: 1000}}}\n"
FLAGS = ("--exchange", "backpack", "--symbol", "SOL_USDC", "--strategy", "market_maker")
SIZES = {
    "strategy.order_size": "0.4",
    "strategy.capital": "{base: 20, quote: 3000}",
    "strategy.base_target_pct": "50",
    "strategy.rebalance_threshold_pct": "null",
}
NAME = "main-sol-usdc-market-maker"
FILE = """\
metadata: {name: visitor}
exchange: {account: main, market: SOL_USDC}
strategy:
  kind: market_maker
  spread_bps: 8
  order_size: 0.4
  capital: {base: 20, quote: 3000}
"""


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.apply()
    stage.workspace.bots.mkdir()
    (stage.workspace.bots / "fleet.yaml").write_text(FLEET)
    stage.simulate()
    return stage


def settings(**changes: str) -> list[str]:
    said = {"strategy.spread_bps": "8", **SIZES, **{key.replace("__", "."): text for key, text in changes.items()}}
    return [word for key, text in said.items() for word in ("--set", f"{key}={text}")]


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    said, told = process.communicate(timeout=60)
    return process.returncode, said, told


def test_flags_alone_make_a_bot_that_trades_for_its_duration_and_says_what_it_did(stage: Stage) -> None:
    process = stage.script(COMMAND, *FLAGS, *settings(), "--duration", "4s")
    until(lambda: stage.leg(NAME).get("orders"))
    assert direct_bots(stage.workspace) == (NAME,)
    code, said, told = ended(process)
    assert code == 0, told
    assert said.startswith(f"{NAME}: SOL_USDC: ") and " orders, " in said and ", net " in said
    assert "stopped  why=duration is over" in told
    (journal,) = (stage.workspace.journals / NAME).glob("*.sqlite")
    assert live_orders(journal) == 0
    assert direct_bots(stage.workspace) == ()


def test_a_file_that_is_not_in_bots_runs_with_flags_over_it(stage: Stage) -> None:
    file = stage.workspace.root / "visitor.yaml"
    file.write_text(FILE)
    process = stage.script(COMMAND, str(file), "--set", "strategy.layers=2", "--interval", "30", "--name", "guest")
    until(lambda: stage.leg("guest").get("orders") == 4)
    kept = read_direct(stage.workspace, "guest")
    assert kept is not None and kept.spec.strategy.parameters["requote_interval_s"] == 30
    process.send_signal(signal.SIGINT)
    code, said, _ = ended(process)
    assert (code, said.startswith("guest: SOL_USDC: ")) == (0, True)


def test_what_is_wrong_in_such_a_file_is_told_with_its_line_and_column(stage: Stage) -> None:
    file = stage.workspace.root / "visitor.yaml"
    file.write_text(FILE.replace("spread_bps", "spread_bsp"))
    code, _, told = ended(stage.script(COMMAND, str(file)))
    assert code == 3
    assert f"{file}:5:3: error: unknown key `spread_bsp`" in told


def test_a_running_bot_of_the_fleet_keeps_its_market(stage: Stage) -> None:
    stage.apply(bot_spec())
    stage.engine()
    until(lambda: stage.leg().get("orders") == 6)
    code, _, told = ended(stage.script(COMMAND, *FLAGS, *settings(), "--duration", "60"))
    assert (code, "maker already runs on this account and market" in told) == (4, True)
    assert direct_bots(stage.workspace) == ()


def test_a_second_one_of_a_name_is_refused_and_the_first_goes_on(stage: Stage) -> None:
    stage.script(COMMAND, *FLAGS, *settings())
    until(lambda: stage.leg(NAME).get("orders"))
    code, _, told = ended(stage.script(COMMAND, *FLAGS, *settings()))
    assert (code, f"{NAME} already runs" in told) == (4, True)
    assert direct_bots(stage.workspace) == (NAME,)


def test_what_one_that_was_killed_left_is_found_not_forgotten_and_cancelled_by_halt(stage: Stage) -> None:
    first = stage.script(COMMAND, *FLAGS, *settings())
    until(lambda: stage.leg(NAME).get("orders"))
    first.kill()
    first.communicate()
    (journal,) = (stage.workspace.journals / NAME).glob("*.sqlite")
    assert live_orders(journal) > 0
    code, said, told = ended(stage.script(VERB, "drift"))
    assert code == 2 and NAME in said and "of its orders may rest" in said, told
    code, said, told = ended(stage.script(VERB, "halt", "--why", "test"))
    assert (code, f"{NAME}: no orders" in said) == (0, True), told
    assert live_orders(journal) == 0
    assert direct_bots(stage.workspace) == ()
    code, _, told = ended(stage.script(COMMAND, *FLAGS, *settings()))
    assert (code, f"`botctl forget {NAME}`" in told) == (5, True)
    code, said, told = ended(stage.script(VERB, "forget", NAME, "--yes"))
    assert code == 0, told


def test_halt_ends_what_runs_in_the_foreground_too(stage: Stage) -> None:
    process = stage.script(COMMAND, *FLAGS, *settings())
    until(lambda: stage.leg(NAME).get("orders"))
    code, said, told = ended(stage.script(VERB, "halt", NAME))
    assert (code, f"{NAME}: no orders" in said) == (0, True), told
    assert ended(process)[0] == 0


def test_one_that_was_killed_is_remembered_and_goes_on_where_it_was(stage: Stage) -> None:
    first = stage.script(COMMAND, *FLAGS, *settings())
    until(lambda: stage.leg(NAME).get("orders"))
    first.kill()
    first.communicate()
    assert direct_bots(stage.workspace) == (NAME,)
    code, _, told = ended(stage.script(COMMAND, *FLAGS, *settings(), "--duration", "2s"))
    assert (code, "orders=0" not in told.partition("journal restored")[2].splitlines()[0]) == (0, True)
    (journal,) = (stage.workspace.journals / NAME).glob("*.sqlite")
    assert live_orders(journal) == 0
    assert direct_bots(stage.workspace) == ()
