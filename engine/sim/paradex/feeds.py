"""What sockets are told: subscriptions, and the news of the exchange in Paradex's words. The exchange's `Listener`.

A frame is rendered once for all who listen to a channel, and not at all when nobody does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from engine.clock import NS_PER_MS
from engine.exchanges.paradex.wire_streams import RpcPush
from engine.model.instrument import plain
from engine.sim.exchange import OrderChange
from engine.sim.funding import Payment
from engine.sim.ledger import Account
from engine.sim.orders import ExchangeFill, Order, Trade
from engine.sim.paradex import render
from engine.sim.paradex.books import BookFeeds
from engine.sim.paradex.channels import Channel
from engine.sim.paradex.markets import FUNDING_HOURS
from engine.sim.paradex.state import Paper, ParadexState
from engine.sim.schedule import Schedule
from engine.sim.venue_market import VenueMarket

Key = tuple[str, int]
"""(channel, address): the address is 0 for public channels."""


class Feeds:
    """`now_ns` is set by the machine before anything happens."""

    def __init__(self, send: Callable[[int, str], None], schedule: Schedule) -> None:
        self.now_ns = 0
        self._send = send
        self._listeners: dict[Key, dict[int, None]] = {}
        self._books = BookFeeds(schedule, self._publish_book)
        self._best: dict[str, tuple[object, ...]] = {}

    def attach(self, state: ParadexState) -> None:
        """The exchange needs its listener before the state that holds the exchange can exist."""
        self._state = state

    # Who listens ---------------------------------------------------------------------------------------

    def add(self, socket_id: int, channel: Channel, address: int) -> None:
        self._listeners.setdefault((channel.text, address), {})[socket_id] = None
        if channel.kind == "order_book":
            at = self._state.exchange.markets[channel.market]
            self._send(socket_id, _push(channel.text, self._books.greeting(channel, at, self.now_ns)))

    def remove(self, socket_id: int, channel: str, address: int) -> None:
        listeners = self._listeners.get((channel, address), {})
        listeners.pop(socket_id, None)
        if not listeners:
            self._listeners.pop((channel, address), None)

    # What the exchange tells ---------------------------------------------------------------------------

    def order_changed(self, order: Order, _change: OrderChange, fill: ExchangeFill | None) -> None:
        """An execution goes out before the order's new state."""
        paper = self._state.papers[order.order_id]
        if fill is not None:
            self._publish_both("fills", order.symbol, paper.address, lambda: render.fill(fill, self._state))
        self.paper_changed(paper)

    def paper_changed(self, paper: Paper) -> None:
        """An order stands otherwise than before."""
        paper.seq_no = self._state.next_seq_no(self.now_ns)
        symbol = paper.order.symbol
        self._publish_both("orders", symbol, paper.address, lambda: render.order(paper, self._state))

    def balance_changed(self, account: Account, asset: str) -> None:
        address = self._address(account)
        self._publish("account", address, lambda: self._account(account, address))
        self._publish(
            "balance_events", address, lambda: {"token": asset, "size": plain(account.total[asset]), "status": "OK"}
        )

    def position_changed(self, account: Account, symbol: str, _lots_before: int) -> None:
        address, at = self._address(account), self._state.exchange.markets[symbol]
        seq_no = self._state.next_seq_no(self.now_ns)
        self._publish(
            "positions",
            address,
            lambda: render.position(account.positions[symbol], at, address, seq_no, self.now_ns),
        )

    def funding_paid(self, account: Account, payment: Payment) -> None:
        address = self._address(account)
        shown = partial(render.funding_payment, payment, address)
        self._publish_both("funding_payments", payment.symbol, address, shown)

    def traded(self, trade: Trade) -> None:
        at = self._state.exchange.markets[trade.symbol]
        self._publish_both("trades", trade.symbol, 0, lambda: render.trade(trade, at))

    # What the machine tells ----------------------------------------------------------------------------

    def book_changed(self, at: VenueMarket) -> None:
        """The channel of the best prices is not throttled; the book's own channels look for themselves."""
        shown = render.bbo(at, self.now_ns)
        best = tuple(shown[name] for name in ("bid", "bid_size", "ask", "ask_size"))
        if best != self._best.get(at.market.symbol):
            self._best[at.market.symbol] = best
            self._publish_both("bbo", at.market.symbol, 0, lambda: shown)

    def second_passed(self, now_ns: int) -> None:
        """Summaries come once a second, of every market that anybody asked for by name or of all."""
        for symbol, at in self._state.exchange.markets.items():
            summary, funding = partial(self._summary, at, now_ns), partial(self._funding, at, now_ns)
            for name in ("", ".ALL", f".{symbol}"):
                self._publish(f"markets_summary{name}", 0, summary)
                self._publish(f"funding_data{name}", 0, funding)

    def _summary(self, at: VenueMarket, now_ns: int) -> object:
        return render.summary(at, self._state.exchange.open_interest(at.market.symbol), now_ns)

    def _account(self, account: Account, address: int) -> object:
        seq_no = self._state.next_seq_no(self.now_ns)
        return render.account(account, self._state.exchange, address, seq_no, self.now_ns)

    @staticmethod
    def _funding(at: VenueMarket, now_ns: int) -> object:
        return {
            "market": at.market.symbol,
            "funding_index": "0",
            "funding_premium": plain(at.mark - at.index),
            "funding_rate": plain(at.funding_rate),
            "funding_period_hours": FUNDING_HOURS,
            "created_at": now_ns // NS_PER_MS,
        }

    def _address(self, account: Account) -> int:
        return next(one.address for one in self._state.members.values() if one.name == account.name)

    # How it leaves -------------------------------------------------------------------------------------

    def _publish_book(self, channel: Channel, update: object | None) -> bool:
        if (channel.text, 0) not in self._listeners:
            return False
        if update is not None:
            self._publish(channel.text, 0, lambda: update)
        return True

    def _publish_both(self, kind: str, symbol: str, address: int, payload: Callable[[], object]) -> None:
        for name in (f"{kind}.{symbol}", f"{kind}.ALL"):
            self._publish(name, address, payload)

    def _publish(self, channel: str, address: int, payload: Callable[[], object]) -> None:
        listeners = self._listeners.get((channel, address))
        if listeners:
            text = _push(channel, payload())
            for socket_id in tuple(listeners):
                self._send(socket_id, text)


def _push(channel: str, data: object) -> str:
    params = RpcPush(channel=channel, data=msgspec.Raw(msgspec.json.encode(data)))
    return msgspec.json.encode({"jsonrpc": "2.0", "method": "subscription", "params": params}).decode()
