"""Diagnostics as people see them: the caret, long lines, related places, and no secret in any of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.spec.diagnostics import Diagnostic, Findings, Related, document, nearest, render
from engine.spec.document import Place
from engine.spec.masking import MASK, mask_lines


def place(line: int, column: int, file: str = "f") -> Place:
    return Place(file=file, line=line, column=column)


def reported(text: str, line: int, column: int) -> Diagnostic:
    findings = Findings({"f": text})
    findings.error("code", "it is wrong", place(line, column), hint="do better")
    return findings.sorted()[0]


def test_a_diagnostic_shows_the_line_with_a_caret_and_what_to_do() -> None:
    assert render(reported("one\n  two: 3\n", 2, 3)) == (
        "f:2:3: error: it is wrong [code]\n     2 |   two: 3\n       |   ^\n       hint: do better"
    )


def test_a_long_line_is_shown_around_its_caret() -> None:
    shown = render(reported("a, " * 10_000, 1, 20_001)).splitlines()
    assert len(shown[1]) < 130
    assert shown[1][shown[2].index("^")] == ("a, " * 10_000)[20_000]


def test_of_many_places_that_have_to_do_with_one_a_few_are_shown_and_all_are_told() -> None:
    findings = Findings({})
    findings.error("code", "it is wrong", place(1, 1))
    everywhere = tuple(Related(note="used here", place=place(line, 1)) for line in range(1, 101))
    taken = findings.beside()
    taken.take(findings, relate=lambda _place: everywhere)
    (found,) = taken.sorted()
    assert len(found.related) == 100
    assert render(found).splitlines()[-2:] == ["       used here: f:8:1", "       and 92 more places"]


def test_diagnostics_come_by_file_line_and_column_and_once() -> None:
    findings = Findings({})
    for where in (place(2, 1), place(1, 9), place(1, 2), place(9, 9, "a"), place(1, 2)):
        findings.warning("code", "words", where)
    assert [str(found.place) for found in findings.sorted()] == ["a:9:9", "f:1:2", "f:1:9", "f:2:1"]


def test_the_document_for_programs_counts_and_lists() -> None:
    found = document([reported("x\n", 1, 1)])
    assert (found["ok"], found["errors"], found["warnings"]) == (False, 1, 0)
    assert found["diagnostics"][0] | {"snippet": "x", "line": 1, "column": 1} == found["diagnostics"][0]


def test_the_nearest_word_is_named_and_all_words_when_none_is_near() -> None:
    assert nearest("spread_pbs", ["spread_bps", "layers"]) == "did you mean `spread_bps`?"
    assert nearest("zzz", ["b", "a"]) == "known here: a, b"
    assert nearest("zzz", []) is None


SECRET = "q7SecretWord"


@pytest.mark.parametrize(
    "text",
    [
        f"credentials:\n  api_key: {SECRET}\n",
        f"    credentials: {{api_key: '{SECRET}'}}\n",
        f"main: {{venue: backpack, credentials: {{api_key: {SECRET}}}}}\n",
        f"credentials:\n  anything: |\n    {SECRET}\n    more\n",
        f"credentials: {SECRET}\n",
        f"credentials:\n  - {SECRET}\n",
        f"credentials:\n  {SECRET}: x\n",
        f'"credentials": {{\n  "whatever": "{SECRET}"\n',
        f"api_secret: {SECRET}\n",
        f"API_KEY: '{SECRET}\n",
        f"password : {SECRET}\n",
        f"anywhere: {SECRET}{'A' * 32}\n",
    ],
)
def test_no_line_shows_what_may_be_a_secret(text: str) -> None:
    masked = "\n".join(mask_lines(text.split("\n")))
    assert SECRET not in masked
    assert MASK in masked


def test_references_keys_and_other_lines_stay_readable() -> None:
    lines = ["accounts:", "  credentials:", "    api_key: ${KEY}", "  balances: {USDC: 5}", "market: SOL_USDC"]
    assert mask_lines(lines) == lines


@given(st.text(alphabet="abcDEF123+/=", min_size=6, max_size=60), st.sampled_from(["'", '"', ""]))
def test_whatever_stands_under_credentials_is_hidden(secret: str, quote: str) -> None:
    masked = "\n".join(mask_lines(["credentials:", f"  api_secret: {quote}{secret}{quote}", "next: 1"]))
    assert secret not in masked
    assert masked.endswith("next: 1")
