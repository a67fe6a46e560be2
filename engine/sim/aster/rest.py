"""The table of Aster's REST routes, and how one request passes: path, signature, limits, handler, answer.

Both generations of an API share their handlers: v3 is signed by wallets, all others by HMAC.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qsl

import msgspec

from engine.exchanges.aster.apis import PREFIXES
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.model.instrument import MarketKind
from engine.sim.aster import account, countdown, public, trading
from engine.sim.aster.auth import Gate
from engine.sim.aster.calls import Call
from engine.sim.aster.errors import JSON_TYPE, ApiRefusal, not_simulated
from engine.sim.aster.limits import Limits
from engine.sim.aster.state import AsterState

Handler = Callable[[Call], object]
Routes = dict[tuple[str, str], Handler]

PUBLIC: Routes = {
    ("GET", "/ping"): public.ping,
    ("GET", "/time"): public.time,
    ("GET", "/exchangeInfo"): public.markets,
    ("GET", "/depth"): public.depth,
    ("GET", "/trades"): public.trades,
    ("GET", "/aggTrades"): public.aggregate_trades,
    ("GET", "/klines"): public.klines,
    ("GET", "/ticker/24hr"): public.day_tickers,
    ("GET", "/ticker/price"): public.prices,
    ("GET", "/ticker/bookTicker"): public.book_tickers,
}
PUBLIC_PERP: Routes = {
    ("GET", "/premiumIndex"): public.premium_index,
    ("GET", "/fundingInfo"): public.funding_info,
    ("GET", "/fundingRate"): public.funding_rates,
}
PRIVATE: Routes = {
    ("POST", "/order"): trading.place,
    ("GET", "/order"): trading.find,
    ("DELETE", "/order"): trading.cancel,
    ("GET", "/openOrder"): trading.find_open,
    ("GET", "/openOrders"): trading.find_all_open,
    ("GET", "/allOrders"): trading.find_all,
    ("DELETE", "/allOpenOrders"): trading.cancel_all,
    ("GET", "/userTrades"): account.trades,
    ("GET", "/commissionRate"): account.commission_rate,
    ("POST", "/listenKey"): account.open_listen_key,
    ("PUT", "/listenKey"): account.keep_listen_key,
    ("DELETE", "/listenKey"): account.close_listen_key,
}
PRIVATE_PERP: Routes = {
    ("PUT", "/order"): trading.amend,
    ("POST", "/batchOrders"): trading.place_many,
    ("DELETE", "/batchOrders"): trading.cancel_many,
    ("POST", "/countdownCancelAll"): countdown.set_countdown,
    ("GET", "/balance"): account.futures_balances,
    ("GET", "/account"): account.futures_account,
    ("GET", "/accountWithJoinMargin"): account.futures_account,
    ("GET", "/positionRisk"): account.positions,
    ("GET", "/positionSide/dual"): account.position_mode,
    ("GET", "/positionMargin/history"): account.nothing,
    ("GET", "/income"): account.income,
    ("GET", "/leverageBracket"): account.leverage_brackets,
    ("POST", "/leverage"): account.set_leverage,
    ("POST", "/marginType"): account.set_margin_type,
    ("GET", "/builder"): account.nothing,
}
PRIVATE_SPOT: Routes = {("GET", "/account"): account.spot_account}
ORDERS_PLACED = {("POST", "/order"): 1, ("PUT", "/order"): 1, ("POST", "/batchOrders"): trading.BATCH_MOST}
_VERSIONED = re.compile(r"/v([1-4])(/.+)")


class Rest:
    """Answers one request at a time."""

    def __init__(self, state: AsterState) -> None:
        self._state = state
        self._gate = Gate(state)
        self._limits = Limits(state.settings)
        self._prefix = PREFIXES[state.kind]
        is_perp = state.kind is MarketKind.PERP
        self._public = PUBLIC | (PUBLIC_PERP if is_perp else {})
        self._private = PRIVATE | (PRIVATE_PERP if is_perp else PRIVATE_SPOT)

    def answer(self, request: HttpRequest, now_ns: int) -> HttpResponse:
        try:
            return self._handle(request, now_ns)
        except ApiRefusal as refusal:
            return refusal.response()

    def _handle(self, request: HttpRequest, now_ns: int) -> HttpResponse:
        path, _, query = request.target.partition("?")
        found = _VERSIONED.fullmatch(path.removeprefix(self._prefix)) if path.startswith(self._prefix) else None
        if found is None:
            raise ApiRefusal(-1130, "no such path", status=404)
        key = (request.method, found[2])
        parameters = dict(parse_qsl(query, keep_blank_values=True))
        parameters |= dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
        if key in self._public:
            return _ok(self._public[key](Call(self._state, "", parameters, now_ns)), ())
        if key not in self._private:
            raise not_simulated(f"{request.method} {path}")
        name = self._account(request, found[1], key, parameters, now_ns)
        headers = self._limits.count(name, key[1], ORDERS_PLACED.get(key, 0), now_ns)
        return _ok(self._private[key](Call(self._state, name, parameters, now_ns)), headers)

    def _account(
        self, request: HttpRequest, generation: str, key: tuple[str, str], parameters: dict[str, str], now_ns: int
    ) -> str:
        if generation == "3":
            return self._gate.wallet_account(request, parameters, now_ns)
        if key[1] == "/listenKey":
            return self._gate.key_account(request)
        return self._gate.hmac_account(request, parameters, now_ns)


def _ok(payload: object, headers: tuple[tuple[str, str], ...]) -> HttpResponse:
    return HttpResponse(status=200, headers=(JSON_TYPE, *headers), body=msgspec.json.encode(payload))
