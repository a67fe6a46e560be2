"""The venue cancels when it has not heard of us: asked for anew in time, and taken back at the end."""

from __future__ import annotations

import asyncio

from engine.exchanges.interface import NonceRule
from engine.exchanges.messages import HttpResponse
from tests.session.toy import Stage, ToyNonceSource, play

AFTER_S = 60


def said(stage: Stage) -> list[str]:
    """After how many seconds the venue was told to cancel, request by request."""
    return [
        dict(request.headers)["cancel_after_s"]
        for request in stage.toy.received
        if request.target == "/SetDeadMansSwitch"
    ]


def test_it_is_asked_for_four_times_within_its_time_while_the_session_runs() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        assert said(stage) == ["60"]
        await stage.wait(AFTER_S)
        assert said(stage) == ["60"] * 5

    play(scene, dead_mans_switch_s=AFTER_S)


def test_nobody_asks_for_it_where_the_account_has_none() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(AFTER_S)
        await stage.session.stand_down()
        assert said(stage) == []

    play(scene)


def test_a_request_that_fails_is_made_again_long_before_the_time_is_over() -> None:
    async def scene(stage: Stage) -> None:
        stage.toy.answers["/SetDeadMansSwitch"] = lambda: HttpResponse(status=500)
        await stage.wait(10)
        assert len(said(stage)) >= 3
        del stage.toy.answers["/SetDeadMansSwitch"]
        await stage.wait(15)
        failed = len(said(stage))
        await stage.wait(AFTER_S)
        assert len(said(stage)) - failed == 4

    play(scene, dead_mans_switch_s=AFTER_S)


def test_what_was_taken_back_is_never_set_again() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        await stage.session.stand_down()
        assert said(stage) == ["60", "None"]
        await stage.wait(AFTER_S)
        assert said(stage) == ["60", "None"]

    play(scene, dead_mans_switch_s=AFTER_S)


def test_it_is_taken_back_only_after_a_request_under_way_was_answered() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        standing_down = asyncio.ensure_future(stage.session.stand_down())
        await stage.wait(1)
        assert said(stage) == ["60"]
        stage.release()
        await standing_down
        assert said(stage) == ["60", "None"]

    def hold(stage: Stage) -> None:
        stage.toy.holding = "/SetDeadMansSwitch"

    play(scene, prepare=hold, dead_mans_switch_s=AFTER_S)


def test_it_takes_a_number_where_the_venue_numbers_requests() -> None:
    def numbered(stage: Stage) -> None:
        stage.venue = type(stage.venue)(nonces=NonceRule.SEQUENCE)
        stage.codec.nonce_source = ToyNonceSource()
        stage.toy.answers["/nonce"] = lambda: HttpResponse(status=200, body=b"40")

    async def scene(stage: Stage) -> None:
        await stage.wait(AFTER_S)
        requests = [request for request in stage.toy.received if request.target == "/SetDeadMansSwitch"]
        assert [dict(request.headers)["nonce"] for request in requests] == ["40", "41", "42", "43"]

    play(scene, prepare=numbered, dead_mans_switch_s=AFTER_S)
