"""Paradex's REST interface: which path is what, and what every request goes through."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, unquote

from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.sim.paradex import account, public
from engine.sim.paradex.calls import Call, Venue, answer
from engine.sim.paradex.errors import ApiRefusal

Handler = Callable[[Call], object]

PUBLIC: dict[tuple[str, str], Handler] = {
    ("GET", "/v1/system/config"): public.config,
    ("GET", "/v1/system/time"): public.time,
    ("GET", "/v1/system/state"): public.status,
    ("GET", "/v1/onboarding"): public.membership,
    ("POST", "/v1/onboarding"): public.onboard,
    ("POST", "/v1/auth"): public.login,
    ("POST", "/v1/auth/*"): public.login,
    ("GET", "/v1/markets"): public.markets,
    ("GET", "/v1/markets/summary"): public.summaries,
    ("GET", "/v1/markets/klines"): public.klines,
    ("GET", "/v1/orderbook/*"): public.book,
    ("GET", "/v1/bbo/*"): public.bbo,
    ("GET", "/v1/trades"): public.trades,
    ("GET", "/v1/funding/data"): public.funding,
}
READS: dict[tuple[str, str], Handler] = {
    ("GET", "/v1/account"): account.overview,
    ("GET", "/v1/account/info"): account.information,
    ("GET", "/v1/account/margin"): account.margins,
    ("GET", "/v1/balance"): account.balances,
    ("GET", "/v1/fills"): account.fills,
    ("GET", "/v1/funding/payments"): account.funding_payments,
    ("GET", "/v1/liquidations"): account.nothing,
    ("GET", "/v1/orders"): account.find_all,
    ("GET", "/v1/orders-history"): account.history,
    ("GET", "/v1/orders/by_client_id/*"): account.find_by_client_id,
    ("GET", "/v1/orders/*"): account.find,
    ("GET", "/v1/positions"): account.positions,
    ("GET", "/v1/transfers"): account.nothing,
}
ORDERS: dict[tuple[str, str], Handler] = {
    ("POST", "/v1/orders"): account.place,
    ("POST", "/v1/orders/batch"): account.place_many,
    ("PUT", "/v1/orders/*"): account.modify,
    ("DELETE", "/v1/orders"): account.cancel_all,
    ("DELETE", "/v1/orders/batch"): account.cancel_many,
    ("DELETE", "/v1/orders/by_client_id/*"): account.cancel_by_client_id,
    ("DELETE", "/v1/orders/*"): account.cancel,
}
COUNTED_BY_TRADING: frozenset[Handler] = frozenset({account.place, account.place_many})
STATUSES: dict[Handler, int] = {
    account.place: 201,
    account.place_many: 201,
    account.cancel: 204,
    account.cancel_by_client_id: 204,
}


class Rest:
    """Answers one request at a time, at once."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def answer(self, request: HttpRequest, now_ns: int) -> HttpResponse:
        try:
            return self._handle(request, now_ns)
        except ApiRefusal as refusal:
            return refusal.response()

    def _handle(self, request: HttpRequest, now_ns: int) -> HttpResponse:
        path, _, query = request.target.partition("?")
        parameters = dict(parse_qsl(query, keep_blank_values=True))
        key, part = _route(request.method, path)
        door = self._venue.door
        if key in PUBLIC:
            door.count_public(now_ns)
            handler, caller = PUBLIC[key], None
        else:
            caller = door.bearer(request, now_ns)
            handler = (READS | ORDERS)[key]
            if key in READS:
                door.count_read(caller, now_ns)
            elif handler not in COUNTED_BY_TRADING:
                door.count_order(caller, now_ns)
        result = handler(Call(self._venue, request, part, parameters, now_ns, caller))
        return answer(STATUSES.get(handler, 200), result)


def _route(method: str, path: str) -> tuple[tuple[str, str], str]:
    """The route of a path and its last piece, where that names a thing."""
    path = path.rstrip("/")
    front, _, last = path.rpartition("/")
    for key, part in (((method, path), ""), ((method, f"{front}/*"), unquote(last))):
        if key in PUBLIC or key in READS or key in ORDERS:
            return key, part
    raise ApiRefusal(404, "NOT_FOUND", f"no such path: {path}")
