"""A session with the simulated Aster in virtual time: its listenKey's life, its dead man's switch."""

from __future__ import annotations

import pytest

from engine.clock import NS_PER_S, NS_PER_US
from engine.exchanges.aster.apis import private_path
from engine.exchanges.aster.venue import signer_of
from engine.model.events import BookUpdated, LegConnected, LegDisconnected, OrderFilled, SubmitRejected
from engine.model.order import OrderStatus, RejectReason
from engine.session.settings import SessionSettings
from engine.sim.aster.settings import AsterSettings
from engine.sim.machine import HttpReceived, Inbound, Outbound
from engine.sim.venues import account_credentials
from tests.session.simulated import ACCOUNT, FLEET, LEG, Stage, play

each_api = pytest.mark.parametrize("venue", ["aster", "aster-spot"])
HOUR_S, QUIET = 3_600, "0.01"
SWITCH_S = 60
SWITCHED = SessionSettings(leg=LEG, dead_mans_switch_s=SWITCH_S)


def resting(stage: Stage) -> int:
    return len(stage.machine.exchange.open_orders(ACCOUNT))


def overhear(stage: Stage, said: list[str]) -> None:
    """Note `METHOD path` of every request that reaches the venue from now on."""
    handle = stage.machine.handle

    def listening(message: Inbound, now_ns: int) -> list[Outbound]:
        if isinstance(message, HttpReceived):
            said.append(f"{message.request.method} {message.request.target.partition('?')[0]}")
        return handle(message, now_ns)

    stage.machine.handle = listening  # type: ignore[method-assign]  # on its way to the venue


# Its dead man's switch ------------------------------------------------------------------------------------------


def test_while_a_session_lives_its_orders_rest_beyond_the_countdown() -> None:
    async def scene(stage: Stage) -> None:
        await stage.rest(below=2_000)
        await stage.wait(5 * SWITCH_S)
        assert resting(stage) == 1

    play("aster", scene, settings=SWITCHED)


def test_when_nothing_is_heard_of_a_session_the_venue_cancels_within_the_countdown() -> None:
    async def scene(stage: Stage) -> None:
        client_id = await stage.rest(below=2_000)
        stage.switch(rate_limited=1.0)
        await stage.wait(SWITCH_S + 1)
        assert resting(stage) == 0
        assert stage.states(client_id)[-1] is OrderStatus.CANCELED

    play("aster", scene, settings=SWITCHED)


def test_after_a_stop_the_countdown_runs_no_more_and_takes_nobodys_orders() -> None:
    async def scene(stage: Stage) -> None:
        await stage.rest(below=2_000)
        await stage.session.stand_down()
        stage.switch(rate_limited=1.0)
        await stage.wait(3 * SWITCH_S)
        assert resting(stage) == 1

    play("aster", scene, settings=SWITCHED)


def test_without_the_setting_there_is_no_countdown() -> None:
    async def scene(stage: Stage) -> None:
        said: list[str] = []
        overhear(stage, said)
        await stage.wait(2 * SWITCH_S)
        assert not any("countdownCancelAll" in request for request in said)

    play("aster", scene)


# A post-only order that would cross ------------------------------------------------------------------------------


@each_api
@pytest.mark.parametrize(
    "spelling",
    [
        AsterSettings(),
        *(AsterSettings(crossing_post_only_expires=False, crossing_post_only_code=code) for code in (-5022, -2010)),
    ],
    ids=["expires", "-5022", "-2010"],
)
def test_a_post_only_order_that_would_cross_is_refused_as_such_however_the_venue_spells_it(
    venue: str, spelling: AsterSettings
) -> None:
    async def scene(stage: Stage) -> None:
        ask = stage.heard(BookUpdated)[-1].asks[0][0]
        stage.submit(stage.client_id(), ask + 50)
        await stage.wait(2)
        refused = {(event.client_id, event.reason) for event in stage.heard(SubmitRejected)}
        assert refused == {(stage.client_id(), RejectReason.WOULD_CROSS)}
        assert resting(stage) == 0 and not stage.heard(OrderFilled)

    play(venue, scene, venue_settings=spelling)


# Its listenKey --------------------------------------------------------------------------------------------------


@each_api
def test_a_listen_key_is_renewed_ahead_and_never_deleted_not_even_at_the_end(venue: str) -> None:
    said: list[str] = []

    async def scene(stage: Stage) -> None:
        overhear(stage, said)
        await stage.wait(4 * HOUR_S)
        assert len(stage.heard(LegConnected)) == 1 and not stage.heard(LegDisconnected)
        await stage.rest()

    play(venue, scene, speed=QUIET)
    renewals = [request.split()[0] for request in said if request.endswith("/listenKey")]
    assert len(renewals) >= 7 and set(renewals) == {"PUT"}


@each_api
def test_a_listen_key_that_ends_early_is_noticed_at_once_and_had_anew(venue: str) -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(610)
        (lost,) = stage.heard(LegDisconnected)
        first, second = stage.heard(LegConnected)
        assert 600 < (lost.at_ns - first.at_ns) / NS_PER_S < 602
        assert (second.at_ns - lost.at_ns) / NS_PER_S < 2
        await stage.rest()

    play(venue, scene, speed=QUIET, venue_settings=AsterSettings(listen_key_lifetime_s=600))


@each_api
def test_a_listen_key_that_somebody_deleted_is_noticed_at_once_and_had_anew(venue: str) -> None:
    """As another program of the account may do when it ends."""

    async def scene(stage: Stage) -> None:
        signer = signer_of(account_credentials(venue, FLEET, ACCOUNT), stage.endpoints)
        path = private_path(stage.codec.instrument.kind, signer.generation, "/listenKey")
        deletion = signer.request("DELETE", path, "", stage.world.now_ns() // NS_PER_US)
        answer = await stage.world.http(stage.endpoints.rest_url, deletion, timeout_s=1)
        assert answer.status == 200
        await stage.wait(5)
        assert len(stage.heard(LegDisconnected)) == 1 and len(stage.heard(LegConnected)) == 2
        await stage.rest()

    play(venue, scene)
