"""A session with the simulated Lighter, in virtual time: numbered orders, lost ones, and what becomes of them."""

from __future__ import annotations

import msgspec
import pytest

from engine.exchanges.lighter import encode
from engine.exchanges.lighter.venue import Lighter
from engine.model.events import LegDisconnected, OutcomeUnknown, SubmitRejected
from engine.model.order import OrderStatus, RejectReason, Side
from engine.sim.machine import HttpReceived, SocketReceived
from tests.session.lighter_stage import ACCOUNT, BY_SOCKET, FIRST_ID, LIGHTER, UNCOUNTED, Lossy, Trader, play

SWITCH_S = 330
KINDS = (HttpReceived, SocketReceived)
both_ways = pytest.mark.parametrize("way", [LIGHTER, BY_SOCKET], ids=["rest", "websocket"])
A, B, C = FIRST_ID, FIRST_ID + 1, FIRST_ID + 2


def rejected(trader: Trader) -> list[tuple[int, RejectReason]]:
    return [(event.client_id, event.reason) for event in trader.heard(SubmitRejected)]


@both_ways
def test_an_order_rests_is_seen_and_cancelled(way: Lighter) -> None:
    async def scene(trader: Trader, lossy: Lossy) -> None:
        trader.submit(A, Side.BUY, trader.bid - 500, post_only=True)
        await trader.until(lambda: OrderStatus.RESTING in trader.states(A), "not resting")
        trader.cancel(A)
        await trader.until(lambda: OrderStatus.CANCELED in trader.states(A), "not cancelled")
        assert [type(message) for message in lossy.taken] == [KINDS[way is BY_SOCKET]] * 2

    play(scene, venue=way)


@both_ways
def test_a_lost_order_is_over_as_soon_as_another_one_was_carried_out_with_its_nonce(way: Lighter) -> None:
    async def scene(trader: Trader, lossy: Lossy) -> None:
        lossy.lose = 1
        trader.submit(A, Side.BUY, trader.bid - 500, post_only=True)
        await trader.until(lambda: trader.heard(OutcomeUnknown), "the loss was not noticed")
        await trader.world.sleep(30)
        assert rejected(trader) == []
        trader.submit(B, Side.BUY, trader.bid - 600, post_only=True)
        await trader.until(lambda: OrderStatus.RESTING in trader.states(B), "not resting")
        assert rejected(trader) == [(A, RejectReason.NOT_SENT)]
        (late,) = lossy.lost
        lossy.machine.handle(late, trader.world.now_ns())
        await trader.world.sleep(1)
        assert resting(lossy) == [B]

    play(scene, venue=way)


@both_ways
def test_orders_lost_one_after_the_other_under_one_nonce_are_all_over_together(way: Lighter) -> None:
    async def scene(trader: Trader, lossy: Lossy) -> None:
        lossy.lose = 2
        for client_id in (A, B):
            trader.submit(client_id, Side.BUY, trader.bid - 500, post_only=True)
            await trader.world.sleep(6)
        assert len(trader.heard(OutcomeUnknown)) == 2
        trader.submit(C, Side.BUY, trader.bid - 600, post_only=True)
        await trader.until(lambda: OrderStatus.RESTING in trader.states(C), "not resting")
        assert rejected(trader) == [(A, RejectReason.NOT_SENT), (B, RejectReason.NOT_SENT)]

    play(scene, venue=way)


@both_ways
def test_an_order_that_arrived_although_its_answer_did_not_is_never_called_lost(way: Lighter) -> None:
    async def scene(trader: Trader, lossy: Lossy) -> None:
        lossy.lose = 1
        trader.submit(A, Side.BUY, trader.bid - 500, post_only=True)
        await trader.world.sleep(1)
        (late,) = lossy.lost
        lossy.machine.handle(late, trader.world.now_ns())
        await trader.until(lambda: OrderStatus.RESTING in trader.states(A), "not resting")
        await trader.until(lambda: trader.heard(OutcomeUnknown), "the loss was not noticed")
        await trader.world.sleep(1)
        trader.submit(B, Side.BUY, trader.bid - 600, post_only=True)
        await trader.until(lambda: OrderStatus.RESTING in trader.states(B), "not resting")
        assert rejected(trader) == []

    play(scene, venue=way)


@pytest.mark.parametrize("transactions_come_first", [False, True])
def test_an_order_that_arrives_when_its_time_has_run_out_is_never_called_lost(
    transactions_come_first: bool,
) -> None:
    async def scene(trader: Trader, lossy: Lossy) -> None:
        lossy.lose = 1
        trader.submit(A, Side.BUY, trader.bid - 500, post_only=True)
        await trader.until(lambda: trader.heard(OutcomeUnknown), "the loss was not noticed")
        (late,) = lossy.lost
        lossy.machine.handle(late, trader.world.now_ns())
        await trader.until(lambda: OrderStatus.RESTING in trader.states(A), "not resting")
        await trader.world.sleep(1)
        assert rejected(trader) == []

    play(scene, settings=msgspec.structs.replace(UNCOUNTED, transactions_come_first=transactions_come_first))


def resting(lossy: Lossy) -> list[int | None]:
    return [order.client_id for order in lossy.machine.exchange.open_orders(ACCOUNT)]


