"""The level store against a plain dictionary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.exchanges.depth import LevelStore
from engine.model.events import Level

levels = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 3)), max_size=12)


def best_of(book: dict[int, int], count: int, *, highest: bool) -> tuple[Level, ...]:
    return tuple(sorted(((ticks, lots) for ticks, lots in book.items() if lots), reverse=highest)[:count])


@given(
    highest=st.booleans(),
    capacity=st.integers(4, 50),
    snapshot=st.dictionaries(st.integers(1, 40), st.integers(1, 3)),
    diffs=st.lists(levels, max_size=12),
)
def test_the_best_levels_are_those_of_a_dictionary_or_known_to_be_unknown(
    highest: bool, capacity: int, snapshot: dict[int, int], diffs: list[list[Level]]
) -> None:
    store = LevelStore(best_is_highest=highest, best_count=3, capacity=capacity)
    book = dict(snapshot)
    store.replace(best_of(book, capacity, highest=highest))
    for diff in [[], *diffs]:
        store.update(diff)
        book |= dict(diff)
        assert store.is_exhausted or store.best() == best_of(book, 3, highest=highest)
        assert len(store) <= 2 * capacity


def test_a_snapshot_that_is_not_full_has_no_horizon() -> None:
    store = LevelStore(best_is_highest=True, best_count=3, capacity=5)
    store.replace([(10, 1), (9, 1), (8, 1), (7, 1)])
    store.update([(10, 0), (9, 0), (8, 0), (7, 0)])
    assert not store.is_exhausted
    assert store.best() == ()


def test_a_market_that_runs_past_a_full_snapshot_exhausts_it() -> None:
    store = LevelStore(best_is_highest=True, best_count=3, capacity=5)
    store.replace([(10, 1), (9, 1), (8, 1), (7, 1), (6, 1)])
    store.update([(10, 0), (9, 0), (3, 1)])
    assert not store.is_exhausted
    store.update([(8, 0)])
    assert store.is_exhausted
    assert store.best() == ((7, 1), (6, 1))


@pytest.mark.parametrize(("highest", "expected"), [(True, ((12, 4), (11, 2))), (False, ((10, 1), (11, 2)))])
def test_levels_are_read_best_first(highest: bool, expected: tuple[Level, ...]) -> None:
    store = LevelStore(best_is_highest=highest, best_count=2, capacity=100)
    store.replace([(11, 2), (10, 1), (12, 4), (13, 0)])
    assert store.best() == expected
    assert len(store) == 3


def test_a_trend_does_not_make_the_store_grow() -> None:
    store = LevelStore(best_is_highest=True, best_count=3, capacity=10)
    store.replace([(1, 1)])
    for ticks in range(2, 1000):
        store.update([(ticks, 1)])
        assert len(store) <= 20
        assert store.best()[0] == (ticks, 1)
