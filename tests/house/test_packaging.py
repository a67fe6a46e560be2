"""What ships, and that it is found: from the wheel, an editable install and a bare checkout, outside the clone."""

from __future__ import annotations

import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.house.conftest import ROOT, Installation

SHIPPED = ("schemas", "templates", "bots", "supervisord.conf.j2")
FIND = "from engine.resources import resource; print(resource({name!r}))"


@pytest.fixture(params=["from_wheel", "editable", "checkout"])
def installation(request: pytest.FixtureRequest) -> Installation:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Installation)
    return found


def shipped_files() -> set[str]:
    """Every file a wheel must carry, by its path in the clone."""
    places = [ROOT / name for name in SHIPPED]
    files = [path for place in places for path in (place.rglob("*") if place.is_dir() else [place])]
    return {str(path.relative_to(ROOT)) for path in files if path.is_file()}


def test_the_wheel_carries_every_shipped_file(wheel: Path) -> None:
    inside = {name.removeprefix("engine/_data/") for name in ZipFile(wheel).namelist()}
    assert len(shipped_files()) > len(SHIPPED)
    assert shipped_files() - inside == set()


def test_the_wheel_puts_only_cli_and_engine_at_the_top(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"cli.py", "engine"}


def test_the_wheel_carries_the_licence_and_no_tests(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if "test" in Path(name).name]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_files_are_found_outside_the_clone(installation: Installation, name: str) -> None:
    assert Path(installation.run("-c", FIND.format(name=name)).stdout.strip()).exists()


def test_an_installed_wheel_reads_its_own_files(from_wheel: Installation) -> None:
    place = Path(from_wheel.run("-c", FIND.format(name="schemas")).stdout.strip())
    assert place.is_relative_to(from_wheel.python.parents[1])


@pytest.mark.parametrize("name", SHIPPED)
def test_an_editable_install_reads_the_clone(editable: Installation, name: str) -> None:
    assert editable.run("-c", FIND.format(name=name)).stdout.strip() == str(ROOT / name)


def test_a_missing_resource_says_where_it_was_looked_for(checkout: Installation) -> None:
    result = checkout.run("-c", FIND.format(name="nothing-of-the-kind"), check=False)
    assert "nothing-of-the-kind is neither at" in result.stderr


def test_a_new_workspace_is_valid(installation: Installation, tmp_path: Path) -> None:
    call = "import sys, cli; sys.argv[0] = 'botctl'; sys.exit(cli.main())"
    workspace = tmp_path / "fleet"
    installation.run("-c", call, "init", str(workspace))
    result = installation.run("-c", call, "validate", "-C", str(workspace), check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    "name", ["botctl", "botctl-engine", "botctl-sim", "botctl-sentinel", "botctl-watch", "botctl-monitor"]
)
def test_a_folder_called_engine_in_the_working_directory_is_not_picked_up(
    from_wheel: Installation, tmp_path: Path, name: str
) -> None:
    trap = tmp_path / "engine"
    trap.mkdir()
    (trap / "__init__.py").write_text("raise SystemExit('picked up the wrong engine')\n", encoding="utf-8")
    result = subprocess.run(
        [from_wheel.script(name), "--help"],
        cwd=tmp_path,
        env=from_wheel.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "wrong engine" not in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


def test_the_installed_command_tells_its_version(from_wheel: Installation) -> None:
    result = subprocess.run(
        [from_wheel.script("botctl"), "--version"],
        cwd=from_wheel.outside,
        env=from_wheel.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    version = from_wheel.run("-c", "import engine; print(engine.__version__)").stdout.strip()
    assert version in result.stdout
