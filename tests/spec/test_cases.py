"""Every case under tests/cases/spec: bad input gives exactly its diagnostics, good input none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.spec.cases import BAD, CASES, ENVIRONMENT, GOOD, expected_file, load_case, shown


@pytest.mark.parametrize("case", BAD, ids=lambda path: path.name)
def test_a_bad_case_says_exactly_what_is_expected(case: Path) -> None:
    assert shown(case) == expected_file(case).read_text(encoding="utf-8")


@pytest.mark.parametrize("case", BAD, ids=lambda path: path.name)
def test_a_bad_case_shows_no_secret(case: Path) -> None:
    words = shown(case)
    assert "NotShow" not in words
    assert ENVIRONMENT["API_SECRET"] not in words


@pytest.mark.parametrize("case", GOOD, ids=lambda path: path.name)
def test_a_good_case_loads_without_a_word(case: Path) -> None:
    assert shown(case) == ""
    assert load_case(case).bots


def test_there_is_nothing_expected_that_has_no_case() -> None:
    assert {expected_file(case) for case in BAD} == set((CASES / "bad").glob("*.expected"))


def test_there_are_at_least_forty_bad_cases() -> None:
    assert len(BAD) >= 40
