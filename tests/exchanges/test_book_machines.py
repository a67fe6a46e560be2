"""Law 7 for every venue: a gap, a repetition or a swap makes the book stale within one message, and a book that
is shown is never wrong. The venue's side is a plain dictionary with all its past states.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.exchanges.interface import BookMachine
from engine.exchanges.registry import find_venue, venue_names
from engine.model.events import BookLost, BookUpdated, DepthChanged, DepthSnapshot, Level

Book = dict[int, int]
"""Ticks to lots; bids stand below `MIDDLE`, asks from there on, so an honest book is never crossed."""

MIDDLE = 50
FIRST_ID = 1_000

changes = st.lists(st.tuples(st.integers(1, 99), st.integers(0, 3)), max_size=4)
widths = st.integers(1, 3)
each_venue = pytest.mark.parametrize("name", venue_names())


class History:
    """A venue's book through time: the state after every diff, and the diffs."""

    def __init__(self, steps: list[tuple[list[Level], int]]) -> None:
        self.states: dict[int, Book] = {FIRST_ID: {MIDDLE - 1: 5, MIDDLE: 5}}
        self.diffs: list[DepthChanged] = []
        last_id = FIRST_ID
        for levels, width in steps:
            first_id, before, last_id = last_id + 1, self.states[last_id], last_id + width
            self.states[last_id] = {ticks: lots for ticks, lots in {**before, **dict(levels)}.items() if lots}
            self.diffs.append(diff(first_id, last_id, levels))

    def snapshot(self, index: int) -> DepthSnapshot:
        last_id = sorted(self.states)[index]
        book = self.states[last_id].items()
        bids, asks = sides(list(book))
        return DepthSnapshot(at_ns=last_id, leg="main", last_id=last_id, bids=bids, asks=asks)

    def best(self, last_id: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        bids, asks = sides(sorted(self.states[last_id].items()))
        return bids[::-1][:10], asks[:10]


def diff(first_id: int, last_id: int, levels: list[Level]) -> DepthChanged:
    bids, asks = sides(list(dict(levels).items()))
    return DepthChanged(
        at_ns=last_id,
        leg="main",
        first_id=first_id,
        last_id=last_id,
        bids=bids,
        asks=asks,
        previous_id=first_id - 1,
    )


def sides(levels: list[Level]) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    bids = tuple((ticks, lots) for ticks, lots in levels if ticks < MIDDLE)
    return bids, tuple((ticks, lots) for ticks, lots in levels if ticks >= MIDDLE)


def machine(name: str) -> BookMachine:
    return find_venue(name).book("main")


def shown(outcome: BookUpdated | BookLost | None) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    assert isinstance(outcome, BookUpdated)
    return outcome.bids, outcome.asks


histories = st.lists(st.tuples(changes, widths), min_size=1, max_size=30).map(History)


@each_venue
@given(history=histories, data=st.data())
def test_an_unbroken_stream_is_followed_exactly(name: str, history: History, data: st.DataObject) -> None:
    book = machine(name)
    taken = data.draw(st.integers(0, len(history.diffs)))
    for change in history.diffs[:taken]:
        assert book.changed(change) is None
    assert book.wants_snapshot
    at = data.draw(st.integers(0, len(history.diffs)))
    snapshot = history.snapshot(at)
    reached = max(snapshot.last_id, history.diffs[taken - 1].last_id if taken else 0)
    assert shown(book.snapshot(snapshot)) == history.best(reached)
    assert not book.wants_snapshot
    for change in history.diffs[taken:]:
        outcome = book.changed(change)
        if outcome is not None or change.last_id > reached:
            assert shown(outcome) == history.best(change.last_id)


@each_venue
@given(history=histories, data=st.data())
def test_whatever_arrives_a_shown_book_is_never_wrong(name: str, history: History, data: st.DataObject) -> None:
    """Any diffs in any order, any number of times, with any snapshots in between."""
    book = machine(name)
    last = len(history.diffs)
    arrivals = data.draw(st.lists(st.tuples(st.booleans(), st.integers(0, last)), max_size=40))
    for is_snapshot, index in arrivals:
        if is_snapshot:
            outcome = book.snapshot(history.snapshot(index))
        else:
            outcome = book.changed(history.diffs[min(index, last - 1)])
        if isinstance(outcome, BookUpdated) and not is_snapshot:
            assert shown(outcome) == history.best(history.diffs[min(index, last - 1)].last_id)
        elif isinstance(outcome, BookUpdated):
            assert shown(outcome) in [history.best(last_id) for last_id in history.states]
        assert not (isinstance(outcome, BookLost) and not book.wants_snapshot)


@each_venue
@given(history=histories, data=st.data())
def test_a_broken_stream_is_lost_at_the_first_wrong_message_and_healed_by_a_snapshot(
    name: str, history: History, data: st.DataObject
) -> None:
    book = machine(name)
    assert book.snapshot(history.snapshot(0)) is not None
    at = data.draw(st.integers(0, len(history.diffs) - 1))
    for change in history.diffs[: at + 1]:
        shown(book.changed(change))
    following = history.diffs[at + 1 :]
    wrong = history.diffs[: at + 1] + following[1:]
    if not wrong:
        return
    message = data.draw(st.sampled_from(wrong))
    assert isinstance(book.changed(message), BookLost)
    assert book.wants_snapshot
    last = len(history.diffs)
    for change in following:
        assert book.changed(change) is None
    assert shown(book.snapshot(history.snapshot(last))) == history.best(max(history.states))


def start(name: str) -> tuple[BookMachine, History]:
    history = History([([(49, 1)], 1), ([(51, 2)], 2), ([(48, 3)], 1), ([(52, 4)], 1)])
    book = machine(name)
    book.snapshot(history.snapshot(0))
    return book, history


Break = Callable[[list[DepthChanged]], list[DepthChanged]]
BREAKS: dict[str, Break] = {
    "a gap": lambda diffs: [diffs[0], diffs[2]],
    "a repetition": lambda diffs: [diffs[0], diffs[0]],
    "a swap": lambda diffs: [diffs[0], diffs[2], diffs[1]],
    "an overlap": lambda diffs: [diffs[0], diff(diffs[0].last_id, diffs[1].last_id, [])],
    "ids that run backwards": lambda diffs: [diffs[0], diff(diffs[0].last_id + 1, diffs[0].last_id, [])],
}


@each_venue
@pytest.mark.parametrize("broken", BREAKS)
def test_every_kind_of_break_is_noticed_at_its_own_message(name: str, broken: str) -> None:
    book, history = start(name)
    first, second, *_ = BREAKS[broken](history.diffs)
    assert isinstance(book.changed(first), BookUpdated)
    assert isinstance(book.changed(second), BookLost)
    assert book.wants_snapshot


@each_venue
def test_a_crossed_book_is_lost_and_not_shown(name: str) -> None:
    book, _ = start(name)
    crossed = DepthChanged(
        at_ns=1,
        leg="main",
        first_id=FIRST_ID + 1,
        last_id=FIRST_ID + 1,
        bids=((60, 1),),
        asks=(),
        previous_id=FIRST_ID,
    )
    outcome = book.changed(crossed)
    assert isinstance(outcome, BookLost)
    assert "crossed" in outcome.reason
    assert book.wants_snapshot


@each_venue
def test_a_crossed_snapshot_is_lost_and_not_shown(name: str) -> None:
    book = machine(name)
    crossed = DepthSnapshot(at_ns=1, leg="main", last_id=7, bids=((60, 1),), asks=((60, 1),))
    assert isinstance(book.snapshot(crossed), BookLost)
    assert book.wants_snapshot


@each_venue
def test_a_snapshot_older_than_the_diffs_is_not_taken_and_a_newer_one_is(name: str) -> None:
    _, history = start(name)
    book = machine(name)
    for change in history.diffs[2:]:
        assert book.changed(change) is None
    assert book.snapshot(history.snapshot(1)) is None
    assert book.wants_snapshot
    assert shown(book.snapshot(history.snapshot(2))) == history.best(max(history.states))


@each_venue
def test_diffs_from_before_a_gap_are_not_replayed(name: str) -> None:
    _, history = start(name)
    book = machine(name)
    for change in (history.diffs[0], history.diffs[2], history.diffs[3]):
        assert book.changed(change) is None
    assert book.snapshot(history.snapshot(0)) is None
    assert book.snapshot(history.snapshot(1)) is None
    assert shown(book.snapshot(history.snapshot(2))) == history.best(max(history.states))


@each_venue
def test_a_snapshot_ahead_of_the_diffs_lets_the_old_ones_pass(name: str) -> None:
    _, history = start(name)
    book = machine(name)
    book.snapshot(history.snapshot(3))
    assert [book.changed(change) for change in history.diffs[:3]] == [None, None, None]
    assert shown(book.changed(history.diffs[3])) == history.best(max(history.states))


@each_venue
def test_a_diff_that_straddles_the_snapshot_is_the_first_one_taken(name: str) -> None:
    book = machine(name)
    straddling = diff(FIRST_ID - 1, FIRST_ID + 1, [(49, 7)])
    assert book.changed(straddling) is None
    snapshot = DepthSnapshot(at_ns=1, leg="main", last_id=FIRST_ID, bids=((49, 1),), asks=((50, 1),))
    assert shown(book.snapshot(snapshot)) == (((49, 7),), ((50, 1),))


@each_venue
def test_a_second_snapshot_does_not_disturb_a_whole_book(name: str) -> None:
    book, history = start(name)
    shown(book.changed(history.diffs[0]))
    assert book.snapshot(history.snapshot(0)) is None
    assert shown(book.changed(history.diffs[1])) == history.best(history.diffs[1].last_id)


@each_venue
def test_a_lost_socket_forgets_the_book_and_the_buffer(name: str) -> None:
    book, history = start(name)
    book.reset()
    assert book.wants_snapshot
    assert book.changed(history.diffs[3]) is None
    book.reset()
    assert shown(book.snapshot(history.snapshot(0))) == history.best(FIRST_ID)


@each_venue
def test_while_no_snapshot_comes_the_buffer_stays_bounded_and_the_book_can_still_heal(name: str) -> None:
    book = machine(name)
    count = 20_000
    for number in range(1, count):
        assert book.changed(diff(number, number, [(49, number)])) is None
    old = DepthSnapshot(at_ns=1, leg="main", last_id=0, bids=(), asks=((50, 1),))
    assert book.snapshot(old) is None
    recent = DepthSnapshot(at_ns=1, leg="main", last_id=count - 2, bids=((49, 1),), asks=((50, 1),))
    assert shown(book.snapshot(recent)) == (((49, count - 1),), ((50, 1),))


@each_venue
def test_a_book_never_grows_past_what_it_can_answer_for(name: str) -> None:
    """A snapshot as deep as the venue gives does not show what lies beyond: once the market gets there, only a
    new one can."""
    deep = 5_000
    book = machine(name)
    bids = tuple((100_000 + number, 1) for number in range(deep))
    asks = tuple((200_000 + number, 1) for number in range(deep))
    book.snapshot(DepthSnapshot(at_ns=1, leg="main", last_id=FIRST_ID, bids=bids, asks=asks))
    for number, (ticks, _) in enumerate(reversed(bids), FIRST_ID + 1):
        gone = DepthChanged(
            at_ns=1,
            leg="main",
            first_id=number,
            last_id=number,
            bids=((ticks, 0),),
            asks=(),
            previous_id=number - 1,
        )
        outcome = book.changed(gone)
        if isinstance(outcome, BookLost):
            assert "past" in outcome.reason
            return
        assert len(shown(outcome)[0]) == 10
    pytest.fail("the book claims to know levels it never saw")
