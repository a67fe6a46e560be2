"""Plays one scenario: the whole bots against the simulated venues, in one process and in virtual time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from engine.host.endpoints import SimEndpoint, write_sim_endpoint
from engine.host.workspace import Workspace
from engine.sim.exchange import Exchange
from engine.sim.machine import HttpAnswered, Outbound, SocketSent
from engine.sim.market_machine import FlowMaker, MarketMachine
from engine.sim.network import VirtualNetwork
from engine.sim.orders import Order
from engine.sim.trouble import Weather
from engine.sim.venue_market import VenueMarket
from engine.sim.venues import account_credentials
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import Crashed, VirtualWorld
from engine.spec.load import Loaded, load_fleet
from engine.spec.types import BotSpec, FleetSpec, SimSpec
from tests.chaos.keeper import Keeper
from tests.fleets import write_generation
from tests.scenarios.market import ScriptedFlow
from tests.scenarios.scenario import Expected, Scenario
from tests.simulated import end_all_tasks, simulated_markets

LOOK_EVERY_S = 0.05
STOPPED_WITHIN_S = 60.0
LONGEST_S = 7_200.0


def play(scenario: Scenario, directory: Path) -> list[str]:
    """Everything that was not as the scenario says; `directory` is its own."""
    with patch.dict(os.environ, {"XDG_STATE_HOME": f"{directory}/host"}):
        stage = Stage(scenario, directory)
        try:
            stage.loop.run_until_complete(asyncio.wait_for(stage.scene(), LONGEST_S))
        finally:
            stage.loop.run_until_complete(end_all_tasks())
            stage.loop.close()
    return stage.complaints


class Stage:
    """What a keeper needs of a play (`tests.chaos.keeper.Stage`), and the scenario's own clock."""

    def __init__(self, scenario: Scenario, directory: Path) -> None:
        self.scenario = scenario
        self.complaints: list[str] = []
        self.workspace = Workspace(root=directory)
        self.loop = VirtualLoop()
        self.loop.set_exception_handler(self._broken)
        loaded = load(scenario)
        assert loaded.fleet is not None
        self.fleet: FleetSpec = loaded.fleet
        self.specs: dict[str, BotSpec] = {name: bot.spec for name, bot in loaded.bots.items()}
        self._hands: set[int] = set()
        self.venues = {venue: self._machine(spec) for venue, spec in self.fleet.sims.items()}
        self.network = VirtualNetwork(
            self.loop,
            self.venues,
            seed=1,
            latency_ms=scenario.latency_ms,
            weather=Weather((bad.trouble for bad in scenario.troubles), seed=1),
        )
        write_generation(self.workspace, self.specs, fleet=self.fleet)
        for venue in self.venues:
            here = SimEndpoint(instance="one", rest_url=f"http://{venue}", ws_url=f"ws://{venue}/", pid=os.getpid())
            write_sim_endpoint(self.workspace, venue, here)
        self.keepers = {bot: Keeper(self, bot) for bot in self.specs}

    async def scene(self) -> None:
        for hit in self.scenario.mishaps:
            self.loop.call_later(hit.at_s, self.keepers[hit.bot].suffer, hit.mishap)
        for expected in self.scenario.expect:
            self.loop.call_later(expected.at_s, self._compare, expected)
        lives = [asyncio.ensure_future(keeper.keep()) for keeper in self.keepers.values()]
        looking = asyncio.ensure_future(self._look())
        await asyncio.sleep(self.scenario.lasts_s)
        for bot in self.specs:
            self._compare_in_the_end(bot)
        for keeper in self.keepers.values():
            keeper.end()
        await asyncio.wait(lives, timeout=STOPPED_WITHIN_S)
        looking.cancel()
        for bot in self.specs:
            self._nothing_left(bot)
        for venue in self.venues:
            self._look_at_answers(venue)

    # What keepers ask for -----------------------------------------------------------------------------------

    def world(self, name: str) -> VirtualWorld:
        return VirtualWorld(self.network, seed=1, name=name)

    def apply(self, bot: str, *, spread_bps: int) -> None:
        raise AssertionError("scenarios do not reload")

    def stopped(self, bot: str) -> None:
        self._nothing_left(bot)

    def complain(self, what: str) -> None:
        complaint = f"{self.network.elapsed_ns / 1e9:.2f} s: {what}"
        if what not in {earlier.partition(": ")[2] for earlier in self.complaints}:
            self.complaints.append(complaint)

    # What must be true --------------------------------------------------------------------------------------

    def _compare(self, expected: Expected) -> None:
        has = self._facts(expected.bot, expected.leg)
        for name in expected.__struct_fields__:
            wanted = getattr(expected, name)
            if name in ("at_s", "bot", "leg") or wanted is None:
                continue
            found = has.get(name)
            fits = str(wanted) in str(found) if name.endswith("why_not") and wanted else wanted == found
            if not fits:
                self.complain(f"{expected.bot} has {name} {_words(found)}, not {_words(wanted)}")

    def _facts(self, bot: str, leg: str) -> dict[str, Any]:
        resting = self._resting(bot, leg)
        facts: dict[str, Any] = {
            "orders": len(resting),
            "buys": sorted(
                (self._price(bot, leg, order) for order in resting if order.side.sign > 0), reverse=True
            ),
            "sells": sorted(self._price(bot, leg, order) for order in resting if order.side.sign < 0),
            "sizes": self._open_size(bot, leg),
            "by_hand": len(self._by_hand(bot, leg)),
            "held": self._held(bot, leg),
            "state": "dead",
        }
        process = self.keepers[bot].process
        if process is None:
            return facts
        facts["state"] = process.state
        if process.bot is not None:
            status = process.bot.status.legs[leg]
            facts |= {name: getattr(status, name) for name in status.__struct_fields__ if name not in facts}
        return facts

    async def _look(self) -> None:
        most = self.scenario.most_orders
        while True:
            for bot, spec in self.specs.items():
                for leg in spec.legs:
                    count = len(self._resting(bot, leg))
                    if most is not None and count > most:
                        self.complain(f"{bot} has {count} orders on {leg}, more than {most}")
            await asyncio.sleep(LOOK_EVERY_S)

    def _compare_in_the_end(self, bot: str) -> None:
        """Belief and venue agree, for every leg."""
        process = self.keepers[bot].process
        if process is None or process.bot is None:
            if not self.scenario.ends_stopped:
                self.complain(f"{bot} does not run in the end")
            return
        for leg, status in process.bot.status.legs.items():
            resting = len(self._resting(bot, leg))
            if status.orders != resting or status.unresolved:
                self.complain(f"{bot} believes in {status.orders} orders and {status.unresolved}, {resting} rest")
            if status.position != self._held(bot, leg):
                self.complain(f"{bot} believes in a position of {status.position}, and has {self._held(bot, leg)}")

    def _nothing_left(self, bot: str) -> None:
        for leg in self.specs[bot].legs:
            if resting := self._resting(bot, leg):
                self.complain(f"{bot} stopped and left {len(resting)} orders")

    def _look_at_answers(self, venue: str) -> None:
        for at_ns, said in self.network.transcript(venue):
            words = _refusal(said)
            if any(each in words for each in self.scenario.never_answered):
                self.complain(f"{venue} said after {at_ns / 1e9:.2f} s: {words}")

    # The venues from within ---------------------------------------------------------------------------------

    def _at(self, bot: str, leg: str) -> tuple[Exchange, str, str]:
        where = self.specs[bot].legs[leg]
        return self.venues[where.venue].exchange, where.account, where.market

    def _resting(self, bot: str, leg: str) -> list[Order]:
        exchange, account, market = self._at(bot, leg)
        return [order for order in exchange.open_orders(account, market) if order.order_id not in self._hands]

    def _by_hand(self, bot: str, leg: str) -> list[Order]:
        """The owner's own resting orders, on whatever market of the bot's account."""
        exchange, account, _ = self._at(bot, leg)
        return [order for order in exchange.open_orders(account) if order.order_id in self._hands]

    def _open_size(self, bot: str, leg: str) -> Decimal:
        exchange, _, market = self._at(bot, leg)
        return exchange.markets[market].market.instrument.size(sum(o.open_lots for o in self._resting(bot, leg)))

    def _held(self, bot: str, leg: str) -> Decimal:
        """Σ of the account's fills on the market that are not the owner's own."""
        exchange, account, market = self._at(bot, leg)
        fills = [each for each in exchange.fills(account) if each.symbol == market]
        lots = sum(each.side.sign * each.lots for each in fills if each.order_id not in self._hands)
        return exchange.markets[market].market.instrument.size(lots)

    def _price(self, bot: str, leg: str, order: Order) -> Decimal:
        exchange, _, market = self._at(bot, leg)
        return exchange.markets[market].market.instrument.price(order.ticks)

    # What it is built from ----------------------------------------------------------------------------------

    def _machine(self, spec: SimSpec) -> MarketMachine:
        credentials = {
            account: account_credentials(spec.venue, self.fleet.id, account) for account in spec.accounts
        }
        machine = new_machine(spec.venue, self.scenario.settings.get(spec.venue, {}), self._flow(spec.venue))
        for account, balances in spec.accounts.items():
            keys: Any = credentials[account]["api_key"] if spec.venue == "backpack" else credentials[account]
            tier = {"tier": spec.tiers[account]} if spec.tiers and account in spec.tiers else {}
            machine.open_account(account, keys, balances, **tier)
        return machine

    def _flow(self, venue: str) -> FlowMaker:
        def make(exchange: Exchange, at: VenueMarket, _now_ns: int) -> ScriptedFlow:
            lines = self.scenario.markets.get(f"{venue} {at.market.symbol}", [])
            return ScriptedFlow(exchange, at, lines, lambda order: self._hands.add(order.order_id))

        return make

    def _broken(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, Crashed):
            self.complain(f"in the loop: {context['message']}: {error!r}")


