"""What clients say on the WebSocket: JSON-RPC 2.0. A socket logs in once and stays so when its token has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from engine.clock import NS_PER_US
from engine.exchanges.paradex.wire import NewOrder
from engine.exchanges.paradex.wire_streams import RpcRequest
from engine.sim.paradex import errors, render
from engine.sim.paradex.auth import Caller
from engine.sim.paradex.calls import Venue
from engine.sim.paradex.channels import parse_channel
from engine.sim.paradex.errors import ApiRefusal, RpcRefusal
from engine.sim.paradex.feeds import Feeds
from engine.sim.paradex.state import Paper

T = TypeVar("T")
CHANNELS_MAX = 500
PAPERS_KEPT = 1_000


@dataclass(slots=True)
class SocketState:
    """`papers` are the orders placed here, for the switch that cancels them when the socket goes."""

    caller: Caller | None = None
    channels: dict[str, int] = field(default_factory=dict)
    """By name, with the address they were subscribed for."""
    cancels_on_disconnect: bool = False
    papers: list[Paper] = field(default_factory=list)


class Sockets:
    """All sockets of the venue."""

    def __init__(self, venue: Venue, feeds: Feeds, send: Callable[[int, str], None]) -> None:
        self._venue = venue
        self._feeds = feeds
        self._send = send
        self._sockets: dict[int, SocketState] = {}
        self._methods: dict[str, Callable[[int, SocketState, object], object]] = {
            "auth": self._authenticate,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "order.create": self._create,
            "order.create_batch": self._create_batch,
            "order.cancel": self._cancel,
            "order.cancel_batch": self._cancel_batch,
            "order.cancel_all": self._cancel_all,
            "order.cancel_on_disconnect": self._cancel_on_disconnect,
        }

    def opened(self, socket_id: int) -> None:
        self._sockets[socket_id] = SocketState()

    def closed(self, socket_id: int) -> None:
        socket = self._sockets.pop(socket_id, None)
        if socket is None:
            return
        for channel, address in socket.channels.items():
            self._feeds.remove(socket_id, channel, address)
        if socket.cancels_on_disconnect:
            self._venue.trading.cancel_papers(socket.papers, self._now_ns)

    def received(self, socket_id: int, text: str) -> None:
        try:
            request = msgspec.json.decode(text, type=RpcRequest)
        except (msgspec.DecodeError, RecursionError):
            self._answer(socket_id, None, error=(errors.PARSE_ERROR, "Parse error", None))
            return
        method = self._methods.get(request.method)
        try:
            if method is None:
                raise RpcRefusal(errors.METHOD_NOT_FOUND, f"method {request.method} not found")
            result = method(socket_id, self._sockets[socket_id], request.params)
        except RpcRefusal as refusal:
            self._answer(socket_id, request.id, error=(refusal.code, refusal.message, None))
        except ApiRefusal as refusal:
            self._answer(socket_id, request.id, error=(refusal.rpc_code, refusal.message, refusal.code))
        else:
            self._answer(socket_id, request.id, result=result)
            if request.method == "subscribe":
                self._start(socket_id, request.params)

    # Methods -------------------------------------------------------------------------------------------

    def _authenticate(self, _: int, socket: SocketState, params: object) -> object:
        token = _field(params, "bearer")
        try:
            socket.caller = self._venue.door.caller(token, self._now_ns)
        except ApiRefusal as refusal:
            code = errors.MALFORMED_TOKEN if "malformed" in refusal.message else errors.INVALID_TOKEN
            raise RpcRefusal(code, refusal.message) from None
        return {"node_id": "simulated"}

    def _subscribe(self, _: int, socket: SocketState, params: object) -> object:
        channel = parse_channel(_field(params, "channel"))
        if channel.text in socket.channels or len(socket.channels) >= CHANNELS_MAX:
            raise RpcRefusal(errors.INVALID_REQUEST, f"already subscribed to {channel.text}")
        if channel.market:
            if channel.market not in self._venue.state.exchange.markets:
                raise RpcRefusal(errors.INVALID_PARAMETERS, f"invalid channel {channel.text}")
            self._venue.state.stir(channel.market, self._now_ns)
        address = _signed_in(socket).address if channel.is_private else 0
        socket.channels[channel.text] = address
        return {"channel": channel.text}

    def _start(self, socket_id: int, params: object) -> None:
        """The first message of a channel comes after the answer to its subscription."""
        channel = parse_channel(_field(params, "channel"))
        self._feeds.add(socket_id, channel, self._sockets[socket_id].channels[channel.text])

    def _unsubscribe(self, socket_id: int, socket: SocketState, params: object) -> object:
        channel = _field(params, "channel")
        if channel not in socket.channels:
            raise RpcRefusal(errors.INVALID_REQUEST, f"not subscribed to {channel}")
        self._feeds.remove(socket_id, channel, socket.channels.pop(channel))
        return {"channel": channel}

    def _create(self, _: int, socket: SocketState, params: object) -> object:
        paper = self._venue.trading.place(_signed_in(socket), _convert(params, NewOrder), self._now_ns)
        self._remember(socket, paper)
        return render.placed(paper, self._venue.state)

    def _create_batch(self, _: int, socket: SocketState, params: object) -> object:
        """The documentation wants `{"orders":[…]}`, the official SDK sends the bare list. What became of each is
        told in the same order."""
        rows = params.get("orders") if isinstance(params, dict) else params
        orders = _convert(rows, tuple[NewOrder, ...])
        outcomes = self._venue.trading.place_many(_signed_in(socket), orders, self._now_ns)
        return {"results": [self._row(socket, outcome) for outcome in outcomes]}

    def _row(self, socket: SocketState, outcome: Paper | ApiRefusal) -> object:
        if isinstance(outcome, ApiRefusal):
            return {"error": f"{outcome.code}: {outcome.message}"}
        self._remember(socket, outcome)
        return render.placed(outcome, self._venue.state)

    def _cancel(self, _: int, socket: SocketState, params: object) -> object:
        caller, state = _signed_in(socket), self._venue.state
        self._venue.door.count_order(caller, self._now_ns)
        named = params if isinstance(params, dict) else {}
        if "id" in named:
            paper = state.by_id(caller.account, str(named["id"]))
        else:
            market = named.get("market")
            paper = state.by_client_id(caller.account, str(named.get("client_id")), market and str(market))
        self._venue.trading.cancel(caller, paper, self._now_ns)
        return {"order_id": paper.order_id, "status": "QUEUED_FOR_CANCELLATION"}

    def _cancel_batch(self, _: int, socket: SocketState, params: object) -> object:
        caller, state = _signed_in(socket), self._venue.state
        self._venue.door.count_order(caller, self._now_ns)
        ids = params.get("order_ids", []) if isinstance(params, dict) else []
        results = []
        for order_id in _convert(ids, tuple[str, ...]):
            try:
                self._venue.trading.cancel(caller, state.by_id(caller.account, order_id), self._now_ns)
                status = "QUEUED_FOR_CANCELLATION"
            except ApiRefusal as refusal:
                status = "ALREADY_CLOSED" if refusal.code == "ORDER_IS_CLOSED" else "NOT_FOUND"
            results.append({"id": order_id, "status": status})
        return {"results": results}

    def _cancel_all(self, _: int, socket: SocketState, params: object) -> object:
        caller = _signed_in(socket)
        self._venue.door.count_order(caller, self._now_ns)
        market = params.get("market") if isinstance(params, dict) else None
        self._venue.trading.cancel_all(caller, market and str(market), self._now_ns)
        return {"status": "ok"}

    def _cancel_on_disconnect(self, _: int, socket: SocketState, params: object) -> object:
        _signed_in(socket)
        socket.cancels_on_disconnect = isinstance(params, dict) and params.get("enabled") is True
        return {"enabled": socket.cancels_on_disconnect}

    # Around them ---------------------------------------------------------------------------------------

    @property
    def _now_ns(self) -> int:
        return self._feeds.now_ns

    def _remember(self, socket: SocketState, paper: Paper) -> None:
        if len(socket.papers) >= PAPERS_KEPT:
            socket.papers = [kept for kept in socket.papers if kept.is_open]
        socket.papers.append(paper)

    def _answer(
        self,
        socket_id: int,
        request_id: int | str | None,
        *,
        result: object = None,
        error: tuple[int, str, str | None] | None = None,
    ) -> None:
        us = self._now_ns // NS_PER_US
        message: dict[str, object] = {"jsonrpc": "2.0", "id": request_id, "usIn": us, "usDiff": 0}
        if error is None:
            message["result"] = result
        else:
            code, words, data = error
            message |= {"error": {"code": code, "message": words, "data": data}, "usOut": us}
        self._send(socket_id, msgspec.json.encode(message).decode())


def _signed_in(socket: SocketState) -> Caller:
    if socket.caller is None:
        raise RpcRefusal(errors.NOT_AUTHENTICATED, "not authenticated")
    return socket.caller


def _field(params: object, name: str) -> str:
    value = params.get(name) if isinstance(params, dict) else None
    if not isinstance(value, str):
        raise RpcRefusal(errors.INVALID_PARAMETERS, f"missing {name}")
    return value


def _convert(params: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(params, type=kind)
    except msgspec.ValidationError as error:
        raise RpcRefusal(errors.INVALID_PARAMETERS, str(error)) from None
