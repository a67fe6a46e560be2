"""News in words that fit a telephone."""

from __future__ import annotations

from engine.control.alerts.ledger import News
from engine.control.alerts.message import LINE_CHARS, LINES, message


def test_the_subject_counts_and_each_line_says_one_thing() -> None:
    told = message("demo", News(begun={"a": "sol is failed"}, over={"b": "btc tripped", "c": "eth is unknown"}))
    assert told.subject == "botctl demo: 1 new, 2 over"
    assert told.text.splitlines() == [
        "botctl demo: 1 new, 2 over",
        "new: sol is failed",
        "over: btc tripped",
        "over: eth is unknown",
    ]


def test_a_thousand_bots_are_told_in_a_few_lines() -> None:
    told = message("demo", News(begun={str(n): f"bot {n} is failed: " + "x" * 1_000 for n in range(1_000)}))
    lines = told.text.splitlines()
    assert len(lines) == LINES + 2
    assert lines[-1] == "and 988 more: botctl alerts"
    assert max(map(len, lines)) <= LINE_CHARS
    assert len(told.text) < 2_000
