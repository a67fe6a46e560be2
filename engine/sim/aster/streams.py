"""Aster's WebSockets: what clients say, and what they are sent. The exchange's `Listener`.

`/ws/<name>` carries one stream bare, `/stream` any number in envelopes; both take control frames. A listenKey is
the name of its account's stream; nobody is told that one is wrong, it is merely silent (a guess).
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs

import msgspec

from engine.clock import NS_PER_MS, NS_PER_S
from engine.exchanges.aster.frames import EXPIRED_KEY
from engine.exchanges.aster.wire_streams import Control
from engine.model.order import Side
from engine.sim.aster import frames
from engine.sim.aster.names import ACCOUNT, parse_stream
from engine.sim.aster.public import INTERVALS_NS
from engine.sim.aster.state import AsterState
from engine.sim.exchange import OrderChange
from engine.sim.funding import Payment
from engine.sim.ledger import Account
from engine.sim.matching import Level
from engine.sim.orders import ExchangeFill, Order, Trade
from engine.sim.schedule import Schedule
from engine.sim.subscriptions import StreamName, Subscriptions
from engine.sim.venue_market import VenueMarket
from engine.sim.windows import DepthWindows, Window

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
        self._best: dict[str, tuple[int | None, int | None, int, int]] = {}
        self._combined: set[int] = set()
        self._keys: dict[int, str] = {}
        """The listenKey of every socket that was opened with one."""

    def attach(self, state: AsterState) -> None:
        """The exchange needs its listener before the state that holds the exchange can exist."""
        self._state = state

    # What clients say ----------------------------------------------------------------------------------

    def opened(self, socket_id: int, target: str) -> None:
        path, _, query = target.partition("?")
        self._subscriptions.open(socket_id)
        if path.startswith("/stream"):
            self._combined.add(socket_id)
            for name in "/".join(parse_qs(query).get("streams", [])).split("/"):
                self._start(socket_id, name)
        elif name := path.removeprefix("/ws").strip("/"):
            self._start(socket_id, name)

    def closed(self, socket_id: int) -> None:
        self._subscriptions.close(socket_id)
        self._combined.discard(socket_id)
        self._keys.pop(socket_id, None)

    def received(self, socket_id: int, text: str) -> None:
        try:
            said = msgspec.json.decode(text, type=Control)
        except msgspec.DecodeError:
            self._say(socket_id, {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"})
            return
        if said.method == "SUBSCRIBE":
            for name in said.params:
                self._start(socket_id, name)
        elif said.method == "UNSUBSCRIBE":
            for name in said.params:
                self._subscriptions.remove(socket_id, name)
        else:
            self._say(socket_id, {"code": 2, "msg": f"Invalid request: unknown variant `{said.method}`"})
            return
        self._say(socket_id, {"result": None, "id": said.id})

    def _start(self, socket_id: int, text: str) -> None:
        """An unknown stream is accepted and silent, as a listenKey that is wrong."""
        name = parse_stream(text)
        if name is None:
            self._start_account(socket_id, text)
        elif name.symbol in self._state.exchange.markets and self._subscriptions.add(socket_id, name, ""):
            self._state.stir(name.symbol, self.now_ns)
            if name.window_ms:
                self._windows.start(name, self.now_ns)

    def _start_account(self, socket_id: int, key: str) -> None:
        account = self._state.listener(key, self.now_ns)
        if account is not None:
            self._keys[socket_id] = key
            self._subscriptions.add(socket_id, StreamName(text=ACCOUNT, kind=ACCOUNT), account)

    # What the exchange tells ---------------------------------------------------------------------------

    def order_changed(self, order: Order, change: OrderChange, fill: ExchangeFill | None) -> None:
        at = self._state.exchange.markets[order.symbol]
        self._publish(ACCOUNT, order.owner, lambda: frames.order_update(order, at, change, fill, self.now_ns))

    def balance_changed(self, account: Account, asset: str) -> None:
        """A perp's balance changes with its position, or by funding, and is told there."""
        if not self._is_perp:
            self._publish(ACCOUNT, account.name, lambda: frames.spot_account_update(account, asset, self.now_ns))

    def position_changed(self, account: Account, symbol: str, _lots_before: int) -> None:
        position, at = account.positions[symbol], self._state.exchange.markets[symbol]
        self._publish(ACCOUNT, account.name, lambda: frames.account_update(account, at, position, self.now_ns))

    def funding_paid(self, account: Account, payment: Payment) -> None:
        at = self._state.exchange.markets[payment.symbol]
        self._publish(ACCOUNT, account.name, lambda: frames.funding_update(account, at, payment, self.now_ns))

    def traded(self, trade: Trade) -> None:
        at = self._state.exchange.markets[trade.symbol]
        for what in ("aggTrade", "trade"):
            self._publish(f"{trade.symbol.lower()}@{what}", "", lambda: frames.aggregate_trade(at, trade))

    # What the machine tells ----------------------------------------------------------------------------

    def book_changed(self, at: VenueMarket, bids: list[Level], asks: list[Level]) -> None:
        """One numbered update of a market's book."""
        symbol, now_ns = at.market.symbol, self.now_ns
        self._windows.changed(symbol, at.update_id, bids, asks)
        best = _best(at)
        if best != self._best.get(symbol):
            self._best[symbol] = best
            self._publish(f"{symbol.lower()}@bookTicker", "", lambda: frames.book_ticker(at, now_ns))

    def second_passed(self, now_ns: int) -> None:
        """The streams that come once a second whatever happens, candles that changed, and keys that ended."""
        for kind in ("markPrice", "ticker", "kline"):
            for name in self._subscriptions.names(kind):
                data = self._periodic(name, self._state.exchange.markets[name.symbol], now_ns)
                if data is not None:
                    self._deliver(name.text, "", data)
        self._end_keys(now_ns)

    def _end_keys(self, now_ns: int) -> None:
        for socket_id, key in list(self._keys.items()):
            if self._state.listener(key, now_ns) is None:
                del self._keys[socket_id]
                self._subscriptions.remove(socket_id, ACCOUNT)
                self._say(socket_id, {"e": EXPIRED_KEY, "E": now_ns // NS_PER_MS})

    def _periodic(self, name: StreamName, at: VenueMarket, now_ns: int) -> object | None:
        if name.kind == "ticker":
            return frames.ticker(at, now_ns)
        if name.kind == "markPrice":
            next_ns = self._state.funding.next_ns(now_ns)
            return frames.mark_price(at, next_ns, now_ns) if self._is_perp else None
        last = at.tape.trades[-1] if at.tape.trades else None
        if last is None or last.at_ns < now_ns - NS_PER_S:
            return None
        interval_ns = INTERVALS_NS[name.interval]
        candle = at.tape.latest(interval_ns, last.at_ns)
        return frames.kline(at, candle, name.interval, interval_ns, now_ns) if candle else None

    # How it leaves -------------------------------------------------------------------------------------

    @property
    def _is_perp(self) -> bool:
        return self._state.is_perp

    def _publish(self, stream: str, account: str, payload: Payload) -> bool:
        """Whether anybody listened."""
        has_listeners = bool(self._subscriptions.listeners(stream, account))
        if has_listeners:
            self._deliver(stream, account, payload())
        return has_listeners

    def _deliver(self, stream: str, account: str, data: object) -> None:
        bare = msgspec.json.encode(data)
        for socket_id in self._subscriptions.listeners(stream, account):
            if socket_id in self._combined and stream != ACCOUNT:
                self._say(socket_id, {"stream": stream, "data": msgspec.Raw(bare)})
            else:
                self._send(socket_id, bare.decode())

    def _say(self, socket_id: int, frame: dict[str, object]) -> None:
        self._send(socket_id, msgspec.json.encode(frame).decode())

    def _publish_window(self, window: Window, now_ns: int) -> bool:
        name, first_id = window.name, window.first_id
        if first_id is None:
            return bool(self._subscriptions.listeners(name.text))
        at = self._state.exchange.markets[name.symbol]
        if name.levels:
            return self._publish(name.text, "", lambda: frames.partial_depth(at, name.levels, now_ns))
        bids, asks = sorted(window.bids.items()), sorted(window.asks.items())
        return self._publish(name.text, "", lambda: frames.depth(at, bids, asks, first_id=first_id, now_ns=now_ns))


def _best(at: VenueMarket) -> tuple[int | None, int | None, int, int]:
    bid, ask = at.book.best(Side.BUY), at.book.best(Side.SELL)
    return bid, ask, at.book.lots_at(Side.BUY, bid or 0), at.book.lots_at(Side.SELL, ask or 0)
