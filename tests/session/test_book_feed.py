"""The book: gaps, age, and silence that may be a quiet market or a dead socket (H48, H49)."""

from __future__ import annotations

from decimal import Decimal

from engine.exchanges.messages import HttpResponse
from engine.model.events import BookLost, BookUpdated, MarkPriceUpdated
from tests.session.toy import LEG, Stage, answered, book, depth, play

MARK = MarkPriceUpdated(at_ns=0, leg=LEG, mark=Decimal(100))


def test_a_gap_loses_the_book_at_once_and_a_snapshot_makes_it_whole() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(5)
        stage.toy.answers["/QueryBook"] = lambda: answered(book(20, bid=90))
        stage.tell("market", depth(15, 15))
        await stage.wait(0.006)
        assert stage.story[-1] == "BookLost"
        await stage.wait(2)
        assert stage.events[-1].bids == ((90, 5),)
        assert stage.toy.asked("/QueryBook") == 2

    play(scene)


def test_snapshots_are_never_asked_for_faster_than_the_interval() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(5)
        for last_id in range(100, 600, 10):
            stage.tell("market", depth(last_id, last_id))
            await stage.wait(0.2)
        assert 2 <= stage.toy.asked("/QueryBook") <= 12

    play(scene, snapshot_interval_s=1.0)


def test_a_snapshot_that_does_not_come_is_asked_for_again() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(30)
        assert not stage.heard(BookUpdated)
        assert 3 <= stage.toy.asked("/QueryBook") <= 15
        stage.toy.answers["/QueryBook"] = lambda: answered(book(10))
        await stage.wait(20)
        assert stage.heard(BookUpdated)

    def broken(stage: Stage) -> None:
        stage.toy.answers["/QueryBook"] = lambda: HttpResponse(status=500)

    play(scene, prepare=broken)


def test_a_snapshot_asked_for_on_an_earlier_connection_is_not_used() -> None:
    async def scene(stage: Stage) -> None:
        stage.toy.holding = "/QueryBook"
        stage.toy.answers["/QueryBook"] = lambda: answered(book(500, bid=1))
        await stage.wait(1)
        stage.hang_up("market")
        await stage.wait(3)
        stage.toy.answers["/QueryBook"] = lambda: answered(book(10))
        stage.release()
        await stage.wait(3)
        assert [event.bids for event in stage.heard(BookUpdated)] == [((99, 5),)]

    play(scene)


def test_diffs_of_a_new_connection_wait_for_a_new_snapshot() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(2)
        stage.toy.holding = "/QueryBook"
        stage.hang_up("market")
        await stage.wait(3)
        stage.tell("market", depth(11, 11))
        await stage.wait(1)
        assert stage.story[-1] == "BookLost"

    play(scene)


def test_a_quiet_market_keeps_its_book_because_a_snapshot_confirms_it() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(50)
        assert not stage.heard(BookLost)
        assert len(stage.heard(BookUpdated)) == 1
        assert 4 <= stage.toy.asked("/QueryBook") <= 12

    play(scene, max_data_age_s=8)


def test_a_book_nobody_confirms_is_lost_before_its_greatest_age() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/QueryBook"] = lambda: None
        stage.tell("market", depth(11, 11))
        await stage.wait(0.1)
        last_ns = stage.events[-1].at_ns
        await stage.wait(20)
        [lost] = stage.heard(BookLost)
        assert 6 <= (lost.at_ns - last_ns) / 1e9 <= 8
        assert "no market data" in lost.reason

    play(scene, max_data_age_s=8)


def test_a_book_that_was_only_old_is_good_again_with_the_next_public_frame() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/QueryBook"] = lambda: None
        await stage.wait(20)
        stage.tell("market", MARK)
        await stage.wait(0.1)
        assert stage.story[-3:] == ["BookLost", "MarkPriceUpdated", "BookUpdated"]
        assert stage.world.now_ns() - stage.events[-1].at_ns < 1e8

    play(scene, max_data_age_s=8)


def test_an_old_book_with_a_gap_is_not_good_again() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/QueryBook"] = lambda: None
        await stage.wait(20)
        stage.tell("market", depth(15, 15))
        await stage.wait(1)
        assert stage.story[-1] == "BookLost"

    play(scene, max_data_age_s=8)


def test_a_socket_that_misses_what_a_snapshot_shows_is_opened_anew() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/QueryBook"] = lambda: answered(book(20, bid=95))
        await stage.wait(30)
        assert stage.heard(BookUpdated)[1].bids == ((95, 5),)
        assert "the book moved on" in stage.heard(BookLost)[0].reason
        assert [name for name, _ in stage.toy.subscribed].count("market") == 2

    play(scene, max_data_age_s=8, echo_s=4)


def test_a_snapshot_a_little_ahead_of_a_living_socket_changes_nothing() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/QueryBook"] = lambda: answered(book(20))
        await stage.wait(6)
        stage.tell("market", depth(11, 20), depth(21, 21))
        await stage.wait(10)
        assert not stage.heard(BookLost)
        assert [name for name, _ in stage.toy.subscribed].count("market") == 1

    play(scene, max_data_age_s=8, echo_s=4)


def test_a_dead_depth_subscription_is_found_although_the_mark_price_goes_on() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/QueryBook"] = lambda: answered(book(20))
        for _ in range(60):
            stage.tell("market", MARK)
            await stage.wait(1)
        assert [name for name, _ in stage.toy.subscribed].count("market") == 2

    play(scene, depth_doubt_s=20, echo_s=4)


def test_the_greatest_age_can_change_while_running() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/QueryBook"] = lambda: None
        stage.session.limit_data_age(1.0)
        await stage.wait(10)
        assert stage.heard(BookLost)

    play(scene, max_data_age_s=40)
