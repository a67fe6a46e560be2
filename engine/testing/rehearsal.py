"""A bot's whole machine on a market that wanders and fills it at random: here strategies must keep their promises.

There is no latency and no trouble here (that is what the simulated venues are for), only fills, movement and time.
Whatever a bot sends is checked against what its venue and its limits allow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from random import Random
from typing import Any

from engine.clock import NS_PER_MS, NS_PER_S
from engine.model.account import Balance, Fill, Position
from engine.model.commands import CancelOrder, Command, SubmitOrder
from engine.model.events import (
    BalancesReported,
    BookUpdated,
    Event,
    FillsReported,
    LegConnected,
    MarkPriceUpdated,
    OpenOrdersReported,
    OrderFilled,
    OrderHistoryReported,
    OrderUpdated,
    PositionReported,
    TimePassed,
)
from engine.model.ids import ClientIdScheme
from engine.model.instrument import Instrument, MarketKind
from engine.model.order import Liquidity, OrderReport, OrderRequest, OrderStatus, Side, TimeInForce
from engine.spec.types import BotSpec
from engine.trading.leg import LegSetup
from engine.trading.machine import Machine
from engine.trading.records import Budget, Memory

PLENTY = Budget(reduce=1_000, cancel=1_000, place=1_000)
WIDEST_TICKS = 12
MOST_ANSWERS = 1_000
"""A bot that answers every answer with something new has no target it could reach."""


class Broken(AssertionError):
    """A promise that a strategy, or the machine around it, did not keep."""


class Market:
    """One leg's market and everything the bot has there."""

    def __init__(self, leg: str, instrument: Instrument, mid: int) -> None:
        self.leg, self.instrument = leg, instrument
        self.bid, self.ask = mid - 1, mid + 1
        self.resting: dict[int, tuple[OrderRequest, int]] = {}
        """Orders and their remaining lots."""
        self.position_lots = 0

    def wander(self, random: Random) -> None:
        """The book moves; nothing of ours is filled by that."""
        self.bid = max(WIDEST_TICKS, self.bid + random.choice((-1, 1)) * random.randint(1, WIDEST_TICKS))
        self.ask = self.bid + random.randint(1, WIDEST_TICKS)

    def check(self, request: OrderRequest, limit_lots: int | None) -> None:
        """What no order may do."""
        best = self.ask if request.side is Side.BUY else self.bid
        if request.post_only and (request.ticks - best) * request.side.sign >= 0:
            raise Broken(f"{request.slot}: a post-only order at {request.ticks} crosses the market's {best}")
        if request.ticks <= 0 or request.lots < self.instrument.min_lots(request.ticks):
            raise Broken(f"{request.slot}: {request.lots} lots at {request.ticks} are less than the venue takes")
        if limit_lots is None or request.reduce_only:
            return
        pending = sum(left for other, left in self.resting.values() if other.side is request.side)
        if self.position_lots * request.side.sign + pending + request.lots > limit_lots:
            raise Broken(f"{request.slot}: with {request.lots} lots more the position may pass its limit")


