"""Backpack's WebSocket: what clients say, and what they are sent. The exchange's `Listener`.

Success is not acknowledged, an unknown symbol is silent, a stream is delivered once however often it is
subscribed. A public frame is rendered once for all who listen, and not at all when nobody does.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import UNSET

from engine.clock import NS_PER_S
from engine.exchanges.backpack.wire_streams import Subscription, error_frame, frame
from engine.model.order import Side
from engine.sim.backpack import frames
from engine.sim.backpack.auth import Gate
from engine.sim.backpack.errors import ApiRefusal
from engine.sim.backpack.names import PRIVATE_KINDS, UnknownStream, parse_stream
from engine.sim.backpack.public import INTERVALS_NS
from engine.sim.backpack.state import BackpackState
from engine.sim.exchange import OrderChange
from engine.sim.ledger import Account
from engine.sim.matching import Level
from engine.sim.orders import ExchangeFill, Order, Trade
from engine.sim.schedule import Schedule
from engine.sim.subscriptions import StreamName, Subscriptions
from engine.sim.venue_market import VenueMarket
from engine.sim.windows import DepthWindows, Window

PARSE_ERROR, NOT_ALLOWED = 4002, 4003
"""The code for a private subscription without a good signature is not documented: a guess."""
OPEN_INTEREST_EVERY_S = 60

Send = Callable[[int, str], None]
"""(socket id, text)."""
Payload = Callable[[], object]


class Streams:
    """`now_ns` is set by the machine before anything happens."""

    def __init__(self, send: Send, schedule: Schedule) -> None:
        self.now_ns = 0
        self._send = send
        self._subscriptions = Subscriptions()
        self._windows = DepthWindows(schedule, self._publish_window)
        self._best: dict[str, tuple[Level | None, Level | None]] = {}

    def attach(self, state: BackpackState, gate: Gate) -> None:
        """The exchange needs its listener before the state that holds the exchange can exist."""
        self._state, self._gate = state, gate

    # What clients say ----------------------------------------------------------------------------------

    def opened(self, socket_id: int) -> None:
        self._subscriptions.open(socket_id)

    def closed(self, socket_id: int) -> None:
        self._subscriptions.close(socket_id)

    def received(self, socket_id: int, text: str) -> None:
        try:
            said = msgspec.json.decode(text, type=Subscription)
        except msgspec.DecodeError:
            self._send(socket_id, error_frame(PARSE_ERROR, "Parse error"))
            return
        if said.method == "SUBSCRIBE":
            self._subscribe(socket_id, said)
        elif said.method == "UNSUBSCRIBE":
            for stream in said.params:
                self._subscriptions.remove(socket_id, stream)
        else:
            self._send(socket_id, error_frame(PARSE_ERROR, "Parse error"))

    def _subscribe(self, socket_id: int, said: Subscription) -> None:
        account: str | None = None
        for stream in said.params:
            try:
                name = parse_stream(stream)
                if name.kind in PRIVATE_KINDS and account is None:
                    account = self._gate.subscriber(() if said.signature is UNSET else said.signature, self.now_ns)
            except UnknownStream as unknown:
                self._send(socket_id, error_frame(unknown.code, unknown.message))
            except ApiRefusal as refusal:
                self._send(socket_id, error_frame(NOT_ALLOWED, refusal.message))
                return
            else:
                self._start(socket_id, name, account or "" if name.kind in PRIVATE_KINDS else "")

    def _start(self, socket_id: int, name: StreamName, account: str) -> None:
        if name.symbol and name.symbol not in self._state.exchange.markets:
            return
        if not self._subscriptions.add(socket_id, name, account):
            return
        if name.symbol:
            self._state.stir(name.symbol, self.now_ns)
        if name.window_ms:
            self._windows.start(name, self.now_ns)
        if name.kind == "account.positionUpdate":
            self._send_positions(socket_id, name, account)

    def _send_positions(self, socket_id: int, name: StreamName, account: str) -> None:
        for symbol, position in self._state.exchange.account(account).positions.items():
            if position.lots and name.symbol in ("", symbol):
                at = self._state.exchange.markets[symbol]
                update = frames.position_update(position, at, None, self.now_ns)
                self._send(socket_id, frame(name.text, update))

    # What the exchange tells ---------------------------------------------------------------------------

    def order_changed(self, order: Order, change: OrderChange, fill: ExchangeFill | None) -> None:
        at = self._state.exchange.markets[order.symbol]
        self._publish_private(
            "account.orderUpdate",
            order.symbol,
            order.owner,
            lambda: frames.order_update(order, at, change, fill),
        )

    def balance_changed(self, account: Account, asset: str) -> None:
        self._publish(
            "account.balanceUpdate", account.name, lambda: frames.balance_update(account, asset, self.now_ns)
        )

    def position_changed(self, account: Account, symbol: str, lots_before: int) -> None:
        position, at = account.positions[symbol], self._state.exchange.markets[symbol]
        event = "positionAdjusted"
        if not lots_before:
            event = "positionOpened"
        elif not position.lots:
            event = "positionClosed"
        self._publish_private(
            "account.positionUpdate",
            symbol,
            account.name,
            lambda: frames.position_update(position, at, event, self.now_ns),
        )

    def traded(self, trade: Trade) -> None:
        at = self._state.exchange.markets[trade.symbol]
        self._publish(f"trade.{trade.symbol}", "", lambda: frames.trade(at, trade))

    # What the machine tells ----------------------------------------------------------------------------

    def book_changed(self, at: VenueMarket, bids: list[Level], asks: list[Level]) -> None:
        """One numbered update of a market's book."""
        symbol, now_ns = at.market.symbol, self.now_ns
        self._publish(
            f"depth.{symbol}",
            "",
            lambda: frames.depth(at, bids, asks, first_id=at.update_id, now_ns=now_ns),
        )
        self._windows.changed(symbol, at.update_id, bids, asks)
        best = _best(at, Side.BUY), _best(at, Side.SELL)
        if best != self._best.get(symbol):
            self._best[symbol] = best
            self._publish(f"bookTicker.{symbol}", "", lambda: frames.book_ticker(at, now_ns))

    def second_passed(self, now_ns: int) -> None:
        """The streams that come once a second whatever happens, and candles that changed."""
        for kind in ("markPrice", "ticker", "kline", "openInterest"):
            for name in self._subscriptions.names(kind):
                data = self._periodic(name, self._state.exchange.markets[name.symbol], now_ns)
                if data is not None:
                    self._deliver(name.text, "", data)

    def _periodic(self, name: StreamName, at: VenueMarket, now_ns: int) -> object | None:
        if name.kind == "ticker":
            return frames.ticker(at, now_ns)
        if name.kind == "kline":
            return self._running_candle(name, at, now_ns)
        if not at.market.is_perp:
            return None
        if name.kind == "markPrice":
            return frames.mark_price(at, self._state.funding.next_ns(now_ns), now_ns)
        if now_ns // NS_PER_S % OPEN_INTEREST_EVERY_S:
            return None
        return frames.open_interest(at, self._state.exchange.open_interest(name.symbol), now_ns)

    def _running_candle(self, name: StreamName, at: VenueMarket, now_ns: int) -> object | None:
        """The candle of the last second, if anything traded in that second."""
        last = at.tape.trades[-1] if at.tape.trades else None
        if last is None or last.at_ns < now_ns - NS_PER_S:
            return None
        interval_ns = INTERVALS_NS[name.interval]
        candle = at.tape.latest(interval_ns, last.at_ns)
        return frames.kline(at, candle, interval_ns, now_ns) if candle else None

    # How it leaves -------------------------------------------------------------------------------------

    def _publish_private(self, kind: str, symbol: str, account: str, payload: Payload) -> None:
        self._publish(kind, account, payload)
        self._publish(f"{kind}.{symbol}", account, payload)

    def _publish(self, stream: str, account: str, payload: Payload) -> bool:
        """Whether anybody listened."""
        has_listeners = bool(self._subscriptions.listeners(stream, account))
        if has_listeners:
            self._deliver(stream, account, payload())
        return has_listeners

    def _deliver(self, stream: str, account: str, data: object) -> None:
        text = msgspec.json.encode({"stream": stream, "data": data}).decode()
        for socket_id in self._subscriptions.listeners(stream, account):
            self._send(socket_id, text)

    def _publish_window(self, window: Window, now_ns: int) -> bool:
        name, first_id = window.name, window.first_id
        if first_id is None:
            return bool(self._subscriptions.listeners(name.text))
        at = self._state.exchange.markets[name.symbol]
        bids, asks = sorted(window.bids.items()), sorted(window.asks.items())
        return self._publish(name.text, "", lambda: frames.depth(at, bids, asks, first_id=first_id, now_ns=now_ns))


def _best(at: VenueMarket, side: Side) -> Level | None:
    ticks = at.book.best(side)
    return None if ticks is None else (ticks, at.book.lots_at(side, ticks))
