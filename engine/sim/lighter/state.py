"""What the simulated Lighter knows beside the exchange: accounts by index, keys and nonces, transactions, trades,
and the orders its sequencer would not have.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.exchanges.lighter.wire import Trade, Transaction
from engine.sim.exchange import Exchange
from engine.sim.funding import Funding
from engine.sim.lighter.errors import ACCOUNT_NOT_FOUND, INVALID_MARKET, ApiRefusal
from engine.sim.lighter.settings import LighterSettings
from engine.sim.orders import Order
from engine.sim.venue_market import VenueMarket

TRADES_KEPT = 2_000
REFUSED_KEPT = 1_000
TRANSACTIONS_KEPT = 20_000
HOUSE_INDEX = 281474976710654
"""The account that background flow trades as."""
ORDER_INDEX_BASE = 1 << 48
"""Order indexes of the venue start where client order indexes end."""


@dataclass(slots=True)
class Key:
    """One registered API key; `nonce` is what its next transaction must carry."""

    public_key: bytes
    nonce: int = 0


@dataclass(slots=True)
class RefusedOrder:
    """An order that ended when the sequencer looked at it."""

    order: Order
    status: str


@dataclass(slots=True)
class OrderTerms:
    """What Lighter knows of an order beside what every exchange does."""

    nonce: int
    expiry_ms: int
    is_market: bool = False
    is_expired: bool = False


@dataclass(slots=True)
class LighterState:
    """Handlers read and change the venue through this. `stir` starts a market's flow on first contact."""

    exchange: Exchange
    settings: LighterSettings
    stir: Callable[[str, int], None]
    names: dict[int, str] = field(default_factory=dict)
    indexes: dict[str, int] = field(default_factory=dict)
    premium: set[str] = field(default_factory=set)
    keys: dict[tuple[int, int], Key] = field(default_factory=dict)
    terms: OrderedDict[int, OrderTerms] = field(default_factory=OrderedDict)
    transactions: OrderedDict[str, Transaction] = field(default_factory=OrderedDict)
    cancel_all_ms: dict[int, int] = field(default_factory=dict)
    refused: dict[str, deque[RefusedOrder]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=REFUSED_KEPT))
    )
    trades_of: dict[str, deque[Trade]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=TRADES_KEPT))
    )
    """By account name, and by market symbol for everybody's."""
    funding: Funding = field(init=False)

    def __post_init__(self) -> None:
        self.funding = Funding(self.exchange, self.settings.funding_interval_s)

    def market(self, number: int, now_ns: int) -> VenueMarket:
        """The market of a number; it comes to life when first asked for."""
        at = next((at for at in self.exchange.markets.values() if market_index(at) == number), None)
        if at is None:
            raise ApiRefusal(INVALID_MARKET)
        self.stir(at.market.symbol, now_ns)
        return at

    def name_of(self, account_index: int) -> str:
        if account_index not in self.names:
            raise ApiRefusal(ACCOUNT_NOT_FOUND)
        return self.names[account_index]

    def index_of(self, name: str) -> int:
        return self.indexes.get(name, HOUSE_INDEX)

    def remember(self, transaction: Transaction) -> None:
        self.transactions[transaction.hash] = transaction
        while len(self.transactions) > TRANSACTIONS_KEPT:
            self.transactions.popitem(last=False)

    def agree(self, order_id: int, terms: OrderTerms) -> None:
        self.terms[order_id] = terms
        while len(self.terms) > TRANSACTIONS_KEPT:
            self.terms.popitem(last=False)


def market_index(at: VenueMarket) -> int:
    return int(at.market.instrument.venue_code)
