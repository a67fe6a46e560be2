"""Orders over Paradex's socket: what is answered, what is not, and what becomes of orders when the socket goes."""

from __future__ import annotations

import pytest

from engine.exchanges.interface import Venue
from engine.model.commands import CancelOrder
from engine.model.events import (
    CancelAcknowledged,
    CancelRejected,
    LegConnected,
    LegDisconnected,
    OutcomeUnknown,
    SubmitRejected,
)
from engine.model.order import Operation, OrderStatus, RejectReason, Side
from engine.sim.machine import HttpReceived, SocketReceived
from engine.sim.paradex.settings import ParadexSettings
from tests.session.paradex_stage import BY_SOCKET, FIRST_ID, LEG, WITH_SWITCH, Trader, order, play

A, B, C = FIRST_ID, FIRST_ID + 1, FIRST_ID + 2


def unresolved(trader: Trader) -> set[tuple[int, Operation]]:
    return {(event.client_id, event.operation) for event in trader.heard(OutcomeUnknown)}


def test_many_orders_at_once_each_get_their_own_answer() -> None:
    async def scene(trader: Trader) -> None:
        for number in range(30):
            trader.submit(A + number, Side.BUY, trader.bid - 4_000 - number, 150, post_only=True)
        await trader.until(lambda: len(trader.venue.resting) == 30, "not all resting")
        for number in range(30):
            trader.cancel(A + number)
        await trader.until(lambda: not trader.venue.resting, "not all cancelled")
        await trader.until(lambda: len(trader.heard(CancelAcknowledged)) == 30, "not all answered")
        assert set(trader.venue.ways) == {SocketReceived}
        assert not trader.heard(OutcomeUnknown)

    play(scene, way=BY_SOCKET)


def test_orders_sent_together_are_one_call_each_with_its_own_outcome_and_cancels_of_many_go_by_rest() -> None:
    async def scene(trader: Trader) -> None:
        await trader.rest(A)
        orders = [order(client_id, trader.bid - 4_000) for client_id in (B, A, C)]
        trader.session.send(*orders)
        await trader.until(lambda: trader.heard(SubmitRejected), "not refused")
        await trader.until(lambda: len(trader.venue.resting) == 3, "not resting")
        (refused,) = trader.heard(SubmitRejected)
        assert (refused.client_id, refused.reason) == (A, RejectReason.INVALID)
        assert sorted(filter(None, trader.venue.resting)) == [A, B, C]
        trader.session.send(*(CancelOrder(leg=LEG, client_id=each, venue_order_id=None) for each in (A, B, C)))
        await trader.until(lambda: not trader.venue.resting, "not cancelled")
        assert trader.venue.ways == [SocketReceived, SocketReceived, HttpReceived]
        assert not trader.heard(OutcomeUnknown)

    play(scene, ParadexSettings(refuses_live_client_ids=True), way=BY_SOCKET)


def test_refusals_mean_what_they_mean_by_rest() -> None:
    async def scene(trader: Trader) -> None:
        await trader.rest(A)
        trader.submit(A, Side.BUY, trader.bid - 4_000, 150)
        await trader.until(lambda: trader.heard(SubmitRejected), "not refused")
        (refused,) = trader.heard(SubmitRejected)
        assert (refused.client_id, refused.reason) == (A, RejectReason.INVALID)
        assert "DUPLICATED_CLIENT_ID" in refused.venue_words
        trader.cancel(B)
        await trader.until(lambda: trader.heard(CancelRejected), "not refused")
        (refused,) = trader.heard(CancelRejected)
        assert (refused.client_id, refused.reason) == (B, RejectReason.UNKNOWN_ORDER)
        assert trader.venue.resting == [A] and not trader.heard(LegDisconnected)

    play(scene, ParadexSettings(refuses_live_client_ids=True), way=BY_SOCKET)


