"""Funding on a simulated venue: when it is paid, and what every account was paid. All venues with perps use it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from engine.clock import NS_PER_MS, NS_PER_S
from engine.sim.exchange import Exchange

PAYMENTS_KEPT = 1_000
"""Per account; older ones are forgotten, as real venues do."""


@dataclass(slots=True, frozen=True)
class Payment:
    """What an account received on one market at the end of an interval; less than nothing when it paid."""

    number: int
    symbol: str
    received: Decimal
    rate: Decimal
    lots: int
    at_ns: int

    @property
    def at_ms(self) -> int:
        return self.at_ns // NS_PER_MS


class Funding:
    """Every interval ends at a multiple of its length, as the clock of the venue says."""

    def __init__(self, exchange: Exchange, interval_s: int) -> None:
        self.interval_ns = interval_s * NS_PER_S
        self._exchange = exchange
        self._paid: dict[str, deque[Payment]] = defaultdict(lambda: deque(maxlen=PAYMENTS_KEPT))
        self._rates: dict[str, deque[tuple[int, Decimal]]] = defaultdict(lambda: deque(maxlen=PAYMENTS_KEPT))
        self._payments = 0

    def last_ns(self, now_ns: int) -> int:
        """When an interval ended last."""
        return now_ns - now_ns % self.interval_ns

    def next_ns(self, now_ns: int) -> int:
        """When the running interval ends."""
        return self.last_ns(now_ns) + self.interval_ns

    def paid_to(self, account: str) -> Iterator[Payment]:
        """Newest first."""
        return reversed(self._paid[account])

    def past_rates(self, symbol: str) -> Iterator[tuple[int, Decimal]]:
        """(end of the interval, rate), newest first."""
        return reversed(self._rates[symbol])

    def settle(self, now_ns: int) -> list[tuple[str, Payment]]:
        """End an interval on every perp; gives who received what."""
        perps = (at for at in self._exchange.markets.values() if at.market.is_perp)
        paid = [each for at in perps for each in self._settle(at.market.symbol, at.funding_rate, now_ns)]
        for account, payment in paid:
            self._paid[account].append(payment)
        return paid

    def _settle(self, symbol: str, rate: Decimal, now_ns: int) -> Iterator[tuple[str, Payment]]:
        self._rates[symbol].append((now_ns, rate))
        for name, received in self._exchange.pay_funding(symbol).items():
            account = self._exchange.account(name)
            if not account.is_house:
                self._payments += 1
                yield name, Payment(self._payments, symbol, received, rate, account.lots(symbol), now_ns)
