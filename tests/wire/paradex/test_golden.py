"""What Paradex says, and what it must be taken for. The cases are in `replies.json` and `frames.json`."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import VenueError
from tests.wire.paradex.support import (
    AT_NS,
    CODEC,
    COMMANDS,
    REQUESTED_NS,
    cases,
    outcome_of_frame,
    outcome_of_reply,
    reply,
)

REPLIES = cases("replies.json")
FRAMES = cases("frames.json")


def expected(case: dict[str, Any]) -> dict[str, Any]:
    return {key: case[key] for key in ("events", "raises") if key in case}


@pytest.mark.parametrize("case", REPLIES, ids=lambda case: case["name"])
def test_an_answer_becomes_what_its_case_says(case: dict[str, Any]) -> None:
    assert outcome_of_reply(case) == expected(case)


@pytest.mark.parametrize("case", FRAMES, ids=lambda case: case["name"])
def test_a_frame_becomes_what_its_case_says(case: dict[str, Any]) -> None:
    assert outcome_of_frame(case) == expected(case)


@pytest.mark.parametrize("case", [case for case in REPLIES if "raises" in case], ids=lambda case: case["name"])
def test_an_error_keeps_the_venues_words(case: dict[str, Any]) -> None:
    with pytest.raises(VenueError) as caught:
        CODEC.decode_reply(COMMANDS[case["command"]], reply(case), requested_ns=REQUESTED_NS, at_ns=AT_NS)
    words = case.get("text") or case["body"].get("message", "")
    assert words in caught.value.venue_words
