"""Commands to requests: signed transactions as form fields, reads with an auth token.

A submit or cancel needs the nonce of its key in the context; it is the session's to keep the sequence.
"""

from __future__ import annotations

from urllib.parse import urlencode

from engine.clock import NS_PER_MS, NS_PER_S
from engine.errors import NotSent
from engine.exchanges.interface import Context
from engine.exchanges.lighter.account_wide import abort_cancel_all, schedule_cancel_all
from engine.exchanges.lighter.sending import send_transaction
from engine.exchanges.lighter.signing import Signer
from engine.exchanges.lighter.transactions import NewOrder, OrderTime, OrderType, SignedTransaction
from engine.exchanges.messages import HttpRequest
from engine.model.commands import (
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
from engine.model.order import OrderRequest, Side, TimeInForce

PAGE_ROWS = 100
"""The longest page of trades, past orders and funding payments."""
TOKEN_LIFE_S = 7 * 3_600
TOKEN_RENEWED_S, TOKEN_SPARE_S = 3_600, 60
"""The venue takes tokens of up to eight hours; a private stream that is opened now lives an hour at least, nearly.
Whether a stream goes on when its token has ended is not documented, so none is left to try."""

_PATHS: dict[type[Command], str] = {
    QueryOrder: "accountActiveOrders",
    QueryOpenOrders: "accountActiveOrders",
    QueryOrderHistory: "accountInactiveOrders",
    QueryFills: "trades",
    QueryFunding: "positionFunding",
}
_PUBLIC_PATHS: dict[type[Command], str] = {
    QueryPosition: "account",
    QueryBalances: "account",
    QueryBook: "orderBookOrders",
    QueryInstrument: "orderBookDetails",
}


class Tokens:
    """The account's auth token. It is signed here and not asked for, so there is no gate."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._token, self._deadline_s = "", 0

    def at(self, now_ns: int) -> str:
        """A token that is good for a while yet."""
        now_s = now_ns // NS_PER_S
        if self._deadline_s < now_s + TOKEN_RENEWED_S:
            self._deadline_s = now_s + TOKEN_LIFE_S
            self._token = self._signer.auth_token(self._deadline_s)
        return self._token

    def good_for_s(self, now_ns: int) -> float:
        """How long what is opened with the token now should stay open: to a while before the token ends."""
        return self._deadline_s - now_ns // NS_PER_S - TOKEN_SPARE_S

    def forget(self) -> None:
        """The venue does not take it any more."""
        self._deadline_s = 0


class Encoder:
    """One account and one market. `order_life_ms`: when a resting order ends by itself."""

    def __init__(
        self, signer: Signer, tokens: Tokens, *, account_index: int, market_index: int, order_life_ms: int
    ) -> None:
        self._signer = signer
        self._tokens = tokens
        self._market_index = market_index
        self._order_life_ms = order_life_ms
        own: dict[str, str | int] = {"account_index": account_index, "market_id": market_index}
        account: dict[str, str | int] = {"by": "index", "value": account_index}
        self._parameters: dict[type[Command], dict[str, str | int]] = {
            QueryOrder: own,
            QueryOpenOrders: own,
            QueryOrderHistory: {**own, "limit": PAGE_ROWS},
            QueryFills: {**own, "sort_by": "timestamp", "sort_dir": "desc", "limit": PAGE_ROWS},
            QueryFunding: {"account_index": account_index, "market_ids": market_index, "limit": PAGE_ROWS},
            QueryPosition: account,
            QueryBalances: account,
            QueryBook: {"market_id": market_index, "limit": 250},
            QueryInstrument: {"market_id": market_index},
        }

    def request(self, command: Command, context: Context) -> HttpRequest:
        """The request that carries out a command; NotSent when it cannot be signed."""
        match command:
            case SubmitOrder(order=approved):
                order = self._order(approved.request, context.now_ns)
                signed = self._signer.create_order(order, nonce=_nonce(context), now_ns=context.now_ns)
                return send_transaction(signed)
            case CancelOrder():
                return send_transaction(self._cancel(command, context))
            case SetDeadMansSwitch(cancel_after_s=cancel_after_s):
                return self._switch(cancel_after_s, context)
            case _:
                return self._query(type(command), context)

    def _switch(self, cancel_after_s: int | None, context: Context) -> HttpRequest:
        """Lighter has one for the whole account, whichever market it is asked for from."""
        nonce, now_ns = _nonce(context), context.now_ns
        if cancel_after_s is None:
            return abort_cancel_all(self._signer, nonce=nonce, now_ns=now_ns)
        return schedule_cancel_all(self._signer, cancel_after_s * 1_000, nonce=nonce, now_ns=now_ns)

    def _cancel(self, cancel: CancelOrder, context: Context) -> SignedTransaction:
        """By client index: a cancel that the sequencer refuses later names its order by it again."""
        index = cancel.client_id or int(cancel.venue_order_id or 0)
        return self._signer.cancel_order(self._market_index, index, nonce=_nonce(context), now_ns=context.now_ns)

    def _query(self, kind: type[Command], context: Context) -> HttpRequest:
        query = urlencode(self._parameters[kind])
        if kind in _PUBLIC_PATHS:
            return HttpRequest(method="GET", target=f"/api/v1/{_PUBLIC_PATHS[kind]}?{query}")
        headers = (("authorization", self._tokens.at(context.now_ns)),)
        return HttpRequest(method="GET", target=f"/api/v1/{_PATHS[kind]}?{query}", headers=headers)

    def _order(self, order: OrderRequest, now_ns: int) -> NewOrder:
        """Ticks and lots are the venue's own integers. Only what rests expires."""
        if order.time_in_force is TimeInForce.FOK:
            raise NotSent("Lighter has no fill-or-kill orders")
        time = OrderTime.POST_ONLY if order.post_only else OrderTime.GTT
        if order.time_in_force is TimeInForce.IOC:
            time = OrderTime.IOC
        return NewOrder(
            market_index=self._market_index,
            client_order_index=order.client_id,
            base_amount=order.lots,
            price=order.ticks,
            is_ask=order.side is Side.SELL,
            type=OrderType.LIMIT,
            time_in_force=time,
            reduce_only=order.reduce_only,
            expiry_ms=0 if time is OrderTime.IOC else now_ns // NS_PER_MS + self._order_life_ms,
        )


def _nonce(context: Context) -> int:
    if context.nonce is None:
        raise NotSent("the next nonce of this API key is not known")
    return context.nonce
