"""`botctl import`: what it writes is valid, it overwrites nothing, and its exit code says what was lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import cli
from engine.errors import ConfigInvalid, Refused, UsageError

CASES = Path(__file__).parents[1] / "cases" / "legacy"
WHOLE, LOSSY = CASES / "single-file-of-flags" / "legacy.json", CASES / "market-maker-on-perp" / "legacy.json"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(root: Path) -> set[str]:
    return {path.name for path in root.rglob("*") if path.is_file()}


def test_an_import_into_nothing_makes_a_fleet_that_is_valid(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["import", str(WHOLE), "--name", "short-grid"]) == 0
    assert files(root) == {"fleet.yaml", "short-grid.yaml"}
    assert "price_band_bps" in capsys.readouterr().out  # a warning: the far levels of this grid would never rest
    assert cli.run(["validate"]) == 0
    assert "1 bot on 1 account: no errors" in capsys.readouterr().out


def test_what_is_not_carried_is_told_by_the_exit_code_and_by_name(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["import", str(LOSSY), "-o", str(root / "bots")]) == 2
    words = capsys.readouterr().out
    assert "NOT carried  strategy_config.target_position: " in words and "carried      " not in words
    assert cli.run(["validate"]) == 0


def test_every_setting_is_told_when_asked(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["import", str(LOSSY), "-v", "-C", str(root)]) == 2
    assert "carried      strategy_config.spread: strategy.spread_bps" in capsys.readouterr().out


def test_a_dry_run_shows_the_files_and_writes_none(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["import", str(WHOLE), "--dry-run"]) == 0
    assert files(root) == set()
    words = capsys.readouterr().out
    assert "bots/fleet.yaml: would be written" in words and "      kind: perp_grid\n" in words


def test_several_files_share_an_account_where_their_secrets_are_the_same(root: Path) -> None:
    other = CASES / "market-maker-on-spot" / "legacy.json"
    more = ["--set", "strategy.capital.base=1", "--set", "strategy.capital.quote=100"]
    shutil.copy(other, root / "spot.json")
    with pytest.raises(ConfigInvalid, match=r"capital"):
        cli.run(["import", str(WHOLE), "spot.json"])
    assert cli.run(["import", "spot.json", *more]) == 0
    assert cli.run(["import", str(WHOLE)]) == 0
    assert (root / "bots" / "fleet.yaml").read_text(encoding="utf-8").count("venue:") == 1
    assert cli.run(["validate"]) == 0


def test_a_file_that_is_there_is_never_overwritten(root: Path) -> None:
    assert cli.run(["import", str(LOSSY)]) == 2
    kept = (root / "bots" / "sol-mm.yaml").read_text(encoding="utf-8")
    with pytest.raises(Refused, match=r"bots/sol-mm\.yaml is there already"):
        cli.run(["import", str(LOSSY), "--set", "strategy.layers=1"])
    assert (root / "bots" / "sol-mm.yaml").read_text(encoding="utf-8") == kept


def test_an_account_that_fleet_yaml_lacks_is_shown_not_written(root: Path) -> None:
    assert cli.run(["import", str(WHOLE)]) == 0
    kept = (root / "bots" / "fleet.yaml").read_text(encoding="utf-8")
    with pytest.raises(Refused, match="no account at aster") as refused:
        cli.run(["import", str(CASES / "secrets-in-clear" / "legacy.json")])
    assert "    venue: aster\n" in str(refused.value.hint)
    assert (root / "bots" / "fleet.yaml").read_text(encoding="utf-8") == kept


def test_between_two_accounts_somebody_must_choose(root: Path) -> None:
    assert cli.run(["import", str(WHOLE)]) == 0
    with (root / "bots" / "fleet.yaml").open("a", encoding="utf-8") as fleet:
        fleet.write("  second: {venue: backpack, balances: {USDC: 5}}\n")
    with pytest.raises(UsageError, match="several accounts at backpack"):
        cli.run(["import", str(LOSSY)])
    assert cli.run(["import", str(LOSSY), "--account", "second"]) == 2
    assert "  account: second\n" in (root / "bots" / "sol-mm.yaml").read_text(encoding="utf-8")


def test_real_money_is_asked_for_by_name(root: Path) -> None:
    assert cli.run(["import", str(WHOLE), "--environment", "mainnet"]) == 0
    fleet = (root / "bots" / "fleet.yaml").read_text(encoding="utf-8")
    assert "live: allowed\n" in fleet and "environment: mainnet\n" in fleet and "balances" not in fleet


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"[1]"])
def test_what_is_no_legacy_file_is_refused(root: Path, content: bytes) -> None:
    (root / "some.json").write_bytes(content)
    with pytest.raises(ConfigInvalid, match=r"^some\.json"):
        cli.run(["import", "some.json"])
    assert files(root) == {"some.json"}


def test_a_secret_given_beside_the_file_is_not_written(root: Path) -> None:
    secret = "s3cret0123456789abcdefABCDEF0123456789"
    with pytest.raises(ConfigInvalid, match="as long as a key") as refused:
        cli.run(["import", str(WHOLE), "--set", f"metadata.labels.note={secret}"])
    assert secret not in refused.value.message
    assert files(root) == set()
