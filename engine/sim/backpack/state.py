"""What the simulated Backpack knows beside the exchange: keys, account preferences, funding so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.exchanges.backpack.wire import AccountPatch
from engine.sim.backpack.errors import invalid_request
from engine.sim.backpack.settings import BackpackSettings
from engine.sim.exchange import Exchange
from engine.sim.funding import Funding
from engine.sim.venue_market import VenueMarket


@dataclass(slots=True)
class BackpackState:
    """Handlers read and change the venue through this. `stir` starts a market's flow on first contact."""

    exchange: Exchange
    settings: BackpackSettings
    stir: Callable[[str, int], None]
    accounts_by_key: dict[str, str] = field(default_factory=dict)
    preferences: dict[str, AccountPatch] = field(default_factory=dict)
    funding: Funding = field(init=False)

    def __post_init__(self) -> None:
        self.funding = Funding(self.exchange, self.settings.funding_interval_s)

    def market(self, symbol: str, now_ns: int) -> VenueMarket:
        """The market a request is about; it comes to life when first asked for."""
        at = self.exchange.markets.get(symbol)
        if at is None:
            raise invalid_request("Invalid market symbol")
        self.stir(symbol, now_ns)
        return at

    def user_id(self, account: str) -> int:
        return 1 + list(self.accounts_by_key.values()).index(account)
