"""The venues that stories of hedging bots play on: one or two, with the accounts of both legs."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from engine.exchanges.lighter.options import Tier
from engine.model.instrument import MarketKind
from engine.sim.aster.settings import AsterSettings
from engine.sim.aster.venue import AsterMachine
from engine.sim.backpack.settings import BackpackSettings
from engine.sim.backpack.venue import BackpackMachine
from engine.sim.lighter.venue import LighterMachine
from engine.sim.market_machine import FlowMaker, MarketMachine
from engine.sim.paradex.settings import ParadexSettings
from engine.sim.paradex.venue import ParadexMachine
from engine.sim.venues import account_credentials
from tests.chaos.flow import FUNDING_INTERVAL_S
from tests.chaos.stages import FLEET, lighter_machine
from tests.chaos.story import Story

PAIRS = {
    "spot and perp": (("backpack", "main", "SOL_USDC"), ("backpack", "main", "SOL_USDC_PERP")),
    "two accounts": (("backpack", "main", "SOL_USDC_PERP"), ("backpack", "other", "SOL_USDC")),
    "backpack and paradex": (("backpack", "main", "SOL_USDC_PERP"), ("paradex", "far", "SOL-USD-PERP")),
    "backpack and aster": (("backpack", "main", "SOL_USDC_PERP"), ("aster", "far", "SOLUSDT")),
    "backpack and lighter": (("backpack", "main", "SOL_USDC_PERP"), ("lighter", "far", "SOL")),
}
"""Venue, account and market of the maker leg and of the hedge leg."""
BALANCES = {"SOL": Decimal(50), "USDC": Decimal(10_000), "USDT": Decimal(10_000)}


def open_venues(story: Story, legs: Iterable[tuple[str, str, str]], flow: FlowMaker) -> dict[str, MarketMachine]:
    """Every venue of the legs, by name, with their accounts."""
    machines: dict[str, MarketMachine] = {}
    for venue, account, _ in dict.fromkeys(legs):
        machine = machines.setdefault(venue, _machine(venue, story, flow))
        if account not in machine.exchange.ledger.accounts:
            credentials = account_credentials(venue, FLEET, account)
            if isinstance(machine, BackpackMachine):
                machine.open_account(account, credentials["api_key"], BALANCES)
            elif isinstance(machine, LighterMachine):
                machine.open_account(account, credentials, {"USDC": BALANCES["USDC"]}, Tier.PREMIUM)
            elif isinstance(machine, AsterMachine | ParadexMachine):
                machine.open_account(account, credentials, BALANCES)
    return machines


def _machine(venue: str, story: Story, flow: FlowMaker) -> MarketMachine:
    if venue == "paradex":
        return ParadexMachine(ParadexSettings(interactive_delay_ms=0, funding_interval_s=FUNDING_INTERVAL_S), flow)
    if venue == "lighter":
        return lighter_machine(story, flow)
    if venue == "aster":
        return AsterMachine(MarketKind.PERP, AsterSettings(funding_interval_s=FUNDING_INTERVAL_S), flow)
    settings = BackpackSettings(
        taker_delay_ms=story.taker_delay_ms,
        accept_cancels_only=story.cancels_later,
        snapshot_lag_ms=story.lag_ms,
        funding_interval_s=FUNDING_INTERVAL_S,
    )
    return BackpackMachine(settings, flow)
