"""What every committed file must be."""

from __future__ import annotations

import re
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CASES = ("tests/cases/", "tests/data/", "tests/wire/")
"""Files kept byte for byte."""


def committed() -> list[Path]:
    """Tracked files and those about to be; in an unpacked archive without git, nothing can be asked."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [path for name in listing.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def texts() -> dict[str, str]:
    """Every text by its path in the clone; what is no UTF-8 is data, as are the bad cases of the loader."""
    found = {}
    for path in committed():
        with suppress(UnicodeDecodeError):
            found[str(path.relative_to(ROOT))] = path.read_text(encoding="utf-8")
    return found


def test_no_committed_text_names_a_path_of_one_machine() -> None:
    places = "|".join(re.escape(str(place)) for place in (ROOT, Path.home()) if place != Path("/"))
    machine_path = re.compile(rf"(?<![\w.-])(?:{places})/[\w.-]+")
    found = [f"{name}: {match.group()}" for name, text in texts().items() for match in machine_path.finditer(text)]
    assert found == []


def test_every_committed_text_ends_with_a_newline() -> None:
    unended = [name for name, text in texts().items() if text and not text.endswith("\n")]
    assert [name for name in unended if not name.startswith(CASES)] == []
