"""The venues that stories play on: simulated ones as pure machines, with one account and the bots' markets."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from engine.exchanges.aster.client_ids import client_id_of
from engine.model.instrument import MarketKind
from engine.model.value import Value
from engine.sim.aster.settings import AsterSettings
from engine.sim.aster.venue import AsterMachine
from engine.sim.backpack.settings import BackpackSettings
from engine.sim.backpack.venue import BackpackMachine
from engine.sim.market_machine import FlowMaker
from engine.sim.venues import account_credentials
from tests.chaos.flow import FUNDING_INTERVAL_S
from tests.chaos.story import Story

ACCOUNT = "main"
FLEET = "test"


class Stage(Value, frozen=True, kw_only=True):
    """`markets` are those that the bots trade, by the bot's name."""

    markets: dict[str, str]
    balances: dict[str, Decimal]
    quote: str
    open: Callable[[Story, FlowMaker], Any]


def own_id(client_id: int | str | None) -> int | None:
    """A client id as bots count it, however the venue writes it."""
    return client_id_of(client_id) if isinstance(client_id, str) else client_id


def _backpack(story: Story, flow: FlowMaker) -> BackpackMachine:
    settings = BackpackSettings(
        taker_delay_ms=story.taker_delay_ms,
        accept_cancels_only=story.cancels_later,
        snapshot_lag_ms=story.lag_ms,
        funding_interval_s=FUNDING_INTERVAL_S,
    )
    machine = BackpackMachine(settings, flow)
    api_key = account_credentials("backpack", FLEET, ACCOUNT)["api_key"]
    machine.open_account(ACCOUNT, api_key, STAGES["backpack"].balances)
    return machine


def _aster(story: Story, flow: FlowMaker) -> AsterMachine:
    settings = AsterSettings(
        crossing_post_only_expires=story.expires_crossing, funding_interval_s=FUNDING_INTERVAL_S
    )
    machine = AsterMachine(MarketKind.PERP, settings, flow)
    credentials = account_credentials("aster", FLEET, ACCOUNT)
    machine.open_account(ACCOUNT, credentials, STAGES["aster"].balances)
    return machine


STAGES = {
    "backpack": Stage(
        markets={"spot": "SOL_USDC", "perp": "SOL_USDC_PERP"},
        balances={"SOL": Decimal(50), "USDC": Decimal(10_000)},
        quote="USDC",
        open=_backpack,
    ),
    "aster": Stage(
        markets={"perp": "SOLUSDT"},
        balances={"USDT": Decimal(10_000)},
        quote="USDT",
        open=_aster,
    ),
}