def load(scenario: Scenario) -> Loaded:
    """The scenario's fleet, read and checked as a user's would be."""
    files = {"bots/fleet.yaml": yaml.safe_dump({"id": "scenario", **scenario.fleet})}
    for name, bot in scenario.bots.items():
        files[f"bots/{name}.yaml"] = yaml.safe_dump({"metadata": {"name": name}, **bot})
    loaded = load_fleet(files, environment={}, facts=simulated_markets)
    errors = [str(found) for found in loaded.diagnostics if found.is_error]
    assert not errors, "\n".join(errors)
    return loaded


def new_machine(venue: str, settings: Mapping[str, Any], make_flow: FlowMaker) -> Any:
    """The simulated venue itself, with the market's script for a flow."""
    from engine.model.instrument import MarketKind

    match venue:
        case "backpack":
            from engine.sim.backpack.settings import BackpackSettings
            from engine.sim.backpack.venue import BackpackMachine

            return BackpackMachine(BackpackSettings(**{"taker_delay_ms": 0, **settings}), make_flow)
        case "aster" | "aster-spot":
            from engine.sim.aster.settings import AsterSettings
            from engine.sim.aster.venue import AsterMachine

            kind = MarketKind.PERP if venue == "aster" else MarketKind.SPOT
            return AsterMachine(kind, AsterSettings(**settings), make_flow)
        case "paradex":
            from engine.sim.paradex.settings import ParadexSettings
            from engine.sim.paradex.venue import ParadexMachine

            return ParadexMachine(ParadexSettings(**settings), make_flow)
        case "lighter":
            from engine.sim.lighter.settings import LighterSettings
            from engine.sim.lighter.venue import LighterMachine

            return LighterMachine(LighterSettings(**settings), make_flow)
    raise AssertionError(venue)


def _refusal(said: Outbound) -> str:
    """The words of a refusal, be it to a request or to a transaction on a socket; empty for all that is none."""
    if isinstance(said, HttpAnswered) and said.response.status >= 400:
        return f"{said.response.status} {said.response.body.decode()}"
    return said.text if isinstance(said, SocketSent) and '"error"' in said.text else ""


def _words(value: Any) -> str:
    return "[" + ", ".join(map(str, value)) + "]" if isinstance(value, list) else str(value)
