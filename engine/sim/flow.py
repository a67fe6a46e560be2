"""A market that lives: seeded background trading around a slowly wandering fair price.

One house account keeps layers of quotes on both sides, another one crosses them: small orders at the best
price, and now and then a sweep through everything up to some distance. A bot that quotes within about ten basis
points of the middle is filled every few seconds at speed 1, one that quotes far out now and then.

Deterministic in the random source and in time; its state is the fair price and at most 2 × LEVELS quotes.
Statistics may be floats, orders are ticks and lots.
"""

from __future__ import annotations

import math
from decimal import Decimal
from random import Random
from typing import Protocol

from engine.clock import NS_PER_S
from engine.model.order import OrderStatus, Side, TimeInForce
from engine.sim.exchange import Exchange
from engine.sim.ledger import GRAIN
from engine.sim.orders import Order, SelfTrade
from engine.sim.venue_market import VenueMarket

HOUSE_MAKER = "house.maker"
HOUSE_TAKER = "house.taker"

LEVELS = 14
NEAREST_BPS, GROWTH = 1.5, 1.42
"""Distance of the first layer from the fair price, and the ratio from one layer to the next (the last: 143 bps)."""
DISTANCES_BPS = tuple(NEAREST_BPS * GROWTH**level for level in range(LEVELS))
STALE_FRACTION = 0.3
"""A quote is renewed once it is this part of its distance away from where it belongs."""
RENEWED_AT_ONCE = 6

STEPS_PER_S = 5.0
SMALL_TAKE, SWEEP = 0.25, 0.05
"""Share of steps that are a small taker order and a sweep; the others renew quotes."""
SWEEP_LEAST_BPS, SWEEP_MEAN_MORE_BPS, SWEEP_MOST_BPS = 5.0, 8.0, 150.0
SWEEP_MOST_LEVELS = 40

WANDER_BPS = 1.0
"""Standard deviation of the fair price after one second; it is pulled back over PULL_S."""
PULL_S = 3600.0


class Flow(Protocol):
    """Something that trades on one market at its own times."""

    @property
    def next_ns(self) -> int: ...

    def step(self, now_ns: int) -> None:
        """Do what is due at `now_ns`, and choose the next time."""


def open_house_accounts(exchange: Exchange) -> None:
    """The accounts every flow trades with; they own plenty of every asset."""
    instruments = [at.market.instrument for at in exchange.markets.values()]
    assets = tuple(sorted({asset for one in instruments for asset in (one.base, one.quote)}))
    exchange.ledger.open_house(HOUSE_MAKER, assets)
    exchange.ledger.open_house(HOUSE_TAKER, assets)


class House:
    """Orders of the house accounts on one market; also how `recording` trades."""

    def __init__(self, exchange: Exchange, at: VenueMarket) -> None:
        self._exchange = exchange
        self._symbol = at.market.symbol

    def quote(self, side: Side, ticks: int, lots: int, now_ns: int) -> Order | None:
        """Rest an order, trading with whoever stands in the way; own quotes there give way."""
        order = self._order(HOUSE_MAKER, side, ticks, lots, now_ns, TimeInForce.GTC)
        return order if order is not None and order.status is OrderStatus.RESTING else None

    def take(self, side: Side, ticks: int, lots: int, now_ns: int) -> None:
        self._order(HOUSE_TAKER, side, ticks, lots, now_ns, TimeInForce.IOC)

    def cancel(self, order: Order, now_ns: int) -> None:
        self._exchange.cancel(order, now_ns)

    def _order(
        self, owner: str, side: Side, ticks: int, lots: int, now_ns: int, time_in_force: TimeInForce
    ) -> Order | None:
        if ticks <= 0 or lots <= 0 or not self._exchange.markets[self._symbol].in_band(ticks):
            return None
        order = Order(
            order_id=self._exchange.next_order_id(),
            owner=owner,
            symbol=self._symbol,
            side=side,
            ticks=ticks,
            lots=lots,
            placed_ns=now_ns,
            time_in_force=time_in_force,
            self_trade=SelfTrade.REJECT_MAKER,
        )
        self._exchange.place(order)
        return order


