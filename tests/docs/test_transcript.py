"""The reader of pages is a small language of its own, so it has tests of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.transcript import Typed, typed_in


def test_commands_and_their_output_are_read_with_their_place(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n```console\n$ one\nout\n\n$ two\n```\n```text\n$ not run\n```\n", encoding="utf-8")
    assert [(typed.place, typed.command, typed.output) for typed in typed_in(page)] == [
        ("page.md:4", "one", ["out"]),
        ("page.md:7", "two", []),
    ]


@pytest.mark.parametrize(
    ("shown", "printed", "fits"),
    [
        (["2 bots running"], "3 bots running\n", True),
        (["2 bots running"], "3 bots stopped\n", False),
        (["price 63,120.5"], "price   -0.07\n", True),
        (["pid …"], "pid 12 (engine)\n", True),
        (["first", "…", "last"], "first\nmany\nmore\nlast\n", True),
        (["first", "…", "last"], "first\nlast\n", True),
        (["first", "…", "last"], "first\nmany\n", False),
        (["only line"], "only line\nand another\n", False),
        ([], "anything", True),
    ],
)
def test_words_must_fit_and_numbers_may_differ(shown: list[str], printed: str, fits: bool) -> None:
    assert Typed(place="page.md:1", command="x", output=shown).matches(printed) is fits