def test_orders_are_counted_with_those_by_rest_and_a_refusal_for_their_number_slows_them_down() -> None:
    async def scene(trader: Trader) -> None:
        before = trader.session.budget()
        for number in range(5):
            trader.submit(A + number, Side.BUY, trader.bid - 4_000, 150, post_only=True)
        await trader.until(lambda: trader.heard(SubmitRejected), "not refused")
        assert {event.reason for event in trader.heard(SubmitRejected)} == {RejectReason.RATE_LIMITED}
        after = trader.session.budget()
        assert after.place < before.place and after.rounds == before.rounds
        assert not trader.heard(LegDisconnected)

    play(scene, ParadexSettings(orders_per_second=2), way=BY_SOCKET)


def test_when_the_socket_breaks_each_command_under_way_is_unresolved_and_the_next_ones_go_by_rest() -> None:
    async def scene(trader: Trader) -> None:
        await trader.rest(A)
        trader.venue.breaks_socket_at = 2
        trader.submit(B, Side.BUY, trader.bid - 4_000, 150, post_only=True)
        trader.cancel(A)
        await trader.until(lambda: trader.heard(LegDisconnected), "the loss was not noticed")
        assert unresolved(trader) == {(B, Operation.SUBMIT), (A, Operation.CANCEL)}
        trader.cancel(A)
        trader.submit(C, Side.BUY, trader.bid - 4_000, 150, post_only=True)
        await trader.until(lambda: trader.venue.resting == [C], "nothing goes by REST")
        assert trader.venue.ways == [SocketReceived, HttpReceived, HttpReceived]
        await trader.until(lambda: len(trader.heard(LegConnected)) == 2, "not connected again")
        trader.cancel(C)
        await trader.until(lambda: OrderStatus.CANCELED in trader.states(C), "not cancelled")
        assert trader.venue.ways[-1] is SocketReceived

    play(scene, way=BY_SOCKET)


def test_a_socket_that_answers_no_order_any_more_is_opened_anew() -> None:
    async def scene(trader: Trader) -> None:
        trader.venue.mutes = 3
        trader.submit(A, Side.BUY, trader.bid - 4_000, 150, post_only=True)
        trader.cancel(A)
        trader.cancel(A)
        await trader.until(lambda: len(trader.heard(OutcomeUnknown)) == 3, "waits for ever")
        assert unresolved(trader) == {(A, Operation.SUBMIT), (A, Operation.CANCEL)}
        await trader.until(lambda: len(trader.heard(LegConnected)) == 2, "not opened anew")
        assert "never answered" in trader.heard(LegDisconnected)[0].reason
        await trader.rest(B)
        await trader.world.sleep(30)
        assert len(trader.heard(LegDisconnected)) == 1

    play(scene, way=BY_SOCKET)


@pytest.mark.parametrize(("way", "left"), [(BY_SOCKET, [A, B]), (WITH_SWITCH, [B])], ids=["off", "on"])
def test_what_was_placed_on_a_socket_goes_with_it_and_what_came_by_rest_stays(way: Venue, left: list[int]) -> None:
    async def scene(trader: Trader) -> None:
        await trader.rest(A)
        trader.venue.breaks_socket_at = 1
        trader.submit(C, Side.BUY, trader.bid - 4_000, 150, post_only=True)
        await trader.until(lambda: trader.heard(LegDisconnected), "the loss was not noticed")
        trader.submit(B, Side.BUY, trader.bid - 4_000, 150, post_only=True)
        await trader.until(lambda: B in trader.venue.resting, "not resting")
        assert sorted(filter(None, trader.venue.resting)) == left
        await trader.until(lambda: len(trader.heard(LegConnected)) == 2, "not connected again")
        await trader.rest(C)
        await trader.session.close()
        await trader.world.sleep(1)
        assert (C in trader.venue.resting, B in trader.venue.resting) == (way is BY_SOCKET, True)

    play(scene, way=way)
