"""The signing benchmark compares like with like, at every venue."""

from __future__ import annotations

import pytest

from benchmarks import signing, signing_contests
from benchmarks.signing_contests import Contest


@pytest.mark.parametrize("venue", ["backpack", "aster", "paradex", "lighter"])
def test_both_sides_of_a_contest_sign_the_same_order(venue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A contest that is made has compared its two sides."""
    monkeypatch.setenv("ECC_BACKEND_CLASS", "")
    contest = getattr(signing_contests, venue)()
    assert contest.venue == venue
    assert contest.ours() and contest.theirs()


@pytest.mark.parametrize(("at_least", "verdict"), [(0, " - "), (2, "2x kept"), (4, "4x MISSED")])
def test_a_promise_is_judged_by_the_ratio(monkeypatch: pytest.MonkeyPatch, at_least: float, verdict: str) -> None:
    monkeypatch.setattr(signing, "measured", lambda _contest: (10.0, 30.0))
    contest = Contest(venue="toy", library="slow", ours=int, theirs=int, at_least=at_least)
    assert verdict in signing.line(contest) and "3.0x" in signing.line(contest)
