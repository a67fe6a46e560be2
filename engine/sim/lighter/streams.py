"""Lighter's WebSocket: what clients say, and what they are sent. The exchange's `Listener`.

A subscription is answered with the whole state of its channel; updates follow. Changes of a book leave together,
numbered so that each update begins where the one before ended.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from engine.clock import NS_PER_MS, NS_PER_S
from engine.exchanges.lighter import wire
from engine.model.order import Side
from engine.sim.exchange import OrderChange
from engine.sim.ledger import Account
from engine.sim.lighter import errors, forms, render
from engine.sim.lighter.auth import Gate
from engine.sim.lighter.errors import ApiRefusal
from engine.sim.lighter.gateway import Gateway
from engine.sim.lighter.state import HOUSE_INDEX, LighterState, RefusedOrder, market_index
from engine.sim.matching import Level
from engine.sim.orders import ExchangeFill, Order, Trade
from engine.sim.schedule import Schedule
from engine.sim.venue_market import VenueMarket

PUBLIC = frozenset({"order_book", "trade", "market_stats"})
ALWAYS_WITH_TOKEN = frozenset({"account_all_orders", "account_orders", "account_tx", "notification"})
PRIVATE = ALWAYS_WITH_TOKEN | {
    "account_all",
    "account_all_trades",
    "account_all_positions",
    "account_all_assets",
    "user_stats",
}
WITHOUT_TOKEN = frozenset({"account_all"})
"""The venue's own client asks for it without one."""
SNAPSHOT_TRADES = 50

Send = Callable[[int, str], None]
"""(socket id, text)."""


@dataclass(slots=True)
class Pending:
    """Changes of a book that have not left yet, and the number of the last update that did."""

    shown: int
    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)
    is_due: bool = False


