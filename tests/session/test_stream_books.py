"""Venues whose stream brings the snapshot, wants to hear from us, or wants an answer."""

from __future__ import annotations

from engine.exchanges.interface import BookSource
from engine.model.events import BookLost, BookUpdated
from tests.session.toy import Stage, book, depth, play, said


def streamed(stage: Stage) -> None:
    stage.venue = type(stage.venue)(book_source=BookSource.STREAM)
    stage.toy.greetings["market"] = lambda: said(book(10))


def openings(stage: Stage) -> int:
    return [name for name, _ in stage.toy.subscribed].count("market")


def test_the_snapshot_comes_on_the_stream_and_is_never_queried() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.tell("market", depth(11, 11, bid=98))
        await stage.wait(5)
        assert [event.bids for event in stage.heard(BookUpdated)] == [((99, 5),), ((98, 5),)]
        assert stage.toy.asked("/QueryBook") == 0

    play(scene, prepare=streamed)


def test_a_gap_loses_the_book_at_once_and_a_new_socket_makes_it_whole_within_a_second() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.greetings["market"] = lambda: said(book(20, bid=90))
        stage.tell("market", depth(15, 15))
        await stage.wait(0.006)
        assert stage.story[-1] == "BookLost"
        await stage.wait(1)
        assert stage.events[-1].bids == ((90, 5),) and openings(stage) == 2
        assert stage.toy.asked("/QueryBook") == 0

    play(scene, prepare=streamed)


def test_after_a_gap_no_later_frame_of_that_socket_is_believed() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.tell("market", depth(15, 15), depth(16, 16))
        await stage.wait(0.006)
        assert stage.story[-1] == "BookLost"

    play(scene, prepare=streamed)


def test_a_snapshot_that_does_not_come_has_the_socket_opened_anew() -> None:
    async def scene(stage: Stage) -> None:
        stage.toy.greetings.clear()
        await stage.wait(13)
        assert openings(stage) == 2

    play(scene, prepare=streamed, query_timeout_s=10.0)


def test_diffs_do_not_stand_for_a_snapshot_that_was_lost() -> None:
    async def scene(stage: Stage) -> None:
        stage.toy.greetings.clear()
        for number in range(11, 24):
            stage.tell("market", depth(number, number))
            await stage.wait(1)
        assert openings(stage) == 2 and not stage.heard(BookUpdated)

    play(scene, prepare=streamed, query_timeout_s=10.0)


def test_a_socket_that_says_nothing_for_the_greatest_age_loses_the_book_and_is_opened_anew() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(12)
        assert "no market data" in stage.heard(BookLost)[0].reason
        assert openings(stage) == 2 and stage.story[-1] == "BookUpdated"

    play(scene, prepare=streamed, max_data_age_s=8)


def test_a_heartbeat_is_said_as_often_as_the_venue_wants_it() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(50)
        assert stage.toy.told == [("market", "beat")] * 2

    play(scene, prepare=lambda stage: setattr(stage.codec, "heartbeat", "beat"))


def test_a_frame_that_wants_an_answer_gets_it_on_its_own_socket() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.tell_text("account", "[]")
        await stage.wait(1)
        assert stage.toy.told == [("account", "pong")]

    play(scene)
