"""Sockets that are lost, silent, garbled or only seem alive (H47, H48, H50)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.clock import NS_PER_S
from engine.errors import BotctlError, Unavailable
from engine.model.events import (
    BookLost,
    BookUpdated,
    LegConnected,
    LegDisconnected,
    MarkPriceUpdated,
    OrderUpdated,
)
from tests.session.toy import ENDPOINTS, LEG, SILENCE_LIMIT_S, Stage, answered, depth, play, submit, taken

MARK = MarkPriceUpdated(at_ns=0, leg=LEG, mark=Decimal(100))


def test_a_session_subscribes_says_connected_and_shows_the_book() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        assert sorted(stage.story) == ["BookUpdated", "LegConnected"]
        assert sorted(name for name, _ in stage.toy.subscribed) == ["account", "market"]

    play(scene)


def test_what_the_streams_say_is_delivered_in_order_and_at_our_time() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.events.clear()
        stage.tell("market", depth(11, 12, bid=98), depth(13, 13, bid=97))
        stage.tell("market", MARK)
        await stage.wait(1)
        assert stage.story == ["BookUpdated", "BookUpdated", "MarkPriceUpdated"]
        assert stage.events[1].bids == ((97, 5),)
        assert all(stage.world.now_ns() - event.at_ns < NS_PER_S for event in stage.events)

    play(scene)


def test_a_lost_private_stream_is_said_at_once_and_taken_up_again_with_new_signatures() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.hang_up("account")
        await stage.wait(20)
        assert [name for name in stage.story if name.startswith("Leg")] == [
            "LegConnected",
            "LegDisconnected",
            "LegConnected",
        ]
        first, second = (at for name, at in stage.toy.subscribed if name == "account")
        assert int(second) > int(first)
        assert not stage.heard(BookLost)

    play(scene)


def test_a_lost_public_stream_loses_the_book_and_fetches_it_again() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.hang_up("market")
        await stage.wait(20)
        assert [name for name in stage.story if name.startswith("Book")] == [
            "BookUpdated",
            "BookLost",
            "BookUpdated",
        ]
        assert not stage.heard(LegDisconnected)

    play(scene)


def test_a_venue_away_for_an_hour_is_asked_ever_more_slowly_and_found_within_seconds_of_its_return() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.endpoints = Unavailable("no simulator is running")
        stage.hang_up("account")
        stage.hang_up("market")
        await stage.wait(3600)
        assert len(stage.heard(LegDisconnected)) == len(stage.heard(BookLost)) == 1
        stage.endpoints = ENDPOINTS
        await stage.wait(16)
        assert len(stage.heard(LegConnected)) == len(stage.heard(BookUpdated)) == 2

    play(scene)


def test_a_venue_that_is_not_there_at_the_start_is_waited_for() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(60)
        assert stage.events == []
        stage.endpoints = ENDPOINTS
        await stage.wait(20)
        assert sorted(stage.story) == ["BookUpdated", "LegConnected"]

    def absent(stage: Stage) -> None:
        stage.endpoints = Unavailable("no simulator is running")

    play(scene, prepare=absent)


def test_any_other_failure_to_name_the_venue_ends_the_session() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.endpoints = BotctlError("another simulator has taken its place")
        stage.hang_up("market")
        await stage.wait(100)

    with pytest.raises(BotctlError, match="another simulator"):
        play(scene)


@pytest.mark.parametrize(
    ("stream", "loss", "back"), [("market", BookLost, BookUpdated), ("account", LegDisconnected, LegConnected)]
)
def test_a_frame_that_cannot_be_read_ends_the_connection_and_a_new_one_begins(stream, loss, back) -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.tell_text(stream, "{garbage")
        await stage.wait(10)
        assert len(stage.heard(loss)) == 1
        assert len(stage.heard(back)) == 2

    play(scene)


def test_a_public_stream_silent_beyond_its_venues_promise_is_opened_anew() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(SILENCE_LIMIT_S + 20)
        assert [name for name, _ in stage.toy.subscribed].count("market") == 2
        assert "nothing was heard" in stage.heard(BookLost)[0].reason

    play(scene)


def test_a_private_stream_may_be_silent_for_hours_when_nothing_of_ours_happens() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(3 * 3600)
        assert [name for name, _ in stage.toy.subscribed].count("account") == 1

    play(scene)


def test_a_private_stream_that_does_not_mention_an_order_the_venue_took_is_dead() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/SubmitOrder"] = lambda: answered(OrderUpdated(at_ns=0, leg=LEG, report=taken(7)))
        stage.session.send(submit(7))
        await stage.wait(20)
        assert "an order was taken" in stage.heard(LegDisconnected)[0].reason
        assert len(stage.heard(LegConnected)) == 2

    play(scene, echo_s=5)


def test_a_private_stream_that_mentions_the_order_before_the_reply_comes_is_alive() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        report = OrderUpdated(at_ns=0, leg=LEG, report=taken(7))

        def answer():
            stage.tell("account", report)
            return answered(report)

        stage.toy.answers["/SubmitOrder"] = answer
        for _ in range(20):
            stage.session.send(submit(7))
            await stage.wait(5)
        assert not stage.heard(LegDisconnected)

    play(scene, echo_s=3)


def test_no_loss_is_told_before_anything_was_connected_nor_at_the_end() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)

    stage = play(scene)
    assert not stage.heard(LegDisconnected) and not stage.heard(BookLost)
