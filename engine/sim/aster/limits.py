"""Aster's rate limits: weight and orders, counted in calendar windows and told in headers. Counted per account,
because everybody on one machine has the same address. Who goes on long after a 429 is banned for the minute (418).
"""

from __future__ import annotations

from engine.clock import NS_PER_S
from engine.sim.aster.errors import ApiRefusal
from engine.sim.aster.settings import AsterSettings

MINUTE_NS, TEN_SECONDS_NS = 60 * NS_PER_S, 10 * NS_PER_S
BAN_FACTOR = 2
HEAVY_ROUTES = {
    "/allOrders": 5,
    "/userTrades": 5,
    "/positionRisk": 5,
    "/balance": 5,
    "/account": 5,
    "/accountWithJoinMargin": 5,
    "/batchOrders": 5,
    "/income": 30,
    "/commissionRate": 20,
    "/countdownCancelAll": 10,
}
Headers = tuple[tuple[str, str], ...]


class Limits:
    """Counts of every account; a window's counts are forgotten with it."""

    def __init__(self, settings: AsterSettings) -> None:
        self._settings = settings
        self._counts: dict[tuple[str, str], tuple[int, int]] = {}

    def count(self, account: str, route: str, orders: int, now_ns: int) -> Headers:
        """Count a request; gives the headers of its answer. Raises ApiRefusal when it is one too many."""
        settings = self._settings
        weight = self._add(account, "weight", HEAVY_ROUTES.get(route, 1), MINUTE_NS, now_ns)
        placed = self._add(account, "orders", orders, MINUTE_NS, now_ns)
        burst = self._add(account, "burst", orders, TEN_SECONDS_NS, now_ns)
        if weight > settings.weight_per_minute * BAN_FACTOR:
            raise ApiRefusal(-1003, "Way too many requests; IP banned until the minute ends.", status=418)
        if weight > settings.weight_per_minute:
            raise ApiRefusal(-1003, "Too many requests.", status=429)
        if placed > settings.orders_per_minute or burst > settings.orders_per_10_s:
            raise ApiRefusal(-1015, "Too many new orders.", status=429)
        return (("x-mbx-used-weight-1m", str(weight)), ("x-mbx-order-count-1m", str(placed)))

    def _add(self, account: str, what: str, number: int, width_ns: int, now_ns: int) -> int:
        window = now_ns // width_ns
        counted, so_far = self._counts.get((account, what), (window, 0))
        total = number + (so_far if counted == window else 0)
        self._counts[account, what] = (window, total)
        return total