def test_the_accounts_switch_is_moved_ahead_while_the_session_lives_and_fires_when_it_does_not() -> None:
    async def scene(trader: Trader, lossy: Lossy) -> None:
        trader.submit(A, Side.BUY, 300_000, post_only=True)
        await trader.world.sleep(3 * SWITCH_S)
        assert resting(lossy) == [A] and lossy.refusals == []
        await trader.session.close()
        await trader.world.sleep(SWITCH_S - 90)
        assert resting(lossy) == [A]
        await trader.world.sleep(91)
        assert resting(lossy) == []

    play(scene, dead_mans_switch_s=SWITCH_S)


def test_a_session_that_stands_down_takes_the_switch_back() -> None:
    async def scene(trader: Trader, lossy: Lossy) -> None:
        trader.submit(A, Side.BUY, 300_000, post_only=True)
        await trader.world.sleep(10)
        await trader.session.stand_down()
        await trader.session.close()
        await trader.world.sleep(2 * SWITCH_S)
        assert resting(lossy) == [A]

    play(scene, dead_mans_switch_s=SWITCH_S)


def test_the_account_is_heard_across_the_end_of_a_token_even_where_that_silences_streams(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encode, "TOKEN_LIFE_S", 600)
    monkeypatch.setattr(encode, "TOKEN_RENEWED_S", 300)

    async def scene(trader: Trader, lossy: Lossy) -> None:
        for client_id in (A, B, C):
            trader.submit(client_id, Side.BUY, 300_000, post_only=True)
            await trader.until(lambda own=client_id: OrderStatus.RESTING in trader.states(own), "not heard")  # type: ignore[misc]
            await trader.world.sleep(610)
        lost = trader.heard(LegDisconnected)
        assert len(lost) == 3 and all("opened anew" in event.reason for event in lost)

    play(scene, settings=msgspec.structs.replace(UNCOUNTED, tokens_end_streams=True), speed="0.1")


# Over the socket ----------------------------------------------------------------------------------------------


def test_many_orders_at_once_keep_their_order_on_the_socket() -> None:
    async def scene(trader: Trader, lossy: Lossy) -> None:
        for number in range(40):
            trader.submit(A + number, Side.BUY, 300_000 + number, post_only=True)
        await trader.world.sleep(2)
        assert lossy.refusals == [] and len(resting(lossy)) == 40

    play(scene, venue=BY_SOCKET)


@pytest.mark.parametrize("names", [True, False], ids=["named", "unnamed"])
def test_a_refusal_on_the_socket_is_the_orders(names: bool) -> None:
    async def scene(trader: Trader, lossy: Lossy) -> None:
        trader.submit(A, Side.BUY, 300_000, lots=1)
        await trader.until(lambda: trader.heard(SubmitRejected), "not refused")
        assert rejected(trader) == [(A, RejectReason.INVALID)]
        await trader.world.sleep(1)
        trader.submit(B, Side.BUY, 300_000)
        await trader.until(lambda: OrderStatus.RESTING in trader.states(B), "not resting")

    settings = msgspec.structs.replace(UNCOUNTED, socket_refusals_say_which=names)
    play(scene, venue=BY_SOCKET, settings=settings)


def test_a_refusal_that_could_be_anyones_of_several_is_nobodys() -> None:
    async def scene(trader: Trader, lossy: Lossy) -> None:
        lossy.lose = 1
        trader.submit(A, Side.BUY, 300_000, post_only=True)
        trader.submit(B, Side.BUY, 300_001, post_only=True)
        await trader.until(lambda: len(trader.heard(OutcomeUnknown)) == 2, "somebody was answered")
        assert rejected(trader) == []

    settings = msgspec.structs.replace(UNCOUNTED, socket_refusals_say_which=False)
    play(scene, venue=BY_SOCKET, settings=settings)


def test_a_refusal_that_comes_too_late_for_its_own_order_is_not_taken_for_the_next_ones() -> None:
    async def scene(trader: Trader, lossy: Lossy) -> None:
        lossy.hold_up = 1
        trader.submit(A, Side.BUY, 300_000, lots=1)
        await trader.until(lambda: trader.heard(OutcomeUnknown), "its time did not run out")
        await trader.world.sleep(1)
        trader.submit(B, Side.BUY, 300_001, post_only=True)
        await trader.until(lambda: OrderStatus.RESTING in trader.states(B), "not resting")
        assert len(lossy.refusals) == 1 and B not in dict(rejected(trader))

    settings = msgspec.structs.replace(UNCOUNTED, socket_refusals_say_which=False)
    play(scene, venue=BY_SOCKET, settings=settings)


def test_what_was_said_on_a_socket_that_broke_is_unresolved_and_the_next_order_goes_by_rest_meanwhile() -> None:
    async def scene(trader: Trader, lossy: Lossy) -> None:
        lossy.lose, lossy.breaks_sockets = 1, True
        trader.submit(A, Side.BUY, 300_000, post_only=True)
        await trader.until(lambda: trader.heard(OutcomeUnknown), "the loss was not noticed", timeout_s=0.1)
        await trader.world.sleep(0.05)
        trader.submit(B, Side.BUY, 300_000, post_only=True)
        await trader.world.sleep(10)
        assert [type(message) for message in lossy.taken] == [HttpReceived] and resting(lossy) == [B]
        trader.cancel(B)
        await trader.until(lambda: OrderStatus.CANCELED in trader.states(B), "not cancelled")
        assert type(lossy.taken[-1]) is SocketReceived

    play(scene, venue=BY_SOCKET)
