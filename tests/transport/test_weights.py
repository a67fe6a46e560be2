"""Weight classes: a command leaves only where it fits into everything the venue counts."""

from __future__ import annotations

import pytest

from engine.clock import NS_PER_S
from engine.exchanges.limits import WeightClass, plain_class
from engine.exchanges.registry import find_venue, venue_names
from engine.model.commands import (
    AmendOrder,
    Batch,
    BatchItems,
    CancelOrder,
    Command,
    QueryBalances,
    QueryBook,
    QueryFills,
    QueryInstrument,
    QueryOpenOrders,
    QueryOrder,
    QueryOrderHistory,
    QueryPosition,
    SubmitOrder,
)
from engine.trading.purse import Purse
from engine.transport.weights import own_scales, round_weight
from tests.session.toy import cancel, submit

WEIGHT = WeightClass(name="weight", per_minute=600, costs={QueryFills: 5}, other=1)
ORDERS = WeightClass(name="orders", per_minute=60, costs={SubmitOrder: 1})
READS = WeightClass(name="reads", per_minute=100, costs={SubmitOrder: 0, CancelOrder: 0}, other=1)
QUESTIONS = (QueryBalances, QueryFills, QueryOpenOrders, QueryOrder, QueryOrderHistory, QueryPosition)
PUBLIC = (QueryBook, QueryInstrument)
KINDS: tuple[type[Command], ...] = (SubmitOrder, CancelOrder, *QUESTIONS, *PUBLIC)


def test_the_count_that_is_nearest_to_its_limit_decides_and_only_over_what_it_counts() -> None:
    scales = own_scales([WEIGHT, ORDERS], 0)
    budget = scales.budget(0)
    assert (budget.place, budget.reduce, budget.cancel) == (4, 6, 54)
    for _ in range(6):
        scales.spent(submit(), 0)
    after = scales.budget(0)
    assert (after.place, after.reduce, after.cancel) == (0, 0, 48)


def test_a_command_weighs_in_every_class_what_the_venue_says() -> None:
    scales = own_scales([WEIGHT, ORDERS], 0)
    for command in (submit(), cancel(), QueryFills(leg="main", since_ns=0), None):
        scales.spent(command, 0)
    used = {name: use.used_per_minute for name, use in scales.use(0).items()}
    assert used == {"weight": 1 + 1 + 5 + 1, "orders": 1}


def test_a_round_of_questions_takes_the_place_of_as_many_commands_as_it_weighs() -> None:
    scales = own_scales([WEIGHT], 0)
    budget = scales.budget(0)
    assert (budget.rounds, budget.round_size) == (6, round_weight(WEIGHT))
    purse = Purse(budget)
    taken = 0
    while purse.take_round():
        taken += 1
    assert taken == 6
    assert [purse.take_cancel() for _ in range(7)] == [True] * 6 + [False]


def test_questions_that_have_a_count_of_their_own_leave_orders_alone() -> None:
    scales = own_scales([ORDERS, READS], 0)
    assert scales.budget(0).round_size == 0
    for _ in range(10):
        scales.spent(QueryOpenOrders(leg="main"), 0)
    budget = scales.budget(0)
    assert budget.rounds == 0 and budget.place == 4


def test_a_rate_limit_slows_down_what_counts_the_refused_command_and_nothing_else() -> None:
    scales = own_scales([ORDERS, READS], 0)
    scales.rate_limited(QueryOpenOrders(leg="main"), 0)
    assert {name: use.pace for name, use in scales.use(0).items()} == {"orders": 1.0, "reads": 0.5}
    assert scales.budget(0).place == 4


@pytest.mark.parametrize(
    ("venue", "items", "weights"),
    [
        ("aster", (submit(), submit()), {"weight": 5, "orders": 2}),
        ("aster", (cancel(), cancel(), cancel()), {"weight": 5, "orders": 0}),
        ("backpack", (submit(), submit()), {"requests": 2}),
        ("paradex", (submit(), submit()), {"orders": 1, "reads": 0, "address": 0}),
    ],
)
def test_a_batch_weighs_in_every_class_what_the_venue_says_or_else_what_its_items_do(
    venue: str, items: BatchItems, weights: dict[str, int]
) -> None:
    batch = Batch(leg="main", items=items)
    assert {one.name: one.weigh(batch) for one in find_venue(venue).facts.counts} == weights


def test_a_batch_that_was_refused_for_want_of_budget_slows_down_what_counts_its_items() -> None:
    scales = own_scales([ORDERS, READS], 0)
    scales.rate_limited(Batch(leg="main", items=(submit(), submit())), 0)
    assert {name: use.pace for name, use in scales.use(0).items()} == {"orders": 0.5, "reads": 1.0}


@pytest.mark.parametrize("name", [name for name in venue_names() if find_venue(name).facts.can_amend])
def test_an_amend_counts_wherever_an_order_does(name: str) -> None:
    for one in find_venue(name).facts.counts:
        assert one.cost(AmendOrder) >= one.cost(SubmitOrder)


def test_plain_requests_are_a_class_like_any_other() -> None:
    scales = own_scales([plain_class(600)], 0)
    scales.spent(None, 0)
    scales.spent(submit(), 0)
    assert scales.budget(0).reduce == 58
    assert scales.use(NS_PER_S)["requests"].limit_per_minute == 600


@pytest.mark.parametrize("name", venue_names())
def test_whatever_leaves_for_a_venue_is_counted_somewhere(name: str) -> None:
    counts = find_venue(name).facts.counts
    assert len({one.name for one in counts}) == len(counts)
    for kind in (*KINDS, None):
        assert any(one.cost(kind) for one in counts), kind


@pytest.mark.parametrize("name", venue_names())
def test_every_venue_lets_a_round_of_questions_and_an_order_out(name: str) -> None:
    budget = own_scales(find_venue(name).facts.counts, 0).budget(0)
    purse = Purse(budget)
    assert purse.take_round() and purse.take_reduce()
