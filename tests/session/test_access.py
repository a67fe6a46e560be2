"""Venues that lend a token: had first, renewed ahead of its end, had anew when it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from engine.exchanges.messages import HttpResponse
from engine.model.commands import QueryOpenOrders
from engine.model.events import BookUpdated, LegConnected, LegDisconnected, SubmitRejected
from engine.model.order import RejectReason
from tests.session.toy import LEG, Stage, ToyGate, answered, play, submit

FOREVER = "100000 100000"


def gated(stage: Stage, life: str = FOREVER) -> None:
    """Every login gives another token: A1, A2, … Renewals prolong it under the same name."""
    stage.codec.gate = ToyGate()
    tokens: Iterator[int] = count(1)
    stage.toy.answers["/login"] = lambda: HttpResponse(status=200, body=f"A{next(tokens)} {life}".encode())
    stage.toy.answers["/renew"] = lambda: HttpResponse(status=200, body=f"{shown(stage)} {life}".encode())


def shown(stage: Stage) -> str:
    """The token of the newest request."""
    return dict(stage.toy.received[-1].headers)["token"]


def opened_with(stage: Stage, name: str = "account") -> list[str]:
    return [at.partition("#")[2] for stream, at in stage.toy.subscribed if stream == name]


def test_private_streams_wait_for_the_login_and_public_ones_do_not() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(5)
        assert stage.heard(BookUpdated) and not stage.heard(LegConnected)
        gated(stage)
        await stage.wait(10)
        assert opened_with(stage) == ["A1"] and stage.heard(LegConnected)

    def refuse(stage: Stage) -> None:
        gated(stage)
        stage.toy.answers["/login"] = lambda: HttpResponse(status=500)

    play(scene, prepare=refuse)


def test_requests_carry_the_token() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.session.send(QueryOpenOrders(leg=LEG))
        await stage.wait(1)
        assert shown(stage) == "A1"

    play(scene, prepare=gated)


def test_a_token_is_renewed_ahead_of_its_end_and_its_sockets_stay_open() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1000)
        assert stage.toy.asked("/login") == 1
        assert 4 <= stage.toy.asked("/renew") <= 6
        assert opened_with(stage) == ["A1"] and not stage.heard(LegDisconnected)

    play(scene, prepare=lambda stage: gated(stage, "180 300"), max_data_age_s=2000)


def test_a_renewal_that_fails_is_tried_again_while_the_token_lives_and_then_a_login_opens_the_socket_anew() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/renew"] = lambda: HttpResponse(status=500)
        await stage.wait(400)
        assert stage.toy.asked("/renew") > 1
        assert stage.toy.asked("/login") == 2
        assert opened_with(stage) == ["A1", "A2"]
        assert "no longer good" in stage.heard(LegDisconnected)[0].reason

    play(scene, prepare=lambda stage: gated(stage, "180 300"), max_data_age_s=2000)


def test_a_token_the_venue_forgot_is_had_anew_and_the_order_is_refused_meanwhile() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/SubmitOrder"] = lambda: (
            answered() if shown(stage) == "A2" else HttpResponse(status=401, body=b"unknown token")
        )
        stage.session.send(submit(7))
        stage.session.send(submit(8))
        await stage.wait(3)
        refused = stage.heard(SubmitRejected)
        assert [event.reason for event in refused] == [RejectReason.AUTHENTICATION] * 2
        assert stage.toy.asked("/login") == 2
        assert opened_with(stage) == ["A1", "A2"]
        stage.session.send(submit(9))
        await stage.wait(1)
        assert len(stage.heard(SubmitRejected)) == 2

    play(scene, prepare=gated)


def test_a_key_that_is_never_accepted_is_tried_ever_more_slowly() -> None:
    async def scene(stage: Stage) -> None:
        for _ in range(600):
            stage.session.send(submit(7))
            await stage.wait(1)
        assert 10 < stage.toy.asked("/login") < 60

    def refuse(stage: Stage) -> None:
        gated(stage)
        stage.toy.answers["/SubmitOrder"] = lambda: HttpResponse(status=401)

    play(scene, prepare=refuse, max_data_age_s=2000)


def test_a_late_refusal_of_an_old_token_says_nothing_of_the_new_one() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/SubmitOrder"] = lambda: HttpResponse(status=401)
        stage.toy.holding = "/SubmitOrder"
        stage.session.send(submit(7))
        await stage.wait(0.5)
        stage.toy.answers["/QueryOpenOrders"] = lambda: HttpResponse(status=401)
        stage.session.send(QueryOpenOrders(leg=LEG))
        await stage.wait(2)
        assert stage.toy.asked("/login") == 2
        stage.release()
        await stage.wait(3)
        assert stage.toy.asked("/login") == 2

    play(scene, prepare=gated)


def test_a_stream_that_says_the_token_has_ended_leads_to_a_login() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.tell_text("account", "token ended")
        await stage.wait(5)
        assert opened_with(stage) == ["A1", "A2"]
        assert len(stage.heard(LegConnected)) == 2

    play(scene, prepare=gated)


def test_a_login_that_gives_the_same_token_again_leaves_the_socket_open() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/login"] = lambda: HttpResponse(status=200, body=b"A1 100000 100000")
        stage.toy.answers["/QueryOpenOrders"] = lambda: HttpResponse(status=401)
        stage.session.send(QueryOpenOrders(leg=LEG))
        await stage.wait(5)
        assert stage.toy.asked("/login") == 2
        assert not stage.heard(LegDisconnected)

    play(scene, prepare=gated)


def test_one_question_without_a_running_session_logs_in_first() -> None:
    async def scene(stage: Stage) -> None:
        await stage.session.ask(QueryOpenOrders(leg=LEG))
        await stage.session.ask(QueryOpenOrders(leg=LEG))
        assert shown(stage) == "A1" and stage.toy.asked("/login") == 1

    play(scene, prepare=gated, run=False)
