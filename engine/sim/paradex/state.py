"""What the simulated Paradex knows beside the exchange: members with their keys, and every order's own papers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from engine.clock import NS_PER_MS
from engine.model.order import OrderStatus
from engine.sim.exchange import Exchange
from engine.sim.funding import Funding
from engine.sim.orders import Order
from engine.sim.paradex.errors import ApiRefusal
from engine.sim.paradex.settings import ParadexSettings
from engine.sim.venue_market import VenueMarket

PAPERS_KEPT = 20_000


@dataclass(slots=True)
class Member:
    """An account as the venue knows it: its address, and the keys that may sign for it."""

    name: str
    address: int
    keys: list[int]


@dataclass(slots=True)
class Paper:
    """An order as it was asked for, and how it stands. `is_queued` until the exchange has looked at it."""

    order: Order
    address: int
    client_id: str
    instruction: str
    stp: str
    flags: tuple[str, ...]
    signature_ms: int
    received_ns: int
    order_id: str = ""
    is_queued: bool = True
    cancel_reason: str = ""
    changed_ns: int = 0
    seq_no: int = 0

    @property
    def is_open(self) -> bool:
        return self.order.status is OrderStatus.RESTING


@dataclass(slots=True)
class ParadexState:
    """Handlers read and change the venue through this. `stir` starts a market's flow on first contact."""

    exchange: Exchange
    settings: ParadexSettings
    stir: Callable[[str, int], None]
    members: dict[int, Member] = field(default_factory=dict)
    papers: dict[int, Paper] = field(default_factory=dict)
    """By the exchange's order number, oldest first."""
    funding: Funding = field(init=False)
    _seq_no: int = 0

    def __post_init__(self) -> None:
        self.funding = Funding(self.exchange, self.settings.funding_interval_s)

    def market(self, symbol: str, now_ns: int) -> VenueMarket:
        """The market a request is about; it comes to life when first asked for."""
        at = self.exchange.markets.get(symbol)
        if at is None:
            raise ApiRefusal(404, "MARKET_NOT_FOUND", f"market {symbol} not found")
        self.stir(symbol, now_ns)
        return at

    def next_seq_no(self, now_ns: int) -> int:
        """Rising, not consecutive: the time in ns, but never the same twice."""
        self._seq_no = max(self._seq_no + 1, now_ns)
        return self._seq_no

    def file(self, paper: Paper) -> None:
        """Give an order its number and keep its papers; the oldest closed ones are forgotten."""
        number = paper.order.order_id = self.exchange.next_order_id()
        paper.order_id = f"{paper.received_ns // NS_PER_MS}2017{number:011d}"
        self.papers[number] = paper
        if len(self.papers) > PAPERS_KEPT:
            del self.papers[next(key for key, kept in self.papers.items() if not kept.is_open)]

    def papers_of(self, account: str) -> Iterator[Paper]:
        """Newest first."""
        return (paper for paper in reversed(self.papers.values()) if paper.order.owner == account)

    def by_id(self, account: str, order_id: str) -> Paper:
        """The order of that id, open or closed; it must be the account's own."""
        number = int(order_id[-11:]) if order_id.isdecimal() else 0
        paper = self.papers.get(number)
        if paper is None or paper.order_id != order_id or paper.order.owner != account:
            raise ApiRefusal(404, "ORDER_ID_NOT_FOUND", f"order id {order_id} not found")
        return paper

    def by_client_id(self, account: str, client_id: str, market: str | None) -> Paper:
        """The newest order of that client id, an open one before all closed ones."""
        found = [
            paper
            for paper in self.papers_of(account)
            if paper.client_id == client_id and market in (None, "", paper.order.symbol)
        ]
        if not found:
            raise ApiRefusal(404, "CLIENT_ORDER_ID_NOT_FOUND", f"client order id {client_id} not found")
        return next((paper for paper in found if paper.is_open), found[0])
