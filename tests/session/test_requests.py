"""Commands out, events back; what a missing answer means (laws 1 and 2)."""

from __future__ import annotations

import pytest

from engine.clock import NS_PER_MS, NS_PER_S
from engine.errors import BotctlError, NotSent, RateLimited, Unavailable, Unresolved
from engine.exchanges.messages import HttpResponse
from engine.model.commands import AmendOrder, QueryOpenOrders
from engine.model.events import (
    AmendRejected,
    CancelRejected,
    Event,
    OpenOrdersReported,
    OrderUpdated,
    OutcomeUnknown,
    QueryFailed,
    SubmitRejected,
)
from engine.model.order import Operation, RejectReason
from tests.session.toy import LEG, Stage, answered, cancel, play, submit, taken

OPEN_ORDERS = QueryOpenOrders(leg=LEG)
NO_ORDERS = OpenOrdersReported(at_ns=0, leg=LEG, requested_ns=0, orders=())


def status(code: int, words: str = "") -> HttpResponse:
    return HttpResponse(status=code, body=words.encode())


def test_a_reply_becomes_its_events() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/SubmitOrder"] = lambda: answered(OrderUpdated(at_ns=0, leg=LEG, report=taken(7)))
        stage.session.send(submit(7))
        await stage.wait(1)
        assert [event.report.client_id for event in stage.heard(OrderUpdated)] == [7]

    play(scene)


@pytest.mark.parametrize(
    ("code", "reason"),
    [(429, RejectReason.RATE_LIMITED), (401, RejectReason.AUTHENTICATION), (418, RejectReason.CLOCK_SKEW)],
)
def test_what_was_certainly_not_done_is_rejected(code: int, reason: RejectReason) -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/SubmitOrder"] = stage.toy.answers["/CancelOrder"] = lambda: status(code, "words")
        stage.session.send(submit(7))
        stage.session.send(cancel(8))
        await stage.wait(1)
        [submitted] = stage.heard(SubmitRejected)
        [cancelled] = stage.heard(CancelRejected)
        assert (submitted.client_id, submitted.reason, submitted.venue_words) == (7, reason, "words")
        assert (cancelled.client_id, cancelled.reason) == (8, reason)

    play(scene)


@pytest.mark.parametrize("code", [500, 503, None])
def test_what_may_have_been_done_is_of_unknown_outcome(code: int | None) -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/SubmitOrder"] = lambda: status(code) if code else None
        stage.toy.answers["/CancelOrder"] = stage.toy.answers["/SubmitOrder"]
        stage.session.send(submit(7))
        stage.session.send(cancel(8))
        await stage.wait(10)
        unknown = {event.operation: event.client_id for event in stage.heard(OutcomeUnknown)}
        assert unknown == {Operation.SUBMIT: 7, Operation.CANCEL: 8}

    play(scene)


@pytest.mark.parametrize(("code", "kind"), [(429, AmendRejected), (503, OutcomeUnknown), (None, OutcomeUnknown)])
def test_an_amend_has_an_outcome_of_its_own(code: int | None, kind: type[Event]) -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/AmendOrder"] = lambda: status(code) if code else None
        order = submit(7).order
        stage.session.send(AmendOrder(leg=LEG, order=order, executed_lots=0, venue_order_id="7"))
        await stage.wait(10)
        [event] = stage.heard(kind)
        assert event.client_id == 7
        assert kind is not OutcomeUnknown or event.operation is Operation.AMEND

    play(scene)


@pytest.mark.parametrize("code", [429, 401, 418, 500, 503, None])
def test_a_query_without_an_answer_has_failed_and_is_not_empty(code: int | None) -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/QueryOpenOrders"] = lambda: status(code) if code else None
        stage.session.send(OPEN_ORDERS)
        await stage.wait(20)
        [failed] = stage.heard(QueryFailed)
        assert failed.query == "QueryOpenOrders" and failed.why
        assert not stage.heard(OpenOrdersReported)

    play(scene)


def test_before_the_venue_is_found_nothing_is_sent() -> None:
    async def scene(stage: Stage) -> None:
        stage.session.send(submit(7))
        stage.session.send(OPEN_ORDERS)
        await stage.wait(1)
        assert stage.heard(SubmitRejected)[0].reason is RejectReason.NOT_SENT
        assert stage.heard(QueryFailed)
        assert stage.toy.received == []

    play(scene, prepare=lambda stage: setattr(stage, "endpoints", Unavailable("away")))


def test_nothing_is_ever_delivered_from_within_send() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        for command in (submit(7), cancel(8), OPEN_ORDERS):
            before = len(stage.events)
            stage.session.send(command)
            assert len(stage.events) == before

    play(scene)


