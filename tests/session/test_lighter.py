"""A session with the simulated Lighter, in virtual time: numbered orders, lost ones, and what becomes of them."""

from __future__ import annotations

from engine.model.events import OutcomeUnknown, SubmitRejected
from engine.model.order import OrderStatus, RejectReason, Side
from tests.session.lighter_stage import ACCOUNT, FIRST_ID, Lossy, Trader, play

SWITCH_S = 330
A, B, C = FIRST_ID, FIRST_ID + 1, FIRST_ID + 2


def rejected(trader: Trader) -> list[tuple[int, RejectReason]]:
    return [(event.client_id, event.reason) for event in trader.heard(SubmitRejected)]


def test_an_order_rests_is_seen_and_cancelled() -> None:
    async def scene(trader: Trader, lossy: Lossy) -> None:
        trader.submit(A, Side.BUY, trader.bid - 500, post_only=True)
        await trader.until(lambda: OrderStatus.RESTING in trader.states(A), "not resting")
        trader.cancel(A)
        await trader.until(lambda: OrderStatus.CANCELED in trader.states(A), "not cancelled")
        assert len(lossy.taken) == 2

    play(scene)


def test_a_lost_order_is_over_as_soon_as_another_one_was_carried_out_with_its_nonce() -> None:
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

    play(scene)


def test_orders_lost_one_after_the_other_under_one_nonce_are_all_over_together() -> None:
    async def scene(trader: Trader, lossy: Lossy) -> None:
        lossy.lose = 2
        for client_id in (A, B):
            trader.submit(client_id, Side.BUY, trader.bid - 500, post_only=True)
            await trader.world.sleep(6)
        assert len(trader.heard(OutcomeUnknown)) == 2
        trader.submit(C, Side.BUY, trader.bid - 600, post_only=True)
        await trader.until(lambda: OrderStatus.RESTING in trader.states(C), "not resting")
        assert rejected(trader) == [(A, RejectReason.NOT_SENT), (B, RejectReason.NOT_SENT)]

    play(scene)


def test_an_order_that_arrived_although_its_answer_did_not_is_never_called_lost() -> None:
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

    play(scene)


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
