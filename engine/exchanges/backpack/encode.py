"""Commands to signed requests. Submit and cancel are the order path: their text is written by hand, because
sorting and JSON cost more than everything else but the signature. Tests hold them against `build_request`.
"""

from __future__ import annotations

from engine.clock import NS_PER_MS
from engine.exchanges.backpack.signing import WINDOW_MS, Parameters, Signer, build_request
from engine.exchanges.backpack.translate import SIDE_WORDS, Translator
from engine.exchanges.interface import Context
from engine.exchanges.messages import HttpRequest
from engine.exchanges.sequenced_book import SNAPSHOT_LEVELS
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
from engine.model.instrument import MarketKind
from engine.model.order import OrderRequest, TimeInForce

PAGE_ROWS = 1_000
"""The longest page of fills and history."""

BATCH_MOST = 20
ORDER_PATH, ORDERS_PATH = "/api/v1/order", "/api/v1/orders"

BALANCE_PATHS = {MarketKind.SPOT: "/api/v1/capital", MarketKind.PERP: "/api/v1/capital/collateral"}
"""A spot order can only sell what /capital has, and only /capital lists assets that are no collateral. A perp
position is backed by collateral, and funds lent out by auto-lend back it too but stand only there."""


class Encoder:
    """One account and one market."""

    def __init__(self, kind: MarketKind, translator: Translator, signer: Signer) -> None:
        self._kind = kind
        self._translator = translator
        self._signer = signer
        self._symbol = translator.symbol
        symbol: Parameters = {"symbol": translator.symbol}
        self._fixed_queries: dict[type[Command], tuple[str, Parameters]] = {
            QueryOpenOrders: ("/api/v1/orders", symbol),
            # Neither has a time filter: the newest page is all one can ask for.
            QueryOrderHistory: ("/wapi/v1/history/orders", {**symbol, "limit": PAGE_ROWS}),
            QueryFunding: ("/wapi/v1/history/funding", {**symbol, "limit": PAGE_ROWS}),
            QueryPosition: ("/api/v1/position", symbol) if kind is MarketKind.PERP else (BALANCE_PATHS[kind], {}),
            QueryBalances: (BALANCE_PATHS[kind], {}),
        }

    def request(self, command: Command, context: Context) -> HttpRequest:
        """The request that carries out a command, signed for the context's moment."""
        match command:
            case SubmitOrder(order=approved):
                return self._submit(approved.request, context)
            case CancelOrder():
                return self._cancel(command, context)
            case QueryBook():
                return self._public("/api/v1/depth", {"symbol": self._symbol, "limit": SNAPSHOT_LEVELS})
            case QueryInstrument():
                return self._public("/api/v1/market", {"symbol": self._symbol})
            case _:
                path, parameters = self._query(command)
                return build_request(self._signer, "GET", path, parameters, context.now_ns // NS_PER_MS)

    def batch(self, batch: Batch, context: Context) -> HttpRequest:
        """Several orders in one request, signed as the parts they would have signed alone."""
        orders = [item.order.request for item in batch.items if isinstance(item, SubmitOrder)]
        signed_parts, bodies = zip(*map(self._order, orders), strict=True)
        body = f"[{','.join(bodies)}]"
        return self._order_request("POST", ORDERS_PATH, "&".join(signed_parts), body, context)

    def _submit(self, order: OrderRequest, context: Context) -> HttpRequest:
        return self._order_request("POST", ORDER_PATH, *self._order(order), context)

    def _order(self, order: OrderRequest) -> tuple[str, str]:
        """Signed part and body. The common case in one go; flags are only sent when they say something."""
        price, size = self._translator.prices.text(order.ticks), self._translator.sizes.text(order.lots)
        side, symbol = SIDE_WORDS[order.side], self._symbol
        post_only = reduce_only = time_in_force = ""
        signed_post_only = signed_reduce_only = signed_time_in_force = ""
        if order.post_only:
            post_only, signed_post_only = ',"postOnly":true', "&postOnly=true"
        if order.reduce_only and self._kind is MarketKind.PERP:
            reduce_only, signed_reduce_only = ',"reduceOnly":true', "&reduceOnly=true"
        if order.time_in_force is not TimeInForce.GTC:
            word = order.time_in_force.upper()
            time_in_force, signed_time_in_force = f',"timeInForce":"{word}"', f"&timeInForce={word}"
        signed_part = (
            f"instruction=orderExecute&clientId={order.client_id}&orderType=Limit{signed_post_only}&price={price}"
            f"&quantity={size}{signed_reduce_only}&side={side}&symbol={symbol}{signed_time_in_force}"
        )
        body = (
            f'{{"symbol":"{symbol}","side":"{side}","orderType":"Limit","price":"{price}","quantity":"{size}",'
            f'"clientId":{order.client_id}{post_only}{reduce_only}{time_in_force}}}'
        )
        return signed_part, body

    def _cancel(self, cancel: CancelOrder, context: Context) -> HttpRequest:
        if cancel.venue_order_id is not None:
            signed_id, field = f"orderId={cancel.venue_order_id}", f'"orderId":"{cancel.venue_order_id}"'
        else:
            signed_id, field = f"clientId={cancel.client_id}", f'"clientId":{cancel.client_id}'
        signed_part = f"instruction=orderCancel&{signed_id}&symbol={self._symbol}"
        body = f'{{{field},"symbol":"{self._symbol}"}}'
        return self._order_request("DELETE", ORDER_PATH, signed_part, body, context)

    def _order_request(self, method: str, path: str, signed_part: str, body: str, context: Context) -> HttpRequest:
        headers = self._signer.headers(signed_part, context.now_ns // NS_PER_MS, WINDOW_MS)
        return HttpRequest(method=method, target=path, headers=headers, body=body.encode())

    def _query(self, command: Command) -> tuple[str, Parameters]:
        match command:
            case QueryOrder(client_id=client_id):
                return "/api/v1/order", {"symbol": self._symbol, "clientId": client_id}
            case QueryFills(since_ns=since_ns):
                # No fillType: liquidations and the like are ours too.
                since_ms = since_ns // NS_PER_MS
                return "/wapi/v1/history/fills", {"symbol": self._symbol, "from": since_ms, "limit": PAGE_ROWS}
            case _:
                return self._fixed_queries[type(command)]

    @staticmethod
    def _public(path: str, parameters: Parameters) -> HttpRequest:
        return build_request(None, "GET", path, parameters, timestamp_ms=0)