def test_asking_returns_the_events_and_delivers_nothing() -> None:
    async def scene(stage: Stage) -> None:
        stage.toy.answers["/QueryOpenOrders"] = lambda: answered(NO_ORDERS)
        [event] = await stage.session.ask(OPEN_ORDERS)
        assert isinstance(event, OpenOrdersReported)
        assert stage.events == []

    play(scene, run=False)


@pytest.mark.parametrize(("code", "error"), [(429, RateLimited), (500, Unavailable), (None, Unresolved)])
def test_asking_in_vain_raises(code: int | None, error: type[Exception]) -> None:
    async def scene(stage: Stage) -> None:
        stage.toy.answers["/QueryOpenOrders"] = lambda: status(code) if code else None
        with pytest.raises(error):
            await stage.session.ask(OPEN_ORDERS)

    play(scene, run=False)


def test_asking_a_venue_nobody_can_find_raises() -> None:
    async def scene(stage: Stage) -> None:
        stage.endpoints = Unavailable("away")
        with pytest.raises(NotSent):
            await stage.session.ask(OPEN_ORDERS)

    play(scene, run=False)


def test_every_request_counts_against_the_budget_and_a_rate_limit_empties_it() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(30)
        before = stage.session.budget().reduce
        stage.session.send(OPEN_ORDERS)
        stage.session.send(submit(7))
        assert stage.session.budget().reduce == before - 2
        stage.toy.answers["/SubmitOrder"] = lambda: status(429)
        stage.session.send(submit(8))
        await stage.wait(0.02)
        assert stage.session.budget().reduce == 0

    play(scene, max_data_age_s=100)


def test_an_error_of_whoever_listens_ends_the_session_whether_a_frame_or_a_reply_brought_it() -> None:
    async def wait(stage: Stage) -> None:
        await stage.wait(100)

    async def send(stage: Stage) -> None:
        stage.session.send(OPEN_ORDERS)
        await stage.wait(100)

    with pytest.raises(BotctlError, match="disk"):
        play(wait, crash=BotctlError("the disk is full"))
    with pytest.raises(BotctlError, match="disk"):
        play(
            send,
            crash=BotctlError("the disk is full"),
            prepare=lambda stage: setattr(stage, "endpoints", Unavailable("away")),
        )


def test_a_reply_after_the_close_meets_nobody() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/SubmitOrder"] = lambda: None
        stage.session.send(submit(7))
        await stage.session.close()
        await stage.wait(60)
        assert not stage.heard(OutcomeUnknown)

    play(scene)


def test_the_venues_clock_is_measured_and_signed_with() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.session.send(OPEN_ORDERS)
        ahead_s = (stage.codec.signed_ns[-1] - stage.world.now_ns()) / NS_PER_S
        assert 29.9 < ahead_s < 30.1

    play(scene, prepare=lambda stage: setattr(stage.toy, "clock_ahead_ns", 30 * NS_PER_S))


def test_the_way_there_does_not_count_as_a_difference_of_clocks() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(2)
        stage.session.send(OPEN_ORDERS)
        assert stage.codec.signed_ns[-1] == stage.world.now_ns()

    play(scene, latency_ms=(150, 150))


def test_of_two_measurements_the_quicker_one_counts() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.release()
        await stage.wait(1)
        stage.session.send(OPEN_ORDERS)
        assert abs(stage.codec.signed_ns[-1] - stage.world.now_ns()) < 5 * NS_PER_MS

    play(scene, prepare=lambda stage: setattr(stage.toy, "holding", "/time"))


def test_a_refused_timestamp_has_the_clock_measured_again() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        before = stage.toy.asked("/time")
        stage.toy.clock_ahead_ns = -10 * NS_PER_S
        stage.toy.answers["/SubmitOrder"] = lambda: status(418)
        stage.session.send(submit(7))
        await stage.wait(1)
        assert stage.toy.asked("/time") > before
        stage.session.send(OPEN_ORDERS)
        assert -10.1 < (stage.codec.signed_ns[-1] - stage.world.now_ns()) / NS_PER_S < -9.9

    play(scene)


def test_the_clock_is_measured_again_every_ten_minutes_and_kept_when_that_fails() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.clock_ahead_ns = 20 * NS_PER_S
        await stage.wait(600)
        stage.toy.answers["/time"] = lambda: status(500)
        await stage.wait(1300)
        stage.session.send(OPEN_ORDERS)
        assert 19.9 < (stage.codec.signed_ns[-1] - stage.world.now_ns()) / NS_PER_S < 20.1

    play(scene)