class Streams:
    """`now_ns` is set by the machine before anything happens."""

    def __init__(self, send: Send, schedule: Schedule) -> None:
        self.now_ns = 0
        self._send = send
        self._schedule = schedule
        self._sockets: dict[int, dict[str, int]] = {}
        """Channels of each socket, and when the token of each ends (0: it needs none)."""
        self._pending: dict[str, Pending] = {}
        self._owners: dict[int, tuple[int, int]] = {}
        """Whose orders the trade being made belongs to."""

    def attach(self, state: LighterState, gate: Gate, gateway: Gateway) -> None:
        """The exchange needs its listener before the state that holds the exchange can exist."""
        self._state, self._gate, self._gateway = state, gate, gateway

    # What clients say ----------------------------------------------------------------------------------

    def opened(self, socket_id: int) -> None:
        self._sockets[socket_id] = {}
        self._send(socket_id, json.dumps({"type": "connected", "session_id": str(socket_id)}))

    def closed(self, socket_id: int) -> None:
        self._sockets.pop(socket_id, None)

    def received(self, socket_id: int, text: str) -> None:
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            self._send(socket_id, errors.error_frame(errors.BAD_JSON))
            return
        try:
            self._hear(socket_id, said)
        except ApiRefusal as refusal:
            self._send(socket_id, refusal.frame())

    def _hear(self, socket_id: int, said: dict[str, Any]) -> None:
        kind, channel = said.get("type"), str(said.get("channel", "")).replace(":", "/")
        if kind == "ping":
            self._send(socket_id, '{"type":"pong"}')
        elif kind == "subscribe":
            self._subscribe(socket_id, channel, str(said.get("auth") or ""))
        elif kind == "unsubscribe":
            if self._sockets[socket_id].pop(channel, None) is None:
                raise ApiRefusal(errors.NOT_SUBSCRIBED)
            self._send(socket_id, json.dumps({"type": "unsubscribed", "channel": channel.replace("/", ":", 1)}))
        elif kind in ("jsonapi/sendtx", "jsonapi/sendtxbatch"):
            self._send(socket_id, json.dumps({"type": kind, **self._take(kind, said.get("data"))}))
        elif kind != "pong":
            raise ApiRefusal(errors.UNKNOWN_MESSAGE)

    def _take(self, kind: str, data: Any) -> dict[str, Any]:
        """A transaction over the socket is answered with its id."""
        if not isinstance(data, dict):
            raise ApiRefusal(errors.INVALID_TX)
        try:
            if kind == "jsonapi/sendtx":
                info = forms.transaction(data.get("tx_info"))
                taken = self._gateway.send(forms.number(data.get("tx_type")), info, self.now_ns)
                return {"id": data.get("id"), **msgspec.to_builtins(taken)}
            types, infos = (forms.parsed(data.get(name, "")) for name in ("tx_types", "tx_infos"))
            batch = self._gateway.send_batch(types, [forms.transaction(info) for info in infos], self.now_ns)
            return {"id": data.get("id"), **batch}
        except ApiRefusal as refusal:
            if not self._state.settings.socket_refusals_say_which:
                raise
            return {"id": data.get("id"), "error": {"code": refusal.code, "message": refusal.message}}

    def _subscribe(self, socket_id: int, channel: str, token: str) -> None:
        name, _, rest = channel.partition("/")
        if name not in PUBLIC | PRIVATE or not rest.replace("/", "").isalnum():
            raise ApiRefusal(errors.INVALID_CHANNEL, more=channel)
        if channel in self._sockets[socket_id]:
            raise ApiRefusal(errors.ALREADY_SUBSCRIBED, more=channel)
        deadline_s = self._token_end(name, rest, token) if name in PRIVATE else 0
        snapshot = self._snapshot(name, rest)
        self._sockets[socket_id][channel] = deadline_s
        self._send(socket_id, _text(f"subscribed/{name}", channel, snapshot, self.now_ns))

    def _token_end(self, name: str, rest: str, token: str) -> int:
        """When a private channel's token ends; raises ApiRefusal where one is missing or no good."""
        wants = name in ALWAYS_WITH_TOKEN or (
            self._state.settings.all_channels_need_tokens and name not in WITHOUT_TOKEN
        )
        account = int(rest.rpartition("/")[2])
        self._state.name_of(account)
        if not wants and not token:
            return 0
        if not token:
            raise ApiRefusal(errors.AUTH_REQUIRED)
        owner, deadline_s = self._gate.token_owner(token, self.now_ns)
        if owner != account:
            raise ApiRefusal(errors.INVALID_TOKEN)
        return deadline_s

    # Whole states --------------------------------------------------------------------------------------

    @property
    def _private_snapshots(self) -> dict[str, Callable[[str], dict[str, object]]]:
        """What each private channel says of an account when it is subscribed."""
        state, exchange = self._state, self._state.exchange
        return {
            "account_all": lambda name: {
                "account": state.index_of(name),
                "positions": self._positions(name),
                "trades": {},
                "shares": [],
            },
            "account_all_orders": lambda name: {"orders": self._order_groups(exchange.open_orders(name))},
            "account_orders": lambda name: {"orders": self._order_groups(exchange.open_orders(name))},
            "account_all_trades": lambda name: {"trades": _groups(list(state.trades_of[name])[-SNAPSHOT_TRADES:])},
            "account_all_positions": lambda name: {"positions": self._positions(name)},
            "account_all_assets": lambda _: {"assets": {}},
            "account_tx": lambda _: {"txs": []},
            "notification": lambda _: {"notifs": []},
            "user_stats": lambda name: {"stats": render.user_stats(exchange.account(name), state)},
        }

    def _snapshot(self, name: str, rest: str) -> dict[str, object]:
        if name in PUBLIC:
            return self._public_snapshot(name, rest)
        account = self._state.name_of(int(rest.rpartition("/")[2]))
        return self._private_snapshots[name](account)

    def _public_snapshot(self, name: str, rest: str) -> dict[str, object]:
        if name == "market_stats" and rest == "all":
            every = self._state.exchange.markets.values()
            return {"market_stats": {str(market_index(at)): self._stats(at) for at in every}}
        at = self._state.market(int(rest) if rest.isdecimal() else -1, self.now_ns)
        if name == "trade":
            return {"trades": list(self._state.trades_of[at.market.symbol])[-SNAPSHOT_TRADES:]}
        if name == "market_stats":
            return {"market_stats": self._stats(at)}
        self._flush(at)
        book = wire.BookFrame(
            asks=render.levels(at, at.book.levels(Side.SELL)),
            bids=render.levels(at, at.book.levels(Side.BUY)),
            nonce=at.update_id,
            begin_nonce=0,
            offset=at.update_id,
        )
        return {"order_book": book}

    def _stats(self, at: VenueMarket) -> dict[str, object]:
        interest = self._state.exchange.open_interest(at.market.symbol)
        funding_ns = self._state.funding.last_ns(self.now_ns)
        return render.market_stats(at, interest, funding_ns=funding_ns, now_ns=self.now_ns)

    def _positions(self, account: str) -> dict[str, wire.Position]:
        return {str(held.market_id): held for held in render.positions(account, self._state)}

    def _order_groups(self, orders: list[Order]) -> dict[str, list[wire.Order]]:
        groups: dict[str, list[wire.Order]] = {}
        for order in orders:
            at = self._state.exchange.markets[order.symbol]
            groups.setdefault(str(market_index(at)), []).append(render.order(order, at, self._state))
        return groups

    # What the exchange tells ---------------------------------------------------------------------------

    def order_changed(self, order: Order, change: OrderChange, fill: ExchangeFill | None) -> None:
        if fill is not None:
            self._owners[order.order_id] = (self._state.index_of(order.owner), int(order.client_id or 0))
        if change is OrderChange.ACCEPTED and not order.may_rest:
            return
        self._tell_order(order, None)

    def order_refused(self, ended: RefusedOrder) -> None:
        self._tell_order(ended.order, ended.status)

    def _tell_order(self, order: Order, status: str | None) -> None:
        at, account = self._state.exchange.markets[order.symbol], self._state.index_of(order.owner)
        shown = render.order(order, at, self._state, status)
        payload: dict[str, object] = {"orders": {str(shown.market_index): [shown]}}
        self._publish(f"account_all_orders/{account}", payload)
        self._publish(f"account_orders/{shown.market_index}/{account}", payload)

    def balance_changed(self, account: Account, asset: str) -> None:  # noqa: ARG002
        stats = render.user_stats(account, self._state)
        self._publish(f"user_stats/{self._state.index_of(account.name)}", {"stats": stats})

    def position_changed(self, account: Account, symbol: str, lots_before: int) -> None:  # noqa: ARG002
        at, index = self._state.exchange.markets[symbol], self._state.index_of(account.name)
        open_orders = len(self._state.exchange.open_orders(account.name, symbol))
        held = render.position(account.positions[symbol], at, open_orders)
        self._publish(f"account_all_positions/{index}", {"positions": {str(held.market_id): held}})
        self._publish(
            f"account_all/{index}", {"account": index, "positions": {str(held.market_id): held}, "trades": {}}
        )

    def traded(self, trade: Trade) -> None:
        at = self._state.exchange.markets[trade.symbol]
        shown = render.trade(trade, at, self._owners, HOUSE_INDEX)
        self._owners.clear()
        self._state.trades_of[trade.symbol].append(shown)
        for account in {shown.bid_account_id, shown.ask_account_id} - {HOUSE_INDEX}:
            self._state.trades_of[self._state.names[account]].append(shown)
            self._publish(f"account_all_trades/{account}", {"trades": _groups([shown])})
        self._publish(f"trade/{shown.market_id}", {"trades": [shown], "liquidation_trades": [], "nonce": 0})

    def transaction_done(self, transaction: wire.Transaction) -> None:
        self._publish(f"account_tx/{transaction.account_index}", {"txs": [transaction]})

    # What the machine tells ----------------------------------------------------------------------------

    def book_changed(self, at: VenueMarket, bids: list[Level], asks: list[Level]) -> None:
        """Changes wait for others until the interval is over."""
        pending = self._pending.setdefault(at.market.symbol, Pending(at.update_id - 1))
        pending.bids.update(bids)
        pending.asks.update(asks)
        if not pending.is_due:
            pending.is_due = True
            due_ns = self.now_ns + self._state.settings.book_interval_ms * NS_PER_MS
            self._schedule.at(due_ns, lambda _: self._flush(at))

    def _flush(self, at: VenueMarket) -> None:
        """What waits leaves as one update that begins where the last one ended."""
        pending = self._pending.get(at.market.symbol)
        if pending is None:
            return
        pending.is_due = False
        if not pending.bids and not pending.asks:
            return
        book = wire.BookFrame(
            asks=render.levels(at, sorted(pending.asks.items())),
            bids=render.levels(at, sorted(pending.bids.items())),
            nonce=at.update_id,
            begin_nonce=pending.shown,
            offset=at.update_id,
        )
        self._pending[at.market.symbol] = Pending(at.update_id)
        self._publish(f"order_book/{market_index(at)}", {"order_book": book})

    def second_passed(self) -> None:
        for at in self._state.exchange.markets.values():
            if self._listeners(f"market_stats/{market_index(at)}"):
                self._publish(f"market_stats/{market_index(at)}", {"market_stats": self._stats(at)})

    # How it leaves -------------------------------------------------------------------------------------

    def _publish(self, channel: str, payload: dict[str, object]) -> None:
        listeners = self._listeners(channel)
        if listeners:
            text = _text(f"update/{channel.partition('/')[0]}", channel, payload, self.now_ns)
            for socket_id in listeners:
                self._send(socket_id, text)

    def _listeners(self, channel: str) -> list[int]:
        now_s = self.now_ns // NS_PER_S
        ends = self._state.settings.tokens_end_streams
        return [
            socket_id
            for socket_id, channels in self._sockets.items()
            if channel in channels and not (ends and 0 < channels[channel] < now_s)
        ]


def _groups(trades: list[wire.Trade]) -> dict[str, list[wire.Trade]]:
    groups: dict[str, list[wire.Trade]] = {}
    for trade in trades:
        groups.setdefault(str(trade.market_id), []).append(trade)
    return groups


def _text(kind: str, channel: str, payload: dict[str, object], now_ns: int) -> str:
    """A colon stands in the channel of what is sent, where a slash stood in what was asked."""
    head = {"type": kind, "channel": channel.replace("/", ":", 1), "timestamp": now_ns // NS_PER_MS}
    return msgspec.json.encode({**head, **payload}).decode()
