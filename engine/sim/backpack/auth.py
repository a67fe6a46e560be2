"""Who sent a request, and whether it may be answered now: key, signature, window, rate limit."""

from __future__ import annotations

from engine.clock import NS_PER_MS, NS_PER_S
from engine.exchanges.backpack.signing import claims, verify_request, verify_subscription
from engine.exchanges.messages import HttpRequest
from engine.sim.backpack.errors import ApiRefusal, invalid_request, too_many_requests
from engine.sim.backpack.state import BackpackState

MINUTE_NS = 60 * NS_PER_S


class Gate:
    """Checks signed requests and private subscriptions. Requests are counted per account and calendar minute."""

    def __init__(self, state: BackpackState) -> None:
        self._state = state
        self._counts: dict[str, tuple[int, int]] = {}

    def account_of(self, request: HttpRequest, now_ns: int) -> str:
        """The account a signed request speaks for; raises ApiRefusal."""
        said = claims(request)
        if said is None:
            raise invalid_request("Missing or invalid authentication headers")
        account = self._account(said.api_key)
        self._check_window(said.timestamp_ms, said.window_ms, now_ns)
        if not verify_request(request):
            raise invalid_request("Invalid signature")
        self._count(account, now_ns)
        return account

    def subscriber(self, signature: tuple[str, ...], now_ns: int) -> str:
        """The account a private subscription speaks for; raises ApiRefusal."""
        try:
            api_key, _, timestamp, window = signature
            timestamp_ms, window_ms = int(timestamp), int(window)
        except ValueError:
            raise invalid_request("Invalid signature") from None
        account = self._account(api_key)
        self._check_window(timestamp_ms, window_ms, now_ns)
        if not verify_subscription(signature):
            raise invalid_request("Invalid signature")
        return account

    def _account(self, api_key: str) -> str:
        account = self._state.accounts_by_key.get(api_key)
        if account is None:
            raise ApiRefusal(401, "UNAUTHORIZED", "Unauthorized")
        return account

    def _check_window(self, timestamp_ms: int, window_ms: int, now_ns: int) -> None:
        now_ms, settings = now_ns // NS_PER_MS, self._state.settings
        if not 0 < window_ms <= settings.window_max_ms:
            raise invalid_request(f"Invalid window, must be between 1 and {settings.window_max_ms}")
        if now_ms > timestamp_ms + window_ms:
            raise invalid_request("Request has expired")
        if timestamp_ms > now_ms + settings.future_tolerance_ms:
            raise invalid_request("Request has expired")

    def _count(self, account: str, now_ns: int) -> None:
        minute = now_ns // MINUTE_NS
        counted_minute, count = self._counts.get(account, (minute, 0))
        count = count + 1 if counted_minute == minute else 1
        self._counts[account] = (minute, count)
        if count > self._state.settings.requests_per_minute:
            raise too_many_requests()
