"""Commands to signed requests. Parameters are written by hand in the order they are signed in; nothing in them
needs percent-encoding except the lists of batches.
"""

from __future__ import annotations

from urllib.parse import quote

from engine.clock import NS_PER_MS, NS_PER_US
from engine.exchanges.aster.apis import private_path, public_path
from engine.exchanges.aster.client_ids import client_id_text
from engine.exchanges.aster.signing import Signer
from engine.exchanges.aster.translate import POST_ONLY, SIDE_WORDS, Translator
from engine.exchanges.aster.wire_streams import FUNDING_FEE
from engine.exchanges.interface import Context
from engine.exchanges.messages import HttpRequest
from engine.exchanges.sequenced_book import SNAPSHOT_LEVELS
from engine.model.commands import (
    AmendOrder,
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
    SetDeadMansSwitch,
    SubmitOrder,
)
from engine.model.instrument import MarketKind
from engine.model.order import OrderRequest

PAGE_ROWS = 1_000
"""The longest page of trades and orders."""


class Encoder:
    """One account and one market."""

    def __init__(self, kind: MarketKind, translator: Translator, signer: Signer) -> None:
        self._kind = kind
        self._translator = translator
        self._signer = signer
        self._symbol = f"symbol={translator.symbol}"
        newest = f"{self._symbol}&limit={PAGE_ROWS}"
        balances = ("/balance" if kind is MarketKind.PERP else "/account", "")
        self._fixed_queries: dict[type[Command], tuple[str, str]] = {
            QueryOpenOrders: ("/openOrders", self._symbol),
            # No startTime: whether it then keeps the oldest or the newest rows of a full page is not documented.
            QueryOrderHistory: ("/allOrders", newest),
            QueryFills: ("/userTrades", newest),
            QueryPosition: ("/positionRisk", self._symbol) if kind is MarketKind.PERP else balances,
            QueryBalances: balances,
        }
        self._order_path = private_path(kind, signer.generation, "/order")

    def request(self, command: Command, context: Context) -> HttpRequest:
        """The request that carries out a command, signed for the context's moment."""
        match command:
            case SubmitOrder() | AmendOrder() | CancelOrder() | QueryOrder():
                return self._signed(*self._about_an_order(command), context)
            case SetDeadMansSwitch(cancel_after_s=cancel_after_s):
                countdown = f"{self._symbol}&countdownTime={1_000 * (cancel_after_s or 0)}"
                return self.private("POST", "/countdownCancelAll", countdown, context)
            case QueryFunding(since_ns=since_ns):
                # Without a start only a week is told. With one a page has room for more than a month of hours.
                asked = f"incomeType={FUNDING_FEE}&startTime={since_ns // NS_PER_MS}&limit={PAGE_ROWS}"
                return self.private("GET", "/income", f"{self._symbol}&{asked}", context)
            case QueryBook():
                return self._public(f"/depth?{self._symbol}&limit={SNAPSHOT_LEVELS}")
            case QueryInstrument():
                return self._public("/exchangeInfo")
            case _:
                return self.private("GET", *self._fixed_queries[type(command)], context)

    def batch(self, batch: Batch, context: Context) -> HttpRequest:
        """Several in one request; orders are matched concurrently, and all are answered in the order given."""
        orders = [item.order.request for item in batch.items if isinstance(item, SubmitOrder)]
        if orders:
            listed = ",".join(_json_object(self._order(order)) for order in orders)
            return self.private("POST", "/batchOrders", f"batchOrders={_list(listed)}", context)
        client_ids = [client_id_text(item.client_id) for item in batch.items if isinstance(item, CancelOrder)]
        listed = ",".join(f'"{client_id}"' for client_id in client_ids)
        parameters = f"{self._symbol}&origClientOrderIdList={_list(listed)}"
        return self.private("DELETE", "/batchOrders", parameters, context)

    def private(self, method: str, route: str, parameters: str, context: Context) -> HttpRequest:
        path = private_path(self._kind, self._signer.generation, route)
        return self._signed(method, path, parameters, context)

    def _about_an_order(self, command: SubmitOrder | AmendOrder | CancelOrder | QueryOrder) -> tuple[str, str, str]:
        """Method, path and parameters."""
        match command:
            case SubmitOrder(order=approved):
                return "POST", self._order_path, self._order(approved.request)
            case AmendOrder():
                return "PUT", self._order_path, self._amend(command)
            case CancelOrder(client_id=client_id, venue_order_id=order_id):
                return "DELETE", self._order_path, self._which(client_id, order_id)
            case QueryOrder(client_id=client_id):
                return "GET", self._order_path, self._which(client_id, None)

    def _public(self, route: str) -> HttpRequest:
        return HttpRequest(method="GET", target=public_path(self._kind, route))

    def _signed(self, method: str, path: str, parameters: str, context: Context) -> HttpRequest:
        now_us = context.now_ns // NS_PER_US if context.nonce is None else context.nonce
        return self._signer.request(method, path, parameters, now_us)

    def _order(self, order: OrderRequest) -> str:
        """Perps: RESULT makes the reply tell how an order ended that could not rest, instead of only that it came,
        and an order that would meet one of the same account gives way. Spot documents neither."""
        price, size = self._translator.prices.text(order.ticks), self._translator.sizes.text(order.lots)
        time_in_force = POST_ONLY if order.post_only else order.time_in_force.upper()
        perp = ""
        if self._kind is MarketKind.PERP:
            perp = "&newOrderRespType=RESULT&stpMode=EXPIRE_TAKER"
            perp += "&reduceOnly=true" if order.reduce_only else ""
        return (
            f"{self._symbol}&side={SIDE_WORDS[order.side]}&type=LIMIT&timeInForce={time_in_force}&quantity={size}"
            f"&price={price}&newClientOrderId={client_id_text(order.client_id)}{perp}"
        )

    def _amend(self, amend: AmendOrder) -> str:
        """Price and quantity are both wanted; the quantity is the whole order's. Side and time in force stay."""
        order = amend.order.request
        price, size = self._translator.prices.text(order.ticks), self._translator.sizes.text(amend.whole_lots)
        which = self._which(order.client_id, amend.venue_order_id)
        return f"{which}&side={SIDE_WORDS[order.side]}&quantity={size}&price={price}"

    def _which(self, client_id: int, venue_order_id: str | None) -> str:
        if venue_order_id is not None:
            return f"{self._symbol}&orderId={venue_order_id}"
        return f"{self._symbol}&origClientOrderId={client_id_text(client_id)}"


def _list(listed: str) -> str:
    return quote(f"[{listed}]", safe="")


def _json_object(parameters: str) -> str:
    """The same parameters as a compact JSON object of texts, which is how a batch carries them."""
    pairs = (pair.split("=", 1) for pair in parameters.split("&"))
    return "{" + ",".join(f'"{name}":"{value}"' for name, value in pairs) + "}"
