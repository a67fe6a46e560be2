"""Commands to requests. Only a new order is signed; everything else of an account is opened by its token."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from engine.clock import NS_PER_MS
from engine.errors import NotSent
from engine.exchanges.interface import Context
from engine.exchanges.messages import HttpRequest
from engine.exchanges.paradex.signing import JSON, OrderTerms, Signer
from engine.exchanges.paradex.translate import SIDE_WORDS, Translator, client_text
from engine.exchanges.paradex.wire import CancelBatch, NewOrder
from engine.model.commands import (
    Batch,
    CancelOrder,
    Command,
    QueryBalances,
    QueryBook,
    QueryFills,
    QueryFunding,
    QueryInstrument,
    QueryOpenOrders,
    QueryOrder,
    QueryOrderHistory,
    QueryPosition,
    SubmitOrder,
)
from engine.model.order import OrderRequest, TimeInForce

RECV_WINDOW_MS = 5_000
"""How long after its signature an order may still arrive."""
PAGE_ROWS = 1_000
BATCH_MOST = 10
BOOK_LEVELS = 100

_ENCODER = msgspec.json.Encoder()


class Encoder:
    """One account and one market."""

    def __init__(self, translator: Translator, signer: Signer) -> None:
        self._translator = translator
        self._signer = signer
        symbol = self._symbol = translator.symbol
        in_market = f"?market={quote(symbol, safe='')}"
        self._in_market = in_market
        # History filters by when an order was made, not by when it last changed: no start time.
        self._targets: dict[type[Command], str] = {
            QueryOpenOrders: f"/v1/orders{in_market}",
            QueryOrderHistory: f"/v1/orders-history{in_market}&page_size={PAGE_ROWS}",
            QueryFills: f"/v1/fills{in_market}",
            QueryFunding: f"/v1/funding/payments{in_market}",
            QueryPosition: "/v1/positions",
            QueryBalances: "/v1/account",
            QueryBook: f"/v1/orderbook/{quote(symbol, safe='')}?depth={BOOK_LEVELS}",
            QueryInstrument: f"/v1/markets{in_market}",
        }

    def request(self, command: Command, context: Context) -> HttpRequest:
        """The request that carries out a command, signed for the context's moment."""
        match command:
            case SubmitOrder(order=approved):
                body = _ENCODER.encode(self.new_order(approved.request, context.now_ns))
                return _request("POST", "/v1/orders", context, body)
            case CancelOrder(client_id=client_id, venue_order_id=None):
                target = f"/v1/orders/by_client_id/{client_text(client_id)}{self._in_market}"
                return _request("DELETE", target, context)
            case CancelOrder(venue_order_id=order_id):
                return _request("DELETE", f"/v1/orders/{quote(str(order_id), safe='')}", context)
            case QueryOrder(client_id=client_id):
                target = f"/v1/orders/by_client_id/{client_text(client_id)}{self._in_market}"
                return _request("GET", target, context)
            case QueryFills(since_ns=since_ns) | QueryFunding(since_ns=since_ns):
                since = f"&start_at={since_ns // NS_PER_MS}&page_size={PAGE_ROWS}"
                return _request("GET", self._targets[type(command)] + since, context)
            case _:
                return _request("GET", self._targets[type(command)], context)

    def batch(self, batch: Batch, context: Context) -> HttpRequest:
        """Several orders, each signed by itself, or several cancels, in one request."""
        orders = [item.order.request for item in batch.items if isinstance(item, SubmitOrder)]
        if orders:
            body = _ENCODER.encode([self.new_order(order, context.now_ns) for order in orders])
            return _request("POST", "/v1/orders/batch", context, body)
        cancels = tuple(client_text(item.client_id) for item in batch.items if isinstance(item, CancelOrder))
        body = _ENCODER.encode(CancelBatch(order_ids=(), client_order_ids=cancels))
        return _request("DELETE", "/v1/orders/batch", context, body)

    def margin(self, context: Context) -> HttpRequest:
        """The question how the market's margin is set."""
        return _request("GET", f"/v1/account/margin{self._in_market}", context)

    def new_order(self, order: OrderRequest, now_ns: int) -> NewOrder:
        """A signed order, as it stands in a request of its own, in a batch or in a WebSocket frame."""
        price, size = self._translator.prices.text(order.ticks), self._translator.sizes.text(order.lots)
        side, timestamp_ms = SIDE_WORDS[order.side], now_ns // NS_PER_MS
        terms = OrderTerms(
            market=self._symbol, side=side, kind="LIMIT", size=size, price=price, timestamp_ms=timestamp_ms
        )
        return NewOrder(
            market=self._symbol,
            side=side,
            type="LIMIT",
            size=size,
            price=price,
            client_id=client_text(order.client_id),
            instruction=_instruction(order),
            flags=("REDUCE_ONLY",) if order.reduce_only else msgspec.UNSET,
            signature=self._signer.order(terms),
            signature_timestamp=timestamp_ms,
            recv_window=RECV_WINDOW_MS,
        )


def _instruction(order: OrderRequest) -> str:
    if order.post_only:
        return "POST_ONLY"
    if order.time_in_force is TimeInForce.FOK:
        raise NotSent("Paradex has no fill-or-kill orders")
    return "IOC" if order.time_in_force is TimeInForce.IOC else "GTC"


def _request(method: str, target: str, context: Context, body: bytes = b"") -> HttpRequest:
    headers = (JSON, ("Authorization", f"Bearer {context.token}"))
    return HttpRequest(method=method, target=target, headers=headers, body=body)
