"""What must hold when the fire is out, asked from the venue itself and compared with what the bots believe."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from engine.errors import BotctlError, Unavailable
from engine.host.control_client import call
from engine.model.account import Fill
from engine.model.order import OrderReport
from engine.trading.accounting import Accounting
from tests.fire.counter import LEG, PERSONS_CLIENT_ID, Counter
from tests.fire.fleet import ACCOUNTS, BOTS
from tests.fire.ground import Ground
from tests.fire.memory import BotMemory

PATIENCE_S = 150.0
"""More than the longest back-off, a stop's deadline and a slow machine together."""
LOOK_S = 0.4

Question = Callable[[], str]
"""Answers with what is wrong; empty when all is well."""


class Judge:
    """Judges one fleet from its start to its end. `broken` is what must not be even for a moment."""

    def __init__(self, ground: Ground) -> None:
        self.broken: list[str] = []
        self._ground = ground
        self._counters = {name: Counter(ground, bot) for name, bot in BOTS.items()}
        self._memories = {name: BotMemory(ground.botctl.workspace, name) for name in BOTS}
        self._by_hand = {name: counter.place_by_hand() for name, counter in self._counters.items()}

    def settle(self) -> list[str]:
        """What is wrong: at once what must never be, and what was not right once before patience was over.

        Bots trade on while they are looked at, so what was right at one look is not asked again.
        """
        deadline = time.monotonic() + PATIENCE_S
        always: list[Question] = [partial(self._forbid, bot) for bot in BOTS]
        once: list[Question] = [self._processes, *(partial(ask, bot) for bot in BOTS for ask in self._questions)]
        while not self.broken:
            answers = [(question, self._answer(question)) for question in (*always, *once)]
            once = [question for question, wrong in answers if wrong and question not in always]
            wrongs = [wrong for _, wrong in answers if wrong]
            if not wrongs:
                break
            if time.monotonic() > deadline:
                return [f"not settled within {PATIENCE_S:g} s: {wrong}" for wrong in wrongs]
            time.sleep(LOOK_S)
        return self.broken

    def ended(self, bot: str) -> None:
        """The bot stopped as one that was asked to: nothing of it rests, and it knows of every fill."""
        if left := self._resting(bot):
            self.broken.append(f"{bot} ended and left {len(left)} orders")
        elif self._books_differ(bot):
            self.broken.append(f"after {bot} ended, {self._books_differ(bot)}")

    def nothing_rests(self) -> bool:
        """Whether the venue has no order of any bot."""
        return not any(self.left_by(bot) for bot in BOTS)

    def left_by(self, bot: str) -> int:
        """How many of its orders the venue has."""
        return len(self._resting(bot))

    def all_ended(self) -> list[str]:
        """The fleet was taken down."""
        for bot in BOTS:
            self.ended(bot)
        self.broken += [f"{name} still runs as {pids}" for name, pids in self._ground.botctl.runners().items()]
        return self.broken

    @property
    def _questions(self) -> tuple[Callable[[str], str], ...]:
        return self._trades, self._orders_differ, self._books_differ, self._figures_differ

    @staticmethod
    def _answer(question: Question) -> str:
        """What is not right yet."""
        try:
            return question()
        except (BotctlError, OSError, sqlite3.OperationalError) as error:
            return f"no answer: {error}"

    # Never --------------------------------------------------------------------------------------------------

    def _forbid(self, bot: str) -> str:
        """No order without owner, no slot twice, no fill that was not, and a person's order stays alone."""
        resting = self._resting(bot)
        slots = {record.request.client_id: record.request.slot for record in self._memories[bot].orders()}
        for order in resting:
            if order.client_id not in slots:
                self.broken.append(f"{bot} has an order at the venue that its journal does not know: {order}")
        taken = [slots[order.client_id] for order in resting if order.client_id in slots]
        for slot in {slot for slot in taken if taken.count(slot) > 1}:
            self.broken.append(f"{bot} has two orders in slot {slot}")
        believed = self._believed_fills(bot)
        if invented := believed.keys() - self._counters[bot].fills().keys():
            self.broken.append(f"{bot} counts fills that the venue does not know: {sorted(invented)}")
        return ""

    def _resting(self, bot: str) -> list[OrderReport]:
        """Own orders at the venue; the person's is looked at on the way."""
        orders = self._counters[bot].open_orders()
        if [o.venue_order_id for o in orders if o.client_id == PERSONS_CLIENT_ID] != [self._by_hand[bot]]:
            self.broken.append(f"the person's order on {bot}'s market is gone")
        return [order for order in orders if order.client_id != PERSONS_CLIENT_ID]

    def _believed_fills(self, bot: str) -> dict[tuple[str, str], Fill]:
        fills = [record.fill for record in self._memories[bot].fills()]
        found = {(fill.trade_id, fill.venue_order_id): fill for fill in fills}
        if len(found) != len(fills):
            self.broken.append(f"{bot} counts {len(fills) - len(found)} fills twice")
        return found

    # In the end ---------------------------------------------------------------------------------------------

    def _processes(self) -> str:
        """Exactly one runner per bot."""
        runners = self._ground.botctl.runners()
        return ", ".join(f"{bot} runs as {runners.get(bot)}" for bot in BOTS if len(runners.get(bot, ())) != 1)

    def _leg(self, bot: str) -> dict[str, Any]:
        """The bot's own figures; Unavailable until it trades."""
        status = call(self._ground.botctl.workspace.control_socket(bot), "status", timeout_s=10)
        leg: dict[str, Any] = status["legs"].get(LEG, {})
        if status["state"] != "running" or not leg.get("ready"):
            raise Unavailable(f"{bot} is {status['state']}: {leg.get('why_not', '')}")
        return leg

    def _trades(self, bot: str) -> str:
        unresolved = self._leg(bot)["unresolved"]
        return f"{bot} has {unresolved} unresolved orders" if unresolved else ""

    def _orders_differ(self, bot: str) -> str:
        """What rests is what it believes in, but for what is on its way to or from resting just now."""
        before = self._believed_orders(bot)
        resting = {str(order.client_id) for order in self._resting(bot)}
        lasting = before & self._believed_orders(bot)
        time.sleep(LOOK_S)
        still = {str(order.client_id) for order in self._resting(bot)}
        ghosts = (lasting & self._believed_orders(bot)) - resting - still
        orphans = (resting & still) - before - self._believed_orders(bot)
        if ghosts or orphans:
            return f"{bot} believes in {sorted(ghosts)}, which do not rest, and misses {sorted(orphans)}"
        return "" if resting else f"{bot} does not quote"

    def _believed_orders(self, bot: str) -> set[str]:
        return {str(record.request.client_id) for record in self._memories[bot].live_orders()}

    def _books_differ(self, bot: str) -> str:
        """Every fill once, the venue's position, and money to the last digit."""
        believed, counter = self._believed_fills(bot), self._counters[bot]
        known = counter.fills()
        if {key: _essence(fill) for key, fill in believed.items()} != {k: _essence(f) for k, f in known.items()}:
            return f"{bot} counts {len(believed)} fills, the venue {len(known)}, or they differ"
        books = self._books(bot)
        if BOTS[bot].is_perp:
            lots = counter.position_lots()
            held = books.position_lots
            return "" if lots == held else f"{bot} holds {held} lots, the venue says {lots}"
        opening, totals = ACCOUNTS[BOTS[bot].account], counter.totals()
        expected = {"SOL": opening["SOL"] + books.base_change, "USDC": opening["USDC"] + books.quote_change}
        has = {asset: totals[asset] for asset in expected}
        return "" if has == expected else f"{bot}'s account has {has}, its fills say {expected}"

    def _figures_differ(self, bot: str) -> str:
        """What it says of itself is what it wrote down."""
        leg, books, instrument = self._leg(bot), self._books(bot), self._counters[bot].instrument
        said = (leg["fills"], Decimal(leg["position"]))
        written = (books.fills, instrument.size(books.position_lots))
        return "" if said == written else f"{bot} says (fills, position) {said}, its journal {written}"

    def _books(self, bot: str) -> Accounting:
        books = Accounting(self._counters[bot].instrument)
        for record in self._memories[bot].fills():
            books.add(record.slot, record.fill)
        return books


def _essence(fill: Fill) -> tuple[object, ...]:
    return fill.client_id, fill.side, fill.ticks, fill.lots, fill.fee, fill.fee_asset
