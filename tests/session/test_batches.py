"""What leaves together, and what becomes of each part of it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from msgspec.structs import replace

from engine.exchanges.interface import BatchRule
from engine.exchanges.limits import WeightClass
from engine.exchanges.messages import HttpResponse
from engine.model.commands import Batch, Command, QueryOpenOrders, SubmitOrder
from engine.model.events import CancelRejected, OrderUpdated, OutcomeUnknown, SubmitRejected
from engine.model.order import ApprovedOrder, Operation, RejectReason, TimeInForce
from engine.session.batches import batched
from tests.session.toy import LEG, BatchingToyCodec, Stage, ToyVenue, cancel, play, said, submit, taken

RULE = BatchRule(orders=3, cancels=2)
ASK = QueryOpenOrders(leg=LEG)


def taking(client_id: int) -> SubmitOrder:
    request = replace(submit(client_id).order.request, time_in_force=TimeInForce.IOC)
    return SubmitOrder(leg=LEG, order=ApprovedOrder(request=request))


def shape(*commands: Command, rule: BatchRule = RULE) -> list[str]:
    """`3 SubmitOrder` for a batch, a bare name for a command of its own."""
    return [
        f"{len(each.items)} {type(each.items[0]).__name__}" if isinstance(each, Batch) else type(each).__name__
        for each in batched(commands, rule)
    ]


def test_neighbours_of_a_kind_leave_together_as_far_as_the_venue_allows() -> None:
    orders = [submit(number) for number in range(5)]
    cancels = [cancel(number) for number in range(3)]
    assert shape(*cancels, *orders) == ["2 CancelOrder", "CancelOrder", "3 SubmitOrder", "2 SubmitOrder"]
    assert shape(ASK, submit(1), ASK, submit(2)) == [
        "QueryOpenOrders",
        "SubmitOrder",
        "QueryOpenOrders",
        "SubmitOrder",
    ]
    assert shape(*orders, rule=BatchRule()) == ["SubmitOrder"] * 5


def test_an_order_that_takes_waits_for_nobody() -> None:
    assert shape(taking(1), submit(2), submit(3)) == ["SubmitOrder", "2 SubmitOrder"]
    assert shape(taking(1), taking(2)) == ["SubmitOrder", "SubmitOrder"]


def batching(*counts: WeightClass) -> Callable[[Stage], None]:
    """A toy venue that takes batches."""

    def prepare(stage: Stage) -> None:
        stage.codec = BatchingToyCodec()
        stage.venue = ToyVenue(batches=BatchRule(orders=3, cancels=3), weight_classes=counts)
        stage.renew_session()

    return prepare


def parts(*answers: tuple[int, str]) -> HttpResponse:
    return HttpResponse(status=200, body=msgspec.json.encode(answers))


def test_every_item_of_a_batch_keeps_its_own_outcome() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        placed = said(OrderUpdated(at_ns=0, leg=LEG, report=taken(7)))
        stage.toy.answers["/Batch"] = lambda: parts((200, placed), (429, "slow down"), (503, ""))
        stage.session.send(submit(7), submit(8), submit(9))
        await stage.wait(1)
        assert [request.body for request in stage.toy.received if request.target == "/Batch"] == [b"7 8 9"]
        [updated], [rejected] = stage.heard(OrderUpdated), stage.heard(SubmitRejected)
        [unknown] = stage.heard(OutcomeUnknown)
        assert updated.report.client_id == 7
        assert (rejected.client_id, rejected.reason) == (8, RejectReason.RATE_LIMITED)
        assert (unknown.client_id, unknown.operation) == (9, Operation.SUBMIT)

    play(scene, prepare=batching())


@pytest.mark.parametrize("answer", [None, HttpResponse(status=503), HttpResponse(status=500)])
def test_a_batch_without_an_answer_leaves_every_item_unresolved(answer: HttpResponse | None) -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/Batch"] = lambda: answer
        stage.session.send(submit(7), submit(8))
        stage.session.send(cancel(9), cancel(10))
        await stage.wait(10)
        unknown = [(event.operation, event.client_id) for event in stage.heard(OutcomeUnknown)]
        submits, cancels = (
            [(Operation.SUBMIT, 7), (Operation.SUBMIT, 8)],
            [(Operation.CANCEL, 9), (Operation.CANCEL, 10)],
        )
        assert unknown == submits + cancels

    play(scene, prepare=batching())


def test_a_batch_that_was_certainly_refused_is_refused_for_every_item() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/Batch"] = lambda: HttpResponse(status=429, body=b"slow down")
        stage.session.send(cancel(9), cancel(10))
        await stage.wait(1)
        rejected = [(event.client_id, event.reason) for event in stage.heard(CancelRejected)]
        assert rejected == [(9, RejectReason.RATE_LIMITED), (10, RejectReason.RATE_LIMITED)]
        assert all(use.pace < 1 for use in stage.session.budget_use().values())

    play(scene, prepare=batching())


@pytest.mark.parametrize(("costs", "weight"), [({}, 3), ({Batch: 1}, 1), ({Batch: 5}, 5), ({SubmitOrder: 0}, 0)])
def test_a_batch_weighs_what_the_venue_says_or_else_what_its_items_do(
    costs: dict[type[Command], int], weight: int
) -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(30)
        before = stage.session.budget().cancel
        stage.session.send(submit(7), submit(8), submit(9))
        assert before - stage.session.budget().cancel == weight

    count = WeightClass(name="all", per_minute=1_000, costs=costs, other=1)
    play(scene, prepare=batching(count), max_data_age_s=100)
