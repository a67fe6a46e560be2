"""What must hold when the fire is out, asked from the venue itself and compared with what the bots believe."""

from __future__ import annotations

import sqlite3
import time
from decimal import Decimal
from typing import Any

from engine.errors import BotctlError
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


class Judge:
    """Judges one fleet from its start to its end. `broken` is what must not be even for a moment."""

    def __init__(self, ground: Ground) -> None:
        self.broken: list[str] = []
        self._ground = ground
        self._counters = {name: Counter(ground, bot) for name, bot in BOTS.items()}
        self._memories = {name: BotMemory(ground.botctl.workspace, name) for name in BOTS}
        self._by_hand = {name: counter.place_by_hand() for name, counter in self._counters.items()}

    def settle(self) -> list[str]:
        """What is wrong: at once what must never be, and what is not yet right when patience is over."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.broken and (unsettled := self._look()):
            if time.monotonic() > deadline:
                return [f"not settled within {PATIENCE_S:g} s: {each}" for each in unsettled]
            time.sleep(LOOK_S)
        return self.broken

    def ended(self, bot: str) -> None:
        """The bot stopped as one that was asked to: nothing of it rests, and it knows of every fill."""
        if left := self._resting(bot):
            self.broken.append(f"{bot} ended and left {len(left)} orders")
        elif self._books_differ(bot):
            self.broken.append(f"{bot} ended, and {self._books_differ(bot)}")

    def nothing_rests(self) -> bool:
        """Whether the venue has no order of any bot."""
        return not any(self._resting(bot) for bot in BOTS)

    def all_ended(self) -> list[str]:
        """The fleet was taken down."""
        for bot in BOTS:
            self.ended(bot)
        self.broken += [f"{name} still runs as {pids}" for name, pids in self._ground.botctl.runners().items()]
        return self.broken

    def _look(self) -> list[str]:
        """What is not right yet, of all bots; what must never be goes to `broken`."""
        try:
            for bot in BOTS:
                self._forbid(bot)
            return [*self._processes(), *(each for bot in BOTS for each in self._bot(bot))]
        except (BotctlError, OSError, sqlite3.OperationalError) as error:
            return [f"no answer: {error}"]

    # Never --------------------------------------------------------------------------------------------------

    def _forbid(self, bot: str) -> None:
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

    def _processes(self) -> list[str]:
        """Exactly one runner per bot."""
        runners = self._ground.botctl.runners()
        return [f"{bot} runs as {runners.get(bot)}" for bot in BOTS if len(runners.get(bot, ())) != 1]

    def _bot(self, bot: str) -> list[str]:
        """The bot trades, and belief equals truth."""
        status = call(self._ground.botctl.workspace.control_socket(bot), "status", timeout_s=10)
        leg = status["legs"].get(LEG)
        if status["state"] != "running" or leg is None or not leg["ready"] or leg["unresolved"]:
            return [f"{bot} is {status['state']}: {leg and (leg['why_not'] or leg['unresolved'])}"]
        wrong = self._orders_differ(bot) or self._books_differ(bot) or self._figures_differ(bot, leg)
        return [f"{bot}: {wrong}"] if wrong else []

    def _orders_differ(self, bot: str) -> str:
        believed = {record.request.client_id for record in self._memories[bot].live_orders()}
        resting = {order.client_id for order in self._resting(bot)}
        if believed != resting:
            return f"believes in {sorted(believed)}, and {sorted(resting, key=str)} rest"
        return "" if resting else "does not quote"

    def _books_differ(self, bot: str) -> str:
        """Every fill once, the venue's position, and money to the last digit."""
        believed, counter = self._believed_fills(bot), self._counters[bot]
        known = counter.fills()
        if {key: _essence(fill) for key, fill in believed.items()} != {k: _essence(f) for k, f in known.items()}:
            return f"counts {len(believed)} fills, the venue {len(known)}, or they differ"
        books = self._books(bot)
        if BOTS[bot].is_perp:
            lots = counter.position_lots()
            return "" if lots == books.position_lots else f"holds {books.position_lots} lots, the venue says {lots}"
        opening, totals = ACCOUNTS[BOTS[bot].account], counter.totals()
        expected = {"SOL": opening["SOL"] + books.base_change, "USDC": opening["USDC"] + books.quote_change}
        has = {asset: totals[asset] for asset in expected}
        return "" if has == expected else f"the account has {has}, the fills say {expected}"

    def _figures_differ(self, bot: str, leg: dict[str, Any]) -> str:
        """What it says of itself, a moment ago, is what it wrote down."""
        books, instrument = self._books(bot), self._counters[bot].instrument
        said = (leg["fills"], Decimal(leg["position"]))
        written = (books.fills, instrument.size(books.position_lots))
        return "" if said == written else f"says (fills, position) {said}, its journal {written}"

    def _books(self, bot: str) -> Accounting:
        books = Accounting(self._counters[bot].instrument)
        for record in self._memories[bot].fills():
            books.add(record.slot, record.fill)
        return books


def _essence(fill: Fill) -> tuple[object, ...]:
    return fill.client_id, fill.side, fill.ticks, fill.lots, fill.fee, fill.fee_asset