class GeneratedFlow:
    """The seeded generator for one market. The first step builds the whole book."""

    def __init__(self, exchange: Exchange, at: VenueMarket, random: Random, speed: float, now_ns: int) -> None:
        self._at = at
        self._house = House(exchange, at)
        self._random = random
        self._speed = speed
        self._start_ticks = float(at.market.start_price / at.market.instrument.tick_size)
        self._offset_bps = 0.0
        self._fair = self._start_ticks
        """The fair price in ticks."""
        self._quotes: dict[tuple[Side, int], Order] = {}
        self._last_ns = self._next_ns = now_ns

    @property
    def next_ns(self) -> int:
        return self._next_ns

    def step(self, now_ns: int) -> None:
        self._wander((now_ns - self._last_ns) / NS_PER_S * self._speed)
        choice = self._random.random()
        if not self._quotes:
            self._renew(now_ns, most=2 * LEVELS)
        elif choice < SWEEP:
            self._sweep(now_ns)
        elif choice < SWEEP + SMALL_TAKE:
            self._take_little(now_ns)
        else:
            self._renew(now_ns, most=RENEWED_AT_ONCE)
        self._last_ns = now_ns
        wait_s = self._random.expovariate(STEPS_PER_S * self._speed)
        self._next_ns = now_ns + max(1, round(wait_s * NS_PER_S))

    def _wander(self, elapsed_s: float) -> None:
        self._offset_bps *= math.exp(-elapsed_s / PULL_S)
        self._offset_bps += self._random.gauss(0.0, WANDER_BPS) * math.sqrt(elapsed_s)
        self._fair = self._start_ticks * math.exp(self._offset_bps / 1e4)
        tick_size = self._at.market.instrument.tick_size
        self._at.index = self._at.mark = (Decimal(self._fair) * tick_size).quantize(GRAIN)

    def _price_at(self, side: Side, distance_bps: float) -> int:
        """The tick at a distance from the fair price: below it for BUY, above for SELL."""
        price = self._fair * (1 - side.sign * distance_bps / 1e4)
        return math.floor(price) if side is Side.BUY else math.ceil(price)

    def _lots_worth(self, levels: float) -> int:
        """Lots worth some number of typical levels."""
        return max(1, round(levels * float(self._at.market.depth_usd) / (self._fair * float(self._at.market.unit))))

    def _renew(self, now_ns: int, most: int) -> None:
        """Bring the nearest missing or misplaced quotes to where they belong."""
        renewed = 0
        for level in range(LEVELS):
            for side in Side:
                if renewed < most and self._renew_one(side, level, now_ns):
                    renewed += 1

    def _renew_one(self, side: Side, level: int, now_ns: int) -> bool:
        distance_bps = DISTANCES_BPS[level]
        ticks = self._price_at(side, distance_bps)
        old = self._quotes.get((side, level))
        if old is not None and old.status is OrderStatus.RESTING:
            tolerance = distance_bps / 1e4 * self._fair * STALE_FRACTION
            if abs(old.ticks - ticks) <= tolerance:
                return False
            self._house.cancel(old, now_ns)
        lots = self._lots_worth((1 + level / 2) * self._random.lognormvariate(0.0, 0.4))
        new = self._house.quote(side, ticks, lots, now_ns)
        if new is None:
            self._quotes.pop((side, level), None)
        else:
            self._quotes[side, level] = new
        return True

    def _take_little(self, now_ns: int) -> None:
        side = self._random.choice((Side.BUY, Side.SELL))
        lots = self._lots_worth(self._random.expovariate(4.0))
        self._house.take(side, self._price_at(side.opposite, SWEEP_LEAST_BPS), lots, now_ns)

    def _sweep(self, now_ns: int) -> None:
        """Take everything up to some distance; deep ones are rare."""
        side = self._random.choice((Side.BUY, Side.SELL))
        reach_bps = min(SWEEP_LEAST_BPS + self._random.expovariate(1 / SWEEP_MEAN_MORE_BPS), SWEEP_MOST_BPS)
        lots = self._lots_worth(SWEEP_MOST_LEVELS)
        self._house.take(side, self._price_at(side.opposite, reach_bps), lots, now_ns)
