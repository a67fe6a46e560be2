"""Venues that number requests: unique microseconds, and sequences without a hole."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.clock import NS_PER_US
from engine.exchanges.interface import NonceRule
from engine.exchanges.limits import plain_class
from engine.exchanges.messages import HttpResponse
from engine.host.nonces import KeyLease
from engine.model.commands import QueryOpenOrders
from engine.model.events import OrderUpdated, OutcomeUnknown, SubmitRejected, TimePassed
from engine.model.order import RejectReason
from engine.session.nonces import clock_nonces
from engine.session.shared import Shared
from engine.transport.weights import own_scales
from tests.session.toy import LEG, Answer, Stage, ToyNonceSource, answered, cancel, play, submit, taken


class Ledger:
    """The venue's side of a sequence: a request with any other number than the next is refused and uses none."""

    def __init__(self, stage: Stage, first: int = 40) -> None:
        self.stage = stage
        self.next = first
        stage.venue = type(stage.venue)(nonces=NonceRule.SEQUENCE)
        stage.codec.nonce_source = ToyNonceSource()
        stage.toy.answers["/nonce"] = lambda: HttpResponse(status=200, body=str(self.next).encode())
        stage.toy.answers["/SubmitOrder"] = self.submitted

    def submitted(self) -> Answer:
        if shown(self.stage) != str(self.next):
            return HttpResponse(status=429, body=b"invalid nonce")
        self.next += 1
        return answered(OrderUpdated(at_ns=0, leg=LEG, report=taken(7)))


def shown(stage: Stage, target: str = "/SubmitOrder") -> str:
    """The nonce of the newest request to a target."""
    return next(dict(r.headers)["nonce"] for r in reversed(stage.toy.received) if r.target == target)


def numbers(stage: Stage) -> list[int]:
    return [int(dict(r.headers)["nonce"]) for r in stage.toy.received if r.target == "/SubmitOrder"]


def share(stage: Stage, key: Path) -> None:
    """Let the session share its key with other processes."""
    Ledger(stage)
    stage.shared = Shared(own_scales([plain_class(600)], 0), clock_nonces(), KeyLease(key))


def test_clock_numbers_are_unique_and_near_the_venues_time() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        for client_id in range(50):
            stage.session.send(submit(client_id))
        now_us = stage.world.now_ns() // NS_PER_US
        await stage.wait(1)
        assert len(set(numbers(stage))) == 50
        assert all(abs(number - now_us) < 10_000 for number in numbers(stage))

    def by_clock(stage: Stage) -> None:
        stage.venue = type(stage.venue)(nonces=NonceRule.CLOCK_US)

    play(scene, prepare=by_clock)


def test_clock_numbers_never_go_back_with_the_clock() -> None:
    take = clock_nonces()
    assert [take(5_000_000), take(4_000_000), take(5_001_500), take(9_000_000)] == [5000, 5001, 5002, 9000]


def test_a_sequence_begins_where_the_venue_says_and_has_no_hole() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        for client_id in range(5):
            stage.session.send(submit(client_id))
            await stage.wait(0.001)
        await stage.wait(1)
        assert sorted(numbers(stage)) == [40, 41, 42, 43, 44]
        assert stage.toy.asked("/nonce") == 1

    play(scene, prepare=Ledger, latency_ms=(5, 5))


def test_queries_use_no_number_of_a_sequence() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.session.send(QueryOpenOrders(leg=LEG))
        stage.session.send(submit())
        await stage.wait(1)
        assert shown(stage, "/QueryOpenOrders") == "None" and numbers(stage) == [40]

    play(scene, prepare=Ledger)


def test_before_the_sequence_is_known_nothing_is_sent() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.session.send(submit())
        await stage.wait(1)
        [refused] = stage.heard(SubmitRejected)
        assert refused.reason is RejectReason.NOT_SENT and numbers(stage) == []

    def silent(stage: Stage) -> None:
        Ledger(stage)
        stage.toy.answers["/nonce"] = lambda: HttpResponse(status=500)

    play(scene, prepare=silent)


def test_a_number_somebody_else_used_first_is_refused_and_the_next_one_asked_for() -> None:
    ledgers: list[Ledger] = []

    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        ledgers[0].next += 3
        for client_id in (1, 2, 3):
            stage.session.send(submit(client_id))
        await stage.wait(1)
        assert len(stage.heard(SubmitRejected)) == 3
        stage.session.send(submit(4))
        await stage.wait(1)
        assert numbers(stage)[-1] == 43 and len(stage.heard(OrderUpdated)) == 1
        assert stage.toy.asked("/nonce") == 2

    play(scene, prepare=lambda stage: ledgers.append(Ledger(stage)))


def test_after_an_unresolved_order_none_is_sent_until_the_venue_has_told_the_next_number() -> None:
    ledgers: list[Ledger] = []

    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/SubmitOrder"] = lambda: None
        stage.session.send(submit(1))
        await stage.wait(0.1)
        stage.session.send(cancel(2))
        ledgers[0].next = 41
        await stage.wait(5)
        assert stage.heard(OutcomeUnknown)
        stage.toy.answers["/SubmitOrder"] = ledgers[0].submitted
        await stage.wait(1)
        stage.session.send(submit(3))
        await stage.wait(1)
        assert numbers(stage) == [40, 41] and len(stage.heard(OrderUpdated)) == 1

    play(scene, prepare=lambda stage: ledgers.append(Ledger(stage)))


