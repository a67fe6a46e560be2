"""`init`, `validate` and `schema` as they are called."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import cli
from engine.errors import Refused, UsageError
from engine.host.facts import write_facts
from engine.host.workspace import Workspace
from engine.resources import resource
from engine.sim.venues import SIMULATED
from engine.spec.schema import schema_names, schema_text
from engine.spec.types import Environment
from tests.simulated import simulated_markets

ROOT = Path(__file__).parents[2]


@pytest.fixture
def made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A workspace as `botctl init` leaves it."""
    assert cli.run(["init", str(tmp_path / "My Fleet!")]) == 0
    assert "botctl apply" in capsys.readouterr().out
    return tmp_path / "My Fleet!"


def learn_markets(root: Path) -> None:
    for venue in SIMULATED:
        markets = simulated_markets(venue, Environment.SIM)
        write_facts(Workspace(root=root), venue, Environment.SIM, markets)


def test_a_new_workspace_has_everything_and_is_valid(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    learn_markets(made)
    assert cli.run(["validate", "-C", str(made)]) == 0
    assert capsys.readouterr().out == "9 bots on 6 accounts: everything is fine\n"
    assert "id: my-fleet\n" in (made / "bots" / "fleet.yaml").read_text()
    assert ".env" in (made / ".gitignore").read_text().splitlines()
    assert ".botctl/" in (made / ".gitignore").read_text().splitlines()
    assert (made / ".env.example").read_text() == (ROOT / ".env.example").read_text()
    assert (made / "schemas" / "bot.schema.json").read_text() == schema_text("bot")


def test_init_leaves_out_what_cannot_sign_here_and_says_what_to_install(tmp_path: Path) -> None:
    """A bare `pip install botctl` has no signing library but Backpack's."""
    code = (
        "import sys; sys.modules |= dict.fromkeys(['coincurve', 'fast_stark_crypto', 'Crypto', 'lighter'])\n"
        "import cli; sys.argv = ['botctl', 'init', sys.argv[1]]; sys.exit(cli.main())"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "bots/btc-grid.yaml" in made.stdout and "pip install 'botctl[aster]'" in made.stdout
    assert "bots/eth-paradex.yaml" in made.stdout and "bots/sol-hedge.yaml" in made.stdout
    assert (tmp_path / "bots" / "sol-spot.yaml").exists()
    assert not (tmp_path / "bots" / "btc-grid.yaml").exists()
    assert cli.run(["validate", "-C", str(tmp_path)]) == 0


def test_init_never_overwrites(made: Path) -> None:
    (made / "bots" / "fleet.yaml").write_text("mine")
    (made / "bots" / "sol-spot.yaml").unlink()
    with pytest.raises(Refused, match="already has"):
        cli.run(["init", str(made)])
    assert (made / "bots" / "fleet.yaml").read_text() == "mine"
    assert not (made / "bots" / "sol-spot.yaml").exists()


def test_init_in_a_fresh_clone_leaves_its_gitignore_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".gitignore").write_text("*.log\n")
    assert cli.run(["init", str(tmp_path)]) == 0
    assert (tmp_path / ".gitignore").read_text() == "*.log\n"
    assert "add .botctl/ and .env to your .gitignore" in capsys.readouterr().out


def test_validate_says_what_is_wrong_and_exits_with_3(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    learn_markets(made)
    file = made / "bots" / "sol-spot.yaml"
    file.write_text(file.read_text().replace("spread_bps: 8", "spread_bps: wide"))
    assert cli.run(["validate", "-C", str(made)]) == 3
    words = capsys.readouterr().out
    assert "bots/sol-spot.yaml:10:15: error: strategy.spread_bps must be a number, not 'wide'" in words
    assert words.endswith("1 error, 0 warnings\n")
    assert cli.run(["validate", "-C", str(made), "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["diagnostics"][0]["code"], found["diagnostics"][0]["line"]) == (
        False,
        "wrong-type",
        10,
    )


BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcd", "bcde", strict=True)
)


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("sol-spot.yaml", BOMB, "more than 50000 values"),
        ("fleet.yaml", "accounts: {alpha: {credentials: {api_key: NotShowNotShow}}}\n", "never the secret itself"),
        ("other.yaml", "enabled: false\n", "for this to lie over"),
    ],
    ids=["bomb", "pasted secret", "over nothing"],
)
def test_a_hostile_overlay_exits_with_3(
    made: Path, capsys: pytest.CaptureFixture[str], file: str, text: str, words: str
) -> None:
    (made / "envs" / "paper").mkdir(parents=True)
    (made / "envs" / "paper" / file).write_text(text)
    assert cli.run(["validate", "--env", "paper", "-C", str(made)]) == 3
    shown = capsys.readouterr().out
    assert words in shown and "NotShow" not in shown
    assert cli.run(["validate", "-C", str(made)]) == 0


def test_validate_changes_nothing(made: Path) -> None:
    before = sorted(made.rglob("*"))
    cli.run(["validate", "-C", str(made)])
    assert sorted(made.rglob("*")) == before


def test_schemas_can_be_listed_printed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["schema"]) == 0
    assert capsys.readouterr().out.split() == list(schema_names())
    assert cli.run(["schema", "strategies/market_maker"]) == 0
    assert capsys.readouterr().out == schema_text("strategies/market_maker")
    assert cli.run(["schema", "--write", str(tmp_path)]) == 0
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json")}
    assert written == {str(path.relative_to(resource("schemas"))) for path in resource("schemas").rglob("*.json")}


def test_schemas_are_written_into_the_workspace(made: Path) -> None:
    (made / "schemas" / "bot.schema.json").write_text("old")
    assert cli.run(["schema", "--write", "-C", str(made)]) == 0
    assert (made / "schemas" / "bot.schema.json").read_text() == schema_text("bot")


def test_a_misspelt_schema_is_a_usage_error() -> None:
    with pytest.raises(UsageError) as refused:
        cli.run(["schema", "flet"])
    assert refused.value.hint == "did you mean fleet?"
