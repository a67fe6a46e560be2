"""What must hold whatever happens: looked at while a play runs, after it has settled, and when all bots stopped."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import msgspec

from engine.clock import NS_PER_MS, NS_PER_S
from engine.host.workspace import Workspace
from engine.model.instrument import MarketKind
from engine.model.order import OrderRequest, Side
from engine.risk.stops import Stops
from engine.runtime.process import BotProcess
from engine.sim.exchange import Exchange
from engine.sim.orders import ExchangeFill, Order
from engine.spec.types import BotSpec, StopPolicy
from engine.trading.accounting import Accounting
from engine.trading.records import FillRecord, FundingRecord, OrderRecord, OrderState, as_counted
from engine.trading.status import LegStatus
from tests.chaos.stages import Stage, own_id
from tests.chaos.story import TROUBLED_MS

LEG = "main"
COMPLAINTS_MOST = 20
DRIFT = Decimal("1.03")
"""Bots count at the present price, the look at the first one."""
LOWEST_PCT = Decimal(3)
BELIEFS_UNTIL_NS = (TROUBLED_MS + 20_000) * NS_PER_MS
"""When everything has been quiet for a while, looking once in the end is enough."""
BELIEFS_EVERY = 4
"""They are read from disk, which costs more than all other looks together."""


class Watch:
    """Knows the venue from within and the bots from their journals; collects what should not be."""

    def __init__(
        self,
        workspace: Workspace,
        exchange: Exchange,
        specs: Mapping[str, BotSpec],
        stage: Stage,
    ) -> None:
        self.complaints: list[str] = []
        self._workspace = workspace
        self._exchange = exchange
        self._specs = specs
        self._stage = stage
        self._looks = 0
        self._hands: dict[int, Order] = {}
        self._slots: dict[str, dict[int, str]] = {bot: {} for bot in specs}
        self.budget_usd: Decimal | None = None
        """Most that all bots together may be in for, if they share a budget."""

    def complain(self, what: str) -> None:
        if what not in self.complaints and len(self.complaints) < COMPLAINTS_MOST:
            self.complaints.append(what)

    def by_hand(self, order: Order) -> None:
        """A person placed this order; no bot may touch it or count its fills."""
        self._hands[order.order_id] = order

    # At any moment ------------------------------------------------------------------------------------------

    def look(self, elapsed_ns: int) -> None:
        """No order without owner, no slot twice, no limit passed, no belief without a reason: not even for a
        moment."""
        for bot in self._specs:
            when = f"{elapsed_ns / NS_PER_S:.3f} s: {bot}"
            resting = self._resting(bot)
            slots = [self._slot(bot, own_id(order.client_id)) for order in resting]
            if None in slots:
                self.complain(f"{when} has an order at the venue that its journal does not know")
            known = [slot for slot in slots if slot]
            for slot in {slot for slot in known if known.count(slot) > 1}:
                self.complain(f"{when} has two orders in slot {slot}")
            self._look_at_limit(bot, resting, when)
            if elapsed_ns < BELIEFS_UNTIL_NS and self._looks % BELIEFS_EVERY == 0:
                self._look_at_beliefs(bot, when)
        self._looks += 1
        self._look_at_budget(elapsed_ns)

    def stopped(self, bot: str) -> None:
        """A bot ended as asked: nothing of it rests, and where the policy says flatten nothing is held."""
        if resting := self._resting(bot):
            self.complain(f"{bot} stopped and left {len(resting)} orders")
        if self._specs[bot].process.stop_policy is StopPolicy.FLATTEN:
            books = self._books(bot)
            held = books.base_change if bot == "spot" else self._exchange_size(bot)
            if abs(held) >= self._smallest_order(bot):
                self.complain(f"{bot} should be flat after its stop and holds {held}")

    # After it has settled -----------------------------------------------------------------------------------

    def agree(self, processes: Mapping[str, BotProcess | None]) -> None:
        """Belief equals truth, for every bot, and all money is where the books say."""
        for bot, process in processes.items():
            if process is None or process.bot is None:
                self.complain(f"{bot} does not run in the end")
                continue
            status = process.bot.status.legs[LEG]
            self._agree_on_orders(bot, status)
            self._look_at_beliefs(bot, "in the end")
            self._agree_on_fills(bot)
            self._agree_on_books(bot, status)
            self._agree_on_stops(bot)
        self._agree_on_money()

    def ended(self) -> None:
        """Every bot was told to stop."""
        for bot in self._specs:
            self.stopped(bot)
            self._agree_on_fills(bot)
        self._agree_on_money()
        for order in self._hands.values():
            if order.time_in_force == "gtc" and order.status != "resting":
                self.complain(f"the person's order {order.order_id} is {order.status}")

    def _agree_on_orders(self, bot: str, status: LegStatus) -> None:
        if not status.ready or status.unresolved:
            self.complain(f"{bot} does not settle: {status.why_not or 'ready'}, {status.unresolved} unresolved")
        believed = {record.request.client_id for record in self._live(bot)}
        resting = {own_id(order.client_id) for order in self._resting(bot)}
        if believed != resting:
            ghosts, orphans = sorted(believed - resting), sorted(resting - believed, key=str)
            self.complain(f"{bot} believes in {ghosts}, which do not rest, and misses {orphans}")
        elif status.orders != len(resting):
            self.complain(f"{bot} says {status.orders} orders, {len(resting)} rest")
        if not resting and self.budget_usd is None:
            self.complain(f"{bot} does not quote in the end")

    def _agree_on_fills(self, bot: str) -> None:
        ours = [record.fill for record in self._fills(bot)]
        believed = sorted((f.trade_id, f.side, f.ticks, f.lots, f.fee) for f in ours)
        known = sorted((str(f.trade_id), f.side, f.ticks, f.lots, f.fee) for f in self._venue_fills(bot))
        owners = {str(f.trade_id): own_id(f.client_id) for f in self._venue_fills(bot)}
        if any(f.client_id not in (None, owners.get(f.trade_id)) for f in ours):
            self.complain(f"{bot} has given a fill to another order than the venue did")
        if believed != known:
            self.complain(f"{bot} counts {len(believed)} fills, the venue {len(known)}, or they differ")

    def _agree_on_books(self, bot: str, status: LegStatus) -> None:
        """The running bot's figures are those of a replay, and FIFO profit is the flow of money."""
        books = self._books(bot)
        instrument = self._exchange.markets[self._symbol(bot)].market.instrument
        if status.position != books.position_lots * instrument.lot_size or status.fills != books.fills:
            self.complain(f"{bot} says position {status.position} after {status.fills} fills, its journal differs")
        if bot != "spot" and status.position != self._exchange_size(bot):
            self.complain(f"{bot} says position {status.position}, the venue {self._exchange_size(bot)}")
        if status.best_bid is None or status.best_ask is None or status.unrealised_pnl is None:
            self.complain(f"{bot} sees no market in the end")
            return
        at = self._exchange.markets[self._symbol(bot)]
        seen = tuple(instrument.price(at.book.best(side) or 0) for side in Side)
        if (status.best_bid, status.best_ask) != seen:
            self.complain(f"{bot} sees {status.best_bid} to {status.best_ask}, and the venue's book is {seen}")
        mid = (status.best_bid + status.best_ask) / 2
        paid = books.fees.get(instrument.quote, Decimal(0))
        if (status.funding, status.equity) != (books.funding, tuple(books.equity.points)):
            self.complain(
                f"{bot} says {status.funding} of funding, its journal {books.funding}, or the curves differ"
            )
        made = books.quote_change - books.funding + paid + status.position * mid
        if status.realised_pnl + status.unrealised_pnl != made:
            self.complain(f"{bot}'s profit is not what its fills made")

    def _agree_on_stops(self, bot: str) -> None:
        """The day began before the first fill, with nothing made or lost; no restart may begin it again."""
        rows = self._rows(bot, "SELECT value FROM meta WHERE key LIKE 'stops %'")
        stops = [msgspec.json.decode(row, type=Stops) for row in rows]
        if [(each.base_usd, each.day_start_usd) for each in stops] != [(0, 0)]:
            self.complain(f"{bot} forgot since when it counts its losses: {stops}")

    def _agree_on_money(self) -> None:
        """The account has what it began with, what the bots' books say, and what the person did."""
        change, quote = dict.fromkeys(self._stage.balances, Decimal(0)), self._stage.quote
        for bot in self._specs:
            books = self._books(bot)
            change[quote] += books.quote_change
            if bot == "spot":
                change["SOL"] += books.base_change
            else:
                change[quote] += self._cost(bot)
        for fill in self._exchange.fills("main"):
            if fill.order_id in self._hands:
                instrument = self._exchange.markets[fill.symbol].market.instrument
                change["SOL"] += fill.side.sign * instrument.size(fill.lots)
                change[quote] -= fill.side.sign * instrument.notional(fill.ticks, fill.lots)
                change[fill.fee_asset] -= fill.fee
        for asset, expected in change.items():
            has = self._exchange.account("main").total[asset] - self._stage.balances[asset]
            if has != expected:
                self.complain(f"the account has {has} {asset} more than in the beginning, the books say {expected}")

    # The venue from within ----------------------------------------------------------------------------------

    def _symbol(self, bot: str) -> str:
        return self._specs[bot].legs[LEG].market

    def _resting(self, bot: str) -> list[Order]:
        orders = self._exchange.open_orders("main", self._symbol(bot))
        return [order for order in orders if order.order_id not in self._hands]

    def _venue_fills(self, bot: str) -> list[ExchangeFill]:
        fills = self._exchange.fills("main")
        return [f for f in fills if f.symbol == self._symbol(bot) and f.order_id not in self._hands]

    def _exchange_size(self, bot: str) -> Decimal:
        instrument = self._exchange.markets[self._symbol(bot)].market.instrument
        return self._exchange.account("main").lots(self._symbol(bot)) * instrument.lot_size

    def _smallest_order(self, bot: str) -> Decimal:
        """At the lowest price of the play: what is smaller cannot be sold."""
        market = self._exchange.markets[self._symbol(bot)].market
        lowest = market.start_price * (1 - LOWEST_PCT / 100)
        ticks, reduces = market.instrument.ticks_below(lowest), market.instrument.kind is MarketKind.PERP
        return market.instrument.size(market.instrument.min_lots(ticks, reduces=reduces))

    def _cost(self, bot: str) -> Decimal:
        position = self._exchange.account("main").positions.get(self._symbol(bot))
        return position.cost if position else Decimal(0)

    def _look_at_limit(self, bot: str, resting: list[Order], when: str) -> None:
        """What is held and everything that may still fill must fit the limit, on each side."""
        instrument = self._exchange.markets[self._symbol(bot)].market.instrument
        limit = self._specs[bot].risk.max_position
        if limit is None:
            return
        fills = self._venue_fills(bot)
        held = instrument.size(sum(f.lots * f.side.sign for f in fills))
        held -= sum((f.fee for f in fills if f.fee_asset == instrument.base), Decimal(0))
        for side in Side:
            may = instrument.size(sum(o.open_lots for o in resting if o.side is side and not o.reduce_only))
            if may and held * side.sign + may > limit:
                self.complain(f"{when} holds {held} and may {side} {may} more: over the limit")

    def _look_at_beliefs(self, bot: str, when: str) -> None:
        """What a bot takes for resting the venue has had, be it gone by now; and what rests has one of the prices
        and sizes that the bot reckons with."""
        had = {own_id(order.client_id): order for order in self._exchange.order_history("main")}
        for record in self._live(bot):
            order, slot = had.get(record.request.client_id), record.request.slot
            reckoned = [_terms(terms) for terms in (record.request, record.amended) if terms is not None]
            if order is None:
                if record.state is OrderState.ACCEPTED:
                    self.complain(f"{when} takes {slot} for resting, which the venue never had")
            elif order.status.is_open and _terms(order) not in reckoned:
                self.complain(f"{when} takes {slot} for {' or '.join(reckoned)}, it rests as {_terms(order)}")

    def _look_at_budget(self, elapsed_ns: int) -> None:
        """All bots together, with everything filled that may be, at the price the market began with."""
        if self.budget_usd is None:
            return
        used = sum(self._gross_usd(bot) for bot in self._specs)
        if used > self.budget_usd * DRIFT:
            self.complain(f"{elapsed_ns / NS_PER_S:.3f} s: all bots use {used} of a budget of {self.budget_usd}")

    def _gross_usd(self, bot: str) -> Decimal:
        at = self._exchange.markets[self._symbol(bot)]
        held = sum(f.lots * f.side.sign for f in self._venue_fills(bot))
        resting = self._resting(bot)
        buys = sum(o.open_lots for o in resting if o.side is Side.BUY)
        sells = sum(o.open_lots for o in resting if o.side is Side.SELL)
        return at.market.start_price * at.market.instrument.size(max(held + buys, sells - held))

    # The bots from their journals ---------------------------------------------------------------------------

    def _journal(self, bot: str) -> Path | None:
        return next((self._workspace.journals / bot).glob("*.sqlite"), None)

    def _rows(self, bot: str, query: str) -> list[bytes]:
        path = self._journal(bot)
        if path is None:
            return []
        with closing(sqlite3.connect(path)) as reader:
            return [record for (record,) in reader.execute(query)]

    def _orders(self, bot: str, query: str) -> list[OrderRecord]:
        return [msgspec.json.decode(record, type=OrderRecord) for record in self._rows(bot, query)]

    def _live(self, bot: str) -> list[OrderRecord]:
        return self._orders(bot, "SELECT record FROM orders WHERE done = 0")

    def _fills(self, bot: str) -> list[FillRecord]:
        rows = self._rows(bot, "SELECT record FROM fills ORDER BY seq")
        return [msgspec.json.decode(record, type=FillRecord) for record in rows]

    def _funding(self, bot: str) -> list[FundingRecord]:
        rows = self._rows(bot, "SELECT record FROM funding ORDER BY seq")
        return [msgspec.json.decode(record, type=FundingRecord) for record in rows]

    def _books(self, bot: str) -> Accounting:
        books = Accounting(self._exchange.markets[self._symbol(bot)].market.instrument)
        for counted in as_counted(self._fills(bot), self._funding(bot)):
            if isinstance(counted, FillRecord):
                books.add(counted.slot, counted.fill)
            else:
                books.add_funding(counted.own, counted.payment.at_ns)
        return books

    def _slot(self, bot: str, client_id: int | None) -> str | None:
        """The slot of an order, as the bot wrote it down; None when it never did."""
        known = self._slots[bot]
        if client_id is not None and client_id not in known:
            for record in self._orders(bot, "SELECT record FROM orders"):
                known.setdefault(record.request.client_id, record.request.slot)
        return known.get(client_id) if client_id is not None else None


def _terms(order: Order | OrderRequest) -> str:
    return f"{order.lots} lots at {order.ticks}"
