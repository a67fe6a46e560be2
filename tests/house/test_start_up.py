"""What a process loads before it does anything: people wait for commands, and a thousand bots pay for engines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PEOPLE_ONLY = ("typer", "httpx", "yaml", "jsonschema", "jinja2", "supervisor")

LOADED_AFTER = """
import sys
{body}
print("LOADED", *(name for name in {names!r} if name in sys.modules))
"""


def loaded_after(body: str, names: tuple[str, ...] = PEOPLE_ONLY) -> list[str]:
    """Which of `names` a fresh interpreter has imported after running `body`."""
    program = LOADED_AFTER.format(body=body, names=names)
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return result.stdout.splitlines()[-1].split()[1:]


RUN_CLI = """
import cli
sys.argv = ["botctl", *{arguments!r}]
assert cli.main() == 0
"""


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], []])
def test_version_and_bare_help_import_nothing_heavy(arguments: list[str]) -> None:
    assert loaded_after(RUN_CLI.format(arguments=arguments)) == []


def test_the_measure_sees_what_is_imported() -> None:
    assert loaded_after("import typer", ("typer", "yaml")) == ["typer"]


@pytest.mark.parametrize(
    "module",
    [
        "engine.runtime.main",
        "engine.exchanges.backpack.venue",
        "engine.strategies.market_maker",
        "engine.strategies.perp_market_maker",
        "engine.transport.live",
    ],
)
def test_a_bots_process_imports_nothing_that_only_people_need(module: str) -> None:
    assert loaded_after(f"import {module}") == []


SIGNATURES = ("nacl", "coincurve", "Crypto", "fast_stark_crypto")


def test_looking_loads_nothing_that_only_checking_files_and_trading_need() -> None:
    assert loaded_after("import engine.commands.status", ("jsonschema", "yaml", "jinja2", *SIGNATURES)) == []


@pytest.mark.parametrize("venue", ["backpack", "aster", "aster-spot", "paradex", "lighter"])
def test_the_markets_of_simulated_venues_are_known_without_their_signatures(venue: str) -> None:
    assert loaded_after(f"from engine.sim.venues import simulated_markets as f; f({venue!r})", SIGNATURES) == []
