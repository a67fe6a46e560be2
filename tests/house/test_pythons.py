"""How the Makefile finds its Python, tried on directories of pretended interpreters."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "pythons"


def pretend(directory: Path, name: str, version: str, *, can_make_venvs: bool = True) -> Path:
    """A program that answers the script's two questions as the Python of that version would."""
    path = directory / name
    answers = f"""#!/bin/sh
case "$2" in
    *ensurepip*) exit {0 if can_make_venvs else 1} ;;
    *) printf '%s\\n' {version} "$0" ;;
esac
"""
    path.write_text(answers, encoding="utf-8")
    path.chmod(0o755)
    return path


def shim(directory: Path, name: str) -> None:
    """What a version manager leaves for a Python that is not selected: a program that only complains."""
    path = directory / name
    path.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    directory = tmp_path / "bin"
    directory.mkdir()
    return directory


def pythons(programs: Path) -> subprocess.CompletedProcess[str]:
    (programs / "ls").unlink(missing_ok=True)
    (programs / "ls").symlink_to("/bin/ls")
    return subprocess.run(
        ["/bin/sh", str(SCRIPT)],
        env={"PATH": str(programs), "HOME": str(programs / "nobody")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_newest_suitable_python_comes_first(programs: Path) -> None:
    older, newer = pretend(programs, "python3.11", "3.11"), pretend(programs, "python3.13", "3.13")
    assert pythons(programs).stdout.split() == [str(newer), str(older)]


def test_a_shim_that_cannot_run_is_passed_over(programs: Path) -> None:
    shim(programs, "python3.13")
    real = pretend(programs, "python3", "3.12")
    assert pythons(programs).stdout.split() == [str(real)]


def test_a_python_without_venv_names_the_package_to_install(programs: Path) -> None:
    pretend(programs, "python3", "3.11", can_make_venvs=False)
    result = pythons(programs)
    assert result.returncode == 1
    assert "sudo apt install python3.11-venv" in result.stderr


def test_a_python_without_venv_gives_way_to_an_older_one_with_it(programs: Path) -> None:
    pretend(programs, "python3.13", "3.13", can_make_venvs=False)
    complete = pretend(programs, "python3.12", "3.12")
    assert pythons(programs).stdout.split() == [str(complete)]


def test_no_python_at_all_says_what_is_needed(programs: Path) -> None:
    result = pythons(programs)
    assert result.returncode == 1
    assert "3.11, 3.12 or 3.13" in result.stderr
    assert "hint:" in result.stderr
