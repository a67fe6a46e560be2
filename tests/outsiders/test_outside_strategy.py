"""A strategy package from outside, installed as a stranger would: found, checked, held to the contract, run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.testing.strategies import StrategyContract
from tests.outsiders.installing import ROOT, install, python, virtual_environment

HERE = Path(__file__).parent / "toy_strategy"
GUIDE = (ROOT / "docs" / "adding-a-strategy.md").read_text(encoding="utf-8")
FLEET = "id: outside\naccounts:\n  alpha: {venue: backpack, balances: {USDC: 10000}}\n"
BOT = """metadata: {name: peg}
exchange: {account: alpha, market: SOL_USDC_PERP}
strategy: {kind: pegged, order_size: 0.5}
risk: {max_position: 5}
"""
DEADLINE_S = 40
Environment = dict[str, str]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return install(HERE, tmp_path_factory.mktemp("site"))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "fleet.yaml").write_text(FLEET)
    (tmp_path / "bots" / "peg.yaml").write_text(BOT)
    return tmp_path


def botctl(environment: Environment, workspace: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = "import sys, cli; sys.argv[0] = 'botctl'; sys.exit(cli.main())"
    environment = {**environment, "BOTCTL_WORKSPACE": str(workspace)}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)


def test_an_installed_strategy_may_be_named_in_a_bot_file(installed: Environment, workspace: Path) -> None:
    done = botctl(installed, workspace, "validate")
    assert done.returncode == 0, done.stdout + done.stderr
    listed = botctl(installed, workspace, "schema").stdout.split()
    assert {"bot", "strategies/grid", "strategies/pegged"} <= set(listed)
    written = json.loads(botctl(installed, workspace, "schema", "bot").stdout)
    assert "pegged" in written["properties"]["strategy"]["properties"]["kind"]["enum"]


def test_a_mistake_in_its_parameters_is_shown_at_its_place(installed: Environment, workspace: Path) -> None:
    (workspace / "bots" / "peg.yaml").write_text(BOT.replace("0.5}", "0.5, distance_tick: 3}"))
    done = botctl(installed, workspace, "validate")
    assert done.returncode == 3
    assert "bots/peg.yaml:3:43: error: unknown key `distance_tick`" in done.stdout + done.stderr
    assert "did you mean `distance_ticks`" in done.stdout + done.stderr


def test_without_the_package_the_kind_is_unknown(workspace: Path) -> None:
    done = botctl({"PYTHONPATH": str(ROOT)}, workspace, "validate")
    assert done.returncode == 3
    assert "strategy.kind must be grid or" in done.stdout + done.stderr


def test_a_package_without_its_schema_is_named(installed: Environment, workspace: Path, tmp_path: Path) -> None:
    info = tmp_path / "site" / "broken-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[botctl.strategies]\nbroken = nowhere.strategy\n")
    environment = {**installed, "PYTHONPATH": f"{tmp_path / 'site'}:{installed['PYTHONPATH']}"}
    done = botctl(environment, workspace, "validate")
    assert done.returncode == 3
    assert "package broken brings strategy broken" in done.stderr and "pip uninstall broken" in done.stderr


def test_its_own_tests_inherit_the_contract_suite(installed: Environment, tmp_path: Path) -> None:
    options = ("-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path))
    done = python(installed, "-m", "pytest", *options, str(HERE / "toy_contract.py"))
    assert done.returncode == 0, done.stdout
    assert "5 passed" in done.stdout


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("lambda self, seen: elsewhere(self, seen)", "every answer with another order"),
        ("lambda self, seen: replace(target(self, seen), quotes=target(self, seen).quotes * 2)", "len(set(slots))"),
    ],
)
def test_a_strategy_that_breaks_a_promise_is_told_so(installed: Environment, fault: str, words: str) -> None:
    """One never wants the same twice; the other wants a slot twice."""
    program = (
        "import itertools, sys, traceback\n"
        "from msgspec.structs import replace\n"
        "from botctl_pegged.strategy import Pegged\n"
        "count, target = itertools.count(), Pegged._leg_target\n"
        "def elsewhere(self, seen):\n"
        "    self.parameters = replace(self.parameters, distance_ticks=next(count) * 9 % 97)\n"
        "    return target(self, seen)\n"
        f"Pegged._leg_target = {fault}\n"
        "sys.path.insert(0, sys.argv[1]); from toy_contract import TestPegged\n"
        "for name in sys.argv[2:]:\n"
        "    try: getattr(TestPegged(), name)()\n"
        "    except AssertionError: traceback.print_exc()\n"
    )
    tests = [name for name in dir(StrategyContract) if name.startswith(("test_a_slot", "test_no_order"))]
    assert words in python(installed, "-c", program, str(HERE), *tests).stderr


@pytest.fixture
def fleet(workspace: Path, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """`botctl` in an environment of its own, which also supervised bots run in."""
    program = virtual_environment(HERE, tmp_path / "venv") / "botctl"

    def call(*arguments: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        command = [str(program), "-C", str(workspace), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    yield call
    call("down")


@pytest.mark.timeout(300)
def test_a_bot_with_it_is_applied_and_trades(fleet: Callable[..., str]) -> None:
    fleet("apply", "--yes")
    deadline = time.monotonic() + DEADLINE_S
    orders = 0
    while orders != 2 and time.monotonic() < deadline:
        (bot,) = json.loads(fleet("status", "--json"))
        orders = bot["orders"]
        time.sleep(0.2)
    assert (bot["strategy"], bot["state"], bot["orders"]) == ("pegged", "running", 2)


def test_the_guide_shows_what_the_toy_does() -> None:
    shown = {
        "pyproject.toml": ['pegged = "botctl_pegged.strategy"'],
        "toy_contract.py": ["from engine.testing.strategies import StrategyContract", 'kind = "pegged"'],
        "botctl_pegged/strategy.py": ["def target(self, view: View) -> Target:", "requote_threshold_ticks = 1"],
        "botctl_pegged/pegged.schema.json": ['"x-legs": { "main": "perp" }', '"const": "pegged"'],
    }
    for file, lines in shown.items():
        text = (HERE / file).read_text(encoding="utf-8")
        assert all(line in text and line in GUIDE for line in lines), file
