"""The venues that stories play on: simulated ones as pure machines, with one account and the bots' markets."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from typing import Any

from engine.exchanges.aster.client_ids import client_id_of
from engine.exchanges.lighter.venue import Lighter
from engine.host.accounts import AccountIdentity, account_directory
from engine.host.budget import HostPace, boot_id
from engine.model.instrument import MarketKind
from engine.model.value import Value
from engine.sim.aster.settings import AsterSettings
from engine.sim.aster.venue import AsterMachine
from engine.sim.backpack.settings import BackpackSettings
from engine.sim.backpack.venue import BackpackMachine
from engine.sim.lighter.settings import LighterSettings
from engine.sim.lighter.venue import LighterMachine
from engine.sim.market_machine import FlowMaker
from engine.sim.venues import account_credentials
from engine.spec.types import Environment
from engine.transport.pacing import NS_PER_MINUTE
from tests.chaos.flow import FUNDING_INTERVAL_S
from tests.chaos.story import LighterHabits, Story

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


def _lighter(story: Story, flow: FlowMaker) -> LighterMachine:
    machine = lighter_machine(story, flow)
    assert story.lighter is not None
    credentials = account_credentials("lighter", FLEET, ACCOUNT)
    machine.open_account(ACCOUNT, credentials, STAGES["lighter"].balances, story.lighter.tier)
    return machine


def lighter_machine(story: Story, flow: FlowMaker) -> LighterMachine:
    """Signatures are verified in one story of four: in Python, that takes longer than all the rest."""
    assert story.lighter is not None
    settings = LighterSettings(
        funding_interval_s=FUNDING_INTERVAL_S,
        socket_refusals_say_which=story.lighter.says_which,
        transactions_come_first=story.lighter.transactions_come_first,
        verify_signatures=story.seed % 4 == 0,
    )
    return LighterMachine(settings, flow)


def lighter_options(habits: LighterHabits) -> dict[str, str | int]:
    """As they stand in a fleet."""
    return {
        "tier": habits.tier.value,
        "order_entry": habits.order_entry.value,
        "tx_lifetime_s": habits.tx_lifetime_s,
    }


def rest_budgets(habits: LighterHabits, account: str, instance: str) -> None:
    """Let the host come to a story with full budgets. One that never traded the account begins with empty ones, and
    on Lighter, where questions weigh much, half of the story would be over before the first quote."""
    venue = Lighter().configured(lighter_options(habits))
    key = venue.account_identity(account_credentials("lighter", FLEET, account))
    identity = AccountIdentity(venue="lighter", environment=Environment.SIM, key=key, instance=instance)
    for one in venue.facts.counts:
        file = account_directory(identity) / f"budget-{one.name}"
        with closing(HostPace(file, one.per_minute, boot_id=boot_id())) as pace:
            pace.budget(-NS_PER_MINUTE)


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
    "lighter": Stage(
        markets={"perp": "SOL", "neighbour": "LTC"},
        balances={"USDC": Decimal(10_000)},
        quote="USDC",
        open=_lighter,
    ),
}
