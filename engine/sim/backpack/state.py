"""What the simulated Backpack knows beside the exchange: keys, account preferences, funding so far."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from engine.clock import NS_PER_MS
from engine.exchanges.backpack.wire import AccountPatch
from engine.sim.backpack.errors import invalid_request
from engine.sim.backpack.markets import FUNDING_INTERVAL_MS
from engine.sim.backpack.settings import BackpackSettings
from engine.sim.exchange import Exchange
from engine.sim.venue_market import VenueMarket

FUNDING_KEPT = 1_000


@dataclass(slots=True, frozen=True)
class FundingPayment:
    symbol: str
    received: Decimal
    rate: Decimal
    at_ms: int


@dataclass(slots=True)
class BackpackState:
    """Handlers read and change the venue through this. `stir` starts a market's flow on first contact."""

    exchange: Exchange
    settings: BackpackSettings
    stir: Callable[[str, int], None]
    accounts_by_key: dict[str, str] = field(default_factory=dict)
    preferences: dict[str, AccountPatch] = field(default_factory=dict)
    funding: dict[str, deque[FundingPayment]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=FUNDING_KEPT))
    )
    funding_rates: dict[str, deque[tuple[int, Decimal]]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=FUNDING_KEPT))
    )

    def market(self, symbol: str, now_ns: int) -> VenueMarket:
        """The market a request is about; it comes to life when first asked for."""
        at = self.exchange.markets.get(symbol)
        if at is None:
            raise invalid_request("Invalid market symbol")
        self.stir(symbol, now_ns)
        return at

    def user_id(self, account: str) -> int:
        return 1 + list(self.accounts_by_key.values()).index(account)

    def settle_funding(self, now_ns: int) -> None:
        """End a funding interval on every perp."""
        at_ms = now_ns // NS_PER_MS
        for symbol, at in self.exchange.markets.items():
            if not at.market.is_perp:
                continue
            self.funding_rates[symbol].append((at_ms, at.funding_rate))
            for account, received in self.exchange.pay_funding(symbol).items():
                self.funding[account].append(FundingPayment(symbol, received, at.funding_rate, at_ms))


def next_funding_ms(now_ns: int) -> int:
    now_ms = now_ns // NS_PER_MS
    return now_ms - now_ms % FUNDING_INTERVAL_MS + FUNDING_INTERVAL_MS
