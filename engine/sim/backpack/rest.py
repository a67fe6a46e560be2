"""The table of Backpack's REST routes, and how one request passes: path, signature, handler, answer.

A path that is in `signing.INSTRUCTIONS` is signed; all others are public.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

from engine.exchanges.backpack.signing import INSTRUCTIONS
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.sim.backpack import account, public, trading
from engine.sim.backpack.auth import Gate
from engine.sim.backpack.calls import Call, Later, ok
from engine.sim.backpack.errors import ApiRefusal, not_simulated, unknown_path
from engine.sim.backpack.state import BackpackState
from engine.sim.schedule import Schedule

Handler = Callable[[Call], object]

ROUTES: dict[tuple[str, str], Handler] = {
    ("GET", "/api/v1/assets"): public.assets,
    ("GET", "/api/v1/borrowLend/markets"): public.nothing,
    ("GET", "/api/v1/collateral"): public.collateral_parameters,
    ("GET", "/api/v1/depth"): public.depth,
    ("GET", "/api/v1/fundingRates"): public.funding_rates,
    ("GET", "/api/v1/klines"): public.klines,
    ("GET", "/api/v1/markPrices"): public.mark_prices,
    ("GET", "/api/v1/market"): public.market,
    ("GET", "/api/v1/markets"): public.markets,
    ("GET", "/api/v1/openInterest"): public.open_interest,
    ("GET", "/api/v1/ping"): public.ping,
    ("GET", "/api/v1/status"): public.status,
    ("GET", "/api/v1/ticker"): public.ticker,
    ("GET", "/api/v1/tickers"): public.tickers,
    ("GET", "/api/v1/time"): public.time,
    ("GET", "/api/v1/trades"): public.trades,
    ("GET", "/api/v1/trades/history"): public.trades,
    ("GET", "/api/v1/account"): account.settings,
    ("PATCH", "/api/v1/account"): account.change_settings,
    ("GET", "/api/v1/account/limits/order"): account.order_limit,
    ("GET", "/api/v1/borrowLend/positions"): account.nothing,
    ("GET", "/api/v1/capital"): account.balances,
    ("GET", "/api/v1/capital/collateral"): account.collateral,
    ("DELETE", "/api/v1/order"): trading.cancel,
    ("GET", "/api/v1/order"): trading.find,
    ("POST", "/api/v1/order"): trading.place,
    ("DELETE", "/api/v1/orders"): trading.cancel_all,
    ("GET", "/api/v1/orders"): trading.find_all,
    ("POST", "/api/v1/orders"): trading.place_many,
    ("GET", "/api/v1/position"): account.positions,
    ("GET", "/wapi/v1/capital/deposit/address"): account.deposit_address,
    ("GET", "/wapi/v1/capital/deposits"): account.nothing,
    ("GET", "/wapi/v1/capital/withdrawals"): account.nothing,
    ("POST", "/wapi/v1/capital/withdrawals"): account.withdraw,
    ("GET", "/wapi/v1/history/borrowLend"): account.nothing,
    ("GET", "/wapi/v1/history/dust"): account.nothing,
    ("GET", "/wapi/v1/history/fills"): account.fills,
    ("GET", "/wapi/v1/history/funding"): account.funding,
    ("GET", "/wapi/v1/history/interest"): account.nothing,
    ("GET", "/wapi/v1/history/orders"): account.orders,
    ("GET", "/wapi/v1/history/position"): account.nothing,
    ("GET", "/wapi/v1/history/settlement"): account.nothing,
}


class Rest:
    """Answers one request at a time."""

    def __init__(self, state: BackpackState, gate: Gate, schedule: Schedule) -> None:
        self._state = state
        self._gate = gate
        self._schedule = schedule

    def answer(self, request: HttpRequest, now_ns: int, reply: Callable[[HttpResponse], None]) -> None:
        """Call `reply` once, now or when the venue gets to it."""
        self._finish(lambda _: self._handle(request, now_ns), now_ns, reply)

    def _finish(self, work: Callable[[int], object], now_ns: int, reply: Callable[[HttpResponse], None]) -> None:
        try:
            result = work(now_ns)
        except ApiRefusal as refusal:
            reply(refusal.response())
            return
        if isinstance(result, Later):
            finish = result.finish
            self._schedule.at(result.at_ns, lambda at_ns: self._finish(finish, at_ns, reply))
        else:
            reply(ok(result))

    def _handle(self, request: HttpRequest, now_ns: int) -> object:
        path, _, query = request.target.partition("?")
        key = (request.method, path)
        if key not in ROUTES and key not in INSTRUCTIONS:
            raise unknown_path()
        name = self._gate.account_of(request, now_ns) if key in INSTRUCTIONS else ""
        if key not in ROUTES:
            raise not_simulated(INSTRUCTIONS[key])
        parameters = dict(parse_qsl(query, keep_blank_values=True))
        return ROUTES[key](Call(self._state, name, parameters, request.body, now_ns, self._schedule))