class Rehearsal:
    """One bot. Every method carries its event through until the bot asks for nothing more."""

    def __init__(self, spec: BotSpec, instruments: Mapping[str, Instrument], random: Random, mid: int) -> None:
        self._spec, self._random = spec, random
        self._now_ns = 1_000 * NS_PER_S
        self._trades = 0
        self.markets = {leg: Market(leg, instrument, mid) for leg, instrument in instruments.items()}
        self._budgets = dict.fromkeys(instruments, PLENTY)
        self.machine = Machine(
            legs={leg: _setup(leg, instrument) for leg, instrument in instruments.items()},
            spec=spec,
            memory=Memory(),
        )

    def start(self) -> None:
        """Connect every leg, answer what is asked first, and show the books."""
        for market in self.markets.values():
            self._feed(LegConnected(at_ns=self._tick(), leg=market.leg))
            asked_ns = self._now_ns
            for answer in _answers(market, asked_ns, self._tick()):
                self._feed(answer)
        for market in self.markets.values():
            self._feed(self._book(market))

    def step(self) -> None:
        """Something happens: the market moves, an order is filled, or time passes."""
        market = self._random.choice(list(self.markets.values()))
        draw = self._random.random()
        if draw < 0.4 and market.resting:
            self._fill(market)
        elif draw < 0.9:
            market.wander(self._random)
            if market.instrument.kind is MarketKind.PERP:
                self._feed(self._mark(market))
            self._feed(self._book(market))
        else:
            self._now_ns += self._random.randint(1, 40) * NS_PER_S
            self._feed(TimePassed(at_ns=self._now_ns, leg=""))

    def check_settled(self) -> None:
        """What was brought about is left alone: the same present, looked at again, asks for nothing."""
        commands = self.machine.step(TimePassed(at_ns=self._now_ns, leg=""), self._budgets).commands
        orders = [command for command in commands if isinstance(command, SubmitOrder | CancelOrder)]
        if orders:
            raise Broken(f"nothing has changed, and yet it wants {orders[0]}")

    # The venue ----------------------------------------------------------------------------------------------

    def _feed(self, event: Event) -> None:
        todo = [event]
        for _ in range(MOST_ANSWERS):
            if not todo:
                return
            commands = self.machine.step(todo.pop(0), self._budgets).commands
            todo += [answer for command in commands for answer in self._obey(command)]
        raise Broken("it answers every answer with another order")

    def _obey(self, command: Command) -> Iterator[Event]:
        if isinstance(command, CancelOrder):
            market = self.markets[command.leg]
            request, left = market.resting.pop(command.client_id)
            yield self._update(request, OrderStatus.CANCELED, request.lots - left)
        elif isinstance(command, SubmitOrder):
            yield from self._take(self.markets[command.leg], command.order.request)

    def _take(self, market: Market, request: OrderRequest) -> Iterator[Event]:
        market.check(request, self._limit_lots(market))
        best = market.ask if request.side is Side.BUY else market.bid
        if (request.ticks - best) * request.side.sign >= 0:
            yield self._filled(market, request, request.lots, best)
            yield self._update(request, OrderStatus.FILLED, request.lots)
        elif request.time_in_force is TimeInForce.GTC:
            market.resting[request.client_id] = (request, request.lots)
            yield self._update(request, OrderStatus.RESTING, 0)
        else:
            yield self._update(request, OrderStatus.CANCELED, 0)

    def _fill(self, market: Market) -> None:
        client_id = self._random.choice(list(market.resting))
        request, left = market.resting.pop(client_id)
        lots = self._random.randint(1, left)
        if left > lots:
            market.resting[client_id] = (request, left - lots)
        self._feed(self._filled(market, request, lots, request.ticks))
        status = OrderStatus.RESTING if left > lots else OrderStatus.FILLED
        self._feed(self._update(request, status, request.lots - left + lots))

    def _filled(self, market: Market, request: OrderRequest, lots: int, ticks: int) -> OrderFilled:
        self._trades += 1
        market.position_lots += lots * request.side.sign
        fill = Fill(
            trade_id=f"t{self._trades}",
            venue_order_id=f"v{request.client_id}",
            client_id=request.client_id,
            side=request.side,
            ticks=ticks,
            lots=lots,
            fee=Decimal(0),
            fee_asset=market.instrument.quote,
            liquidity=Liquidity.MAKER,
            at_ns=self._tick(),
        )
        return OrderFilled(at_ns=self._now_ns, leg=market.leg, fill=fill)

    def _update(self, request: OrderRequest, status: OrderStatus, executed_lots: int) -> OrderUpdated:
        report = OrderReport(
            venue_order_id=f"v{request.client_id}",
            client_id=request.client_id,
            side=request.side,
            ticks=request.ticks,
            lots=request.lots,
            executed_lots=executed_lots,
            status=status,
        )
        return OrderUpdated(at_ns=self._tick(), leg=request.leg, report=report)

    def _book(self, market: Market) -> BookUpdated:
        deep = 10_000_000
        bids, asks = ((market.bid, deep),), ((market.ask, deep),)
        return BookUpdated(at_ns=self._tick(), leg=market.leg, bids=bids, asks=asks)

    def _mark(self, market: Market) -> MarkPriceUpdated:
        mark = market.instrument.price(market.bid + market.ask) / 2
        rate = Decimal(self._random.randint(-20, 20)) / 10_000
        return MarkPriceUpdated(at_ns=self._tick(), leg=market.leg, mark=mark, funding_rate=rate)

    def _limit_lots(self, market: Market) -> int | None:
        limit = self._spec.risk.max_position
        return None if limit is None else market.instrument.lots_within(limit)

    def _tick(self) -> int:
        self._now_ns += NS_PER_MS
        return self._now_ns


def _answers(market: Market, asked_ns: int, at_ns: int) -> Iterator[Event]:
    at: dict[str, Any] = {"leg": market.leg, "requested_ns": asked_ns, "at_ns": at_ns}
    yield OrderHistoryReported(since_ns=0, orders=(), **at)
    yield FillsReported(since_ns=0, fills=(), **at)
    if market.instrument.kind is MarketKind.PERP:
        yield PositionReported(position=Position(lots=0), **at)
    plenty = Balance(asset=market.instrument.quote, total=Decimal(10**6), available=Decimal(10**6))
    yield BalancesReported(balances=(plenty,), **at)
    yield OpenOrdersReported(orders=(), **at)


def _setup(leg: str, instrument: Instrument) -> LegSetup:
    return LegSetup(
        leg=leg,
        instrument=instrument,
        client_ids=ClientIdScheme(tag_bits=8, sequence_bits=24),
        tag=7,
        send_lifetime_ns=5 * NS_PER_S,
    )
