"""What the simulated Aster knows beside the exchange: keys, listenKeys, leverages, funding so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from engine.clock import NS_PER_S
from engine.model.instrument import MarketKind
from engine.sim.aster.errors import ApiRefusal
from engine.sim.aster.settings import AsterSettings
from engine.sim.exchange import Exchange
from engine.sim.funding import Funding
from engine.sim.schedule import Schedule
from engine.sim.venue_market import VenueMarket


@dataclass(slots=True)
class AsterState:
    """Handlers read and change the venue through this. `stir` starts a market's flow on first contact.

    Accounts are found by their wallet in lower case, or by their HMAC key.
    """

    kind: MarketKind
    exchange: Exchange
    settings: AsterSettings
    stir: Callable[[str, int], None]
    schedule: Schedule
    users: dict[str, str] = field(default_factory=dict)
    api_secrets: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    listen_keys: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Key by account, and when it ends."""
    countdowns: dict[tuple[str, str], int] = field(default_factory=dict)
    """When all orders of an account and market will be canceled."""
    funding: Funding = field(init=False)
    _keys_made: int = 0

    def __post_init__(self) -> None:
        self.funding = Funding(self.exchange, self.settings.funding_interval_s)

    def market(self, symbol: str, now_ns: int) -> VenueMarket:
        """The market a request is about; it comes to life when first asked for."""
        at = self.exchange.markets.get(symbol)
        if at is None:
            raise ApiRefusal(-1121, "Invalid symbol.")
        self.stir(symbol, now_ns)
        return at

    def listen_key(self, account: str, now_ns: int) -> str:
        """The account's live key, prolonged, or a new one: it is one for the whole account."""
        key = self.live_key(account, now_ns)
        if key is None:
            self._keys_made += 1
            key = sha256(f"{account}/{now_ns}/{self._keys_made}".encode()).hexdigest()
        self.listen_keys[account] = (key, now_ns + self.settings.listen_key_lifetime_s * NS_PER_S)
        return key

    def live_key(self, account: str, now_ns: int) -> str | None:
        key, ends_ns = self.listen_keys.get(account, ("", 0))
        return key if ends_ns > now_ns else None

    def listener(self, key: str, now_ns: int) -> str | None:
        """Whose stream a key opens."""
        for account, (known, ends_ns) in self.listen_keys.items():
            if known == key and ends_ns > now_ns:
                return account
        return None

    @property
    def is_perp(self) -> bool:
        return self.kind is MarketKind.PERP
