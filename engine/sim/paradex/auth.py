"""Who may come in: onboarding, logins for a signature, tokens for everything else, and how often."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from engine.clock import NS_PER_MS, NS_PER_S
from engine.exchanges.messages import HttpRequest
from engine.exchanges.paradex.chains import TESTNET
from engine.exchanges.paradex.keys import account_address
from engine.exchanges.paradex.signing import Verifier, login_struct, onboarding_struct
from engine.model.value import Value
from engine.sim.paradex import tokens
from engine.sim.paradex.errors import ApiRefusal, unauthorised
from engine.sim.paradex.limits import Limit, Limits
from engine.sim.paradex.state import Member, ParadexState
from engine.sim.paradex.tokens import Claims

WEEK_S = 7 * 24 * 3_600
TIMESTAMPS_KEPT = 10_000


class Caller(Value, frozen=True, kw_only=True):
    """Who sends a request: the account's name, its address, and whether its token has a speed bump."""

    account: str
    address: int
    is_interactive: bool = False


class Door:
    """Lets callers in."""

    def __init__(self, state: ParadexState) -> None:
        self._state = state
        self._limits = Limits()
        self._verifiers: dict[int, Verifier] = {}
        self._timestamps: dict[int, deque[int]] = {}
        settings = state.settings
        self._public = Limit(name="public", count=settings.public_per_minute, window_s=60)
        self._reads = Limit(name="reads", count=settings.private_reads_per_minute, window_s=60)
        self._orders = Limit(name="orders", count=settings.orders_per_second, window_s=1)

    # Coming in -----------------------------------------------------------------------------------------

    def login(self, request: HttpRequest, public_key: str | None, usage: str, now_ns: int) -> str:
        """POST /auth: a token for a good signature."""
        headers = _headers(request)
        member = self._member(headers)
        timestamp_s = _number(headers, "paradex-timestamp")
        expiration_s = _number(headers, "paradex-signature-expiration")
        now_s = now_ns // NS_PER_S
        if expiration_s > timestamp_s + WEEK_S or now_s >= expiration_s:
            raise ApiRefusal(400, "INVALID_SIGNATURE_EXPIRATION", "signature expiration is out of range")
        if timestamp_s * 1_000 > now_ns // NS_PER_MS + self._state.settings.future_tolerance_ms:
            raise ApiRefusal(400, "INVALID_TIMESTAMP", "timestamp lies in the future")
        keys = [key for key in member.keys if public_key is None or hex(key) == public_key.lower()]
        struct = login_struct(timestamp_s, expiration_s)
        if not self._is_signed(member.address, keys, struct, headers.get("paradex-starknet-signature", "")):
            raise ApiRefusal(401, "STARKNET_SIGNATURE_VERIFICATION_FAILED", "signature verification failed")
        claims = Claims(
            exp=now_s + self._state.settings.token_lifetime_s, iat=now_s, sub=hex(member.address), usage=usage
        )
        return tokens.issue(claims)

    def onboard(self, request: HttpRequest, public_key: int) -> None:
        """POST /onboarding: make an account known; a known one stays as it is."""
        headers = _headers(request)
        try:
            address = int(headers.get("paradex-starknet-account", ""), 16)
        except ValueError:
            raise ApiRefusal(400, "VALIDATION_ERROR", "invalid starknet account") from None
        signature = headers.get("paradex-starknet-signature", "")
        if address != account_address(public_key, TESTNET) or not self._is_signed(
            address, [public_key], onboarding_struct(), signature
        ):
            raise ApiRefusal(401, "STARKNET_SIGNATURE_VERIFICATION_FAILED", "signature verification failed")
        if address not in self._state.members:
            name = hex(address)
            self._state.members[address] = Member(name, address, [public_key])
            self._state.exchange.open_account(name, {})

    def caller(self, token: str, now_ns: int) -> Caller:
        """Whom a token lets in."""
        claims = tokens.read(token, now_ns)
        member = self._state.members.get(int(claims.sub, 16))
        if member is None:
            raise unauthorised("invalid or expired jwt")
        return Caller(account=member.name, address=member.address, is_interactive=claims.usage == "interactive")

    def bearer(self, request: HttpRequest, now_ns: int) -> Caller:
        """Whom a request's token lets in."""
        scheme, _, token = _headers(request).get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise unauthorised("missing or malformed jwt")
        return self.caller(token, now_ns)

    # Signatures and counts -----------------------------------------------------------------------------

    def check_order(self, caller: Caller, struct: int, signature: str, timestamp_ms: int) -> None:
        """An order must be signed by a key of the account, and once only where the settings say so."""
        member = self._state.members[caller.address]
        if not self._is_signed(member.address, member.keys, struct, signature):
            raise ApiRefusal(400, "INVALID_ORDER_SIGNATURE", "order signature verification failed")
        if self._state.settings.refuses_reused_timestamps:
            seen = self._timestamps.setdefault(member.address, deque(maxlen=TIMESTAMPS_KEPT))
            if timestamp_ms in seen:
                raise ApiRefusal(400, "INVALID_TIMESTAMP", "signature timestamp was used before")
            seen.append(timestamp_ms)

    def count_public(self, now_ns: int) -> None:
        self._limits.take(self._public, "", now_ns)

    def count_read(self, caller: Caller, now_ns: int) -> None:
        self._limits.take(self._reads, caller.account, now_ns)

    def count_order(self, caller: Caller, now_ns: int) -> None:
        self._limits.take(self._orders, caller.account, now_ns)

    def _member(self, headers: Mapping[str, str]) -> Member:
        try:
            address = int(headers.get("paradex-starknet-account", ""), 16)
        except ValueError:
            raise ApiRefusal(400, "VALIDATION_ERROR", "invalid starknet account") from None
        if address not in self._state.members:
            raise ApiRefusal(400, "NOT_ONBOARDED", "User has never called /onboarding endpoint")
        return self._state.members[address]

    def _is_signed(self, address: int, keys: list[int], struct: int, signature: str) -> bool:
        verifier = self._verifiers.get(address)
        if verifier is None:
            verifier = self._verifiers[address] = Verifier(address, TESTNET)
        return any(verifier.accepts(key, struct, signature) for key in keys)


def _headers(request: HttpRequest) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers}


def _number(headers: Mapping[str, str], name: str) -> int:
    text = headers.get(name, "")
    if not text.isdecimal() or len(text) > 18:
        raise ApiRefusal(400, "VALIDATION_ERROR", f"invalid header {name}")
    return int(text)