def test_the_venue_is_asked_only_when_nothing_is_under_way() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.holding = "/CancelOrder"
        stage.session.send(cancel(1))
        stage.session.send(submit(2))
        await stage.wait(1)
        assert stage.heard(SubmitRejected)
        stage.session.send(submit(3))
        await stage.wait(1)
        assert stage.toy.asked("/nonce") == 1
        assert [event.reason for event in stage.heard(SubmitRejected)][1] is RejectReason.NOT_SENT
        stage.release()
        await stage.wait(1)
        assert stage.toy.asked("/nonce") == 2

    play(scene, prepare=Ledger)


def test_by_http_one_numbered_request_is_under_way_at_a_time_and_who_waits_is_told() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.holding = "/SubmitOrder"
        assert stage.session.budget().changes == 1
        stage.session.send(submit(1))
        assert stage.session.budget().changes == 0
        stage.session.wait_turn()
        told = len(stage.heard(TimePassed))
        await stage.wait(1)
        assert len(stage.heard(TimePassed)) == told and stage.session.budget().changes == 0
        stage.release()
        await stage.wait(1)
        assert len(stage.heard(TimePassed)) == told + 1 and stage.session.budget().changes == 1

    play(scene, prepare=Ledger)


def test_while_the_next_number_is_not_known_there_is_no_room_for_changes() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.answers["/nonce"] = lambda: HttpResponse(status=500)
        stage.toy.answers["/SubmitOrder"] = lambda: None
        stage.session.send(submit(1))
        await stage.wait(10)
        assert stage.session.budget().changes == 0
        stage.toy.answers["/nonce"] = lambda: HttpResponse(status=200, body=b"41")
        await stage.wait(10)
        assert stage.session.budget().changes == 1

    play(scene, prepare=Ledger)


def test_what_a_budget_has_room_for_is_kept_free_of_other_processes_until_the_loops_next_turn(
    tmp_path: Path,
) -> None:
    others = KeyLease(tmp_path / "key")

    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        assert stage.session.budget().changes == 1
        assert not others.hold()
        await stage.wait(0.001)
        assert others.hold() and stage.session.budget().changes == 0
        stage.session.wait_turn()
        told = len(stage.heard(TimePassed))
        await stage.wait(1)
        assert len(stage.heard(TimePassed)) == told and others.is_awaited
        others.release(40)
        assert not others.hold()
        await stage.wait(0.1)
        assert len(stage.heard(TimePassed)) == told + 1 and stage.session.budget().changes == 1

    play(scene, prepare=lambda stage: share(stage, tmp_path / "key"))


def test_a_change_that_no_step_asked_for_waits_for_its_turn() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        stage.toy.holding = "/SubmitOrder"
        asked = stage.toy.asked("/SetDeadMansSwitch")
        stage.session.send(submit(1))
        standing_down = asyncio.ensure_future(stage.session.stand_down())
        await stage.wait(1)
        assert stage.toy.asked("/SetDeadMansSwitch") == asked
        stage.release()
        await standing_down
        assert stage.toy.asked("/SetDeadMansSwitch") == asked + 1

    play(scene, prepare=Ledger, dead_mans_switch_s=3600)


def test_one_order_without_a_running_session_asks_for_its_number_first() -> None:
    async def scene(stage: Stage) -> None:
        await stage.session.ask(submit())
        assert numbers(stage) == [40]

    play(scene, prepare=Ledger, run=False)


def test_whoever_stops_waiting_for_an_answer_leaves_the_key_to_others(tmp_path: Path) -> None:
    others = KeyLease(tmp_path / "key")

    async def scene(stage: Stage) -> None:
        stage.toy.answers["/SubmitOrder"] = lambda: None
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await stage.session.ask(submit())
        assert others.hold() and others.next_nonce is None, "whether the number was taken is not known"

    play(scene, prepare=lambda stage: share(stage, tmp_path / "key"), run=False)


def test_while_another_process_holds_the_key_nothing_is_sent_and_its_doubts_are_ours(
    tmp_path: Path,
) -> None:
    others = KeyLease(tmp_path / "key")

    async def scene(stage: Stage) -> None:
        await stage.wait(1)
        assert others.hold() and others.next_nonce == 40
        stage.session.send(submit(1))
        await stage.wait(1)
        assert numbers(stage) == [] and stage.heard(SubmitRejected)[0].reason is RejectReason.NOT_SENT
        others.release(None)
        await stage.wait(6)
        stage.session.send(submit(2))
        await stage.wait(1)
        assert numbers(stage) == [40] and stage.toy.asked("/nonce") == 2
        assert others.hold() and others.next_nonce == 41

    play(scene, prepare=lambda stage: share(stage, tmp_path / "key"))
