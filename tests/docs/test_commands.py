"""Every `console` block of the README and the guides is typed into a shell, in a directory of its own.

A page starts in an empty directory, or, where it says `<!-- starts in the sample fleet -->`, in a copy of this
clone's `bots/` and `templates/`. Blocks that cannot be run here (they need a person, a reboot or real money) are
marked `text` instead of `console`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.transcript import Typed, typed_in

ROOT = Path(__file__).parents[2]
PAGES = [page for page in (ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))) if typed_in(page)]
IN_SAMPLE_FLEET = "<!-- starts in the sample fleet -->"
COMMAND_TIMEOUT_S = 90
LOOKS = ("botctl plan", "botctl status", "botctl logs", "botctl drift -", "botctl metrics |")
"""Verbs that change nothing: the fleet is alive, so what a page shows is waited for, up to LOOK_AGAIN_S."""
LOOK_AGAIN_S, LOOK_EVERY_S = 30, 0.5


class Shell:
    """Types commands one after another and stays in the directory where the last one left it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        scripts = str(Path(sys.executable).parent)
        self._environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "110"}

    def type(self, command: str) -> subprocess.CompletedProcess[str]:
        marker = "@@directory "
        result = subprocess.run(
            ["/bin/sh", "-c", f'{command}\nstatus=$?\necho "{marker}$PWD"\nexit $status'],
            cwd=self.directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        result.stdout, _, directory = result.stdout.rpartition(marker)
        self.directory = Path(directory.strip())
        return result


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    home = tmp_path / "botctl"
    home.mkdir()
    shell = Shell(home)
    yield shell
    for fleet in home.rglob("bots/fleet.yaml"):
        if (fleet.parents[1] / ".botctl").exists():
            shell.directory = fleet.parents[1]
            ended = shell.type("botctl down")
            assert ended.returncode == 0, ended.stdout


def show(typed: Typed, result: subprocess.CompletedProcess[str]) -> str:
    expected = "\n".join(typed.output)
    return (
        f"{typed.place}: $ {typed.command}\nexit code {result.returncode}\n"
        f"--- the page shows\n{expected}\n--- it printed\n{result.stdout}"
    )


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_tells_to_type_works_as_shown(page: Path, shell: Shell) -> None:
    if IN_SAMPLE_FLEET in page.read_text(encoding="utf-8"):
        for folder in ("bots", "templates"):
            shutil.copytree(ROOT / folder, shell.directory / folder)
    for typed in typed_in(page):
        result = shell.type(typed.command)
        deadline = time.monotonic() + LOOK_AGAIN_S
        while typed.command.startswith(LOOKS) and not typed.matches(result.stdout) and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY_S)
            result = shell.type(typed.command)
        assert result.returncode == 0, show(typed, result)
        assert typed.matches(result.stdout), show(typed, result)


def test_every_block_of_the_docs_says_what_it_is() -> None:
    """A block without a language would be a command that nothing runs and nobody decided about."""
    nameless = []
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")):
        fences = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("```")]
        nameless += [page.name for opening in fences[::2] if opening == "```"]
    assert nameless == []


def test_every_link_between_pages_leads_somewhere() -> None:
    broken = []
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")):
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text(encoding="utf-8")):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []
