"""Who sent a request, and whether it may be answered now: signature, nonce or timestamp.

The signature covers the text as it came; an older official client signs before percent-encoding, so a text that
does not fit is tried decoded. Unknown parameters are tolerated.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from urllib.parse import unquote

from engine.clock import NS_PER_MS, NS_PER_US
from engine.exchanges.aster.apis import MAINNET_CHAIN
from engine.exchanges.aster.signing import API_KEY_HEADER, hmac_hex, recovered_address
from engine.exchanges.messages import HttpRequest
from engine.sim.aster.errors import ApiRefusal, bad_signature, missing
from engine.sim.aster.state import AsterState

HMAC_AHEAD_MS, HMAC_WINDOW_MS, HMAC_WINDOW_MOST_MS = 1_000, 5_000, 60_000


class Gate:
    """Checks signed requests. `parameters` are query and form together, as decoded."""

    def __init__(self, state: AsterState) -> None:
        self._state = state
        self._nonces: dict[str, list[int]] = defaultdict(list)

    def wallet_account(self, request: HttpRequest, parameters: dict[str, str], now_ns: int) -> str:
        """The account an EIP-712 request speaks for; raises ApiRefusal."""
        for name in ("nonce", "signer", "signature"):
            if not parameters.get(name):
                raise missing(name)
        signer, user = parameters["signer"].lower(), parameters.get("user", parameters["signer"]).lower()
        text = _sent_text(request).partition("&signature=")[0]
        signature, readings = parameters["signature"], dict.fromkeys((text, unquote(text)))
        if not any(recovered_address(said, signature, MAINNET_CHAIN) == signer for said in readings):
            raise bad_signature()
        account = self._state.users.get(signer)
        if account is None or self._state.users.get(user) != account:
            raise ApiRefusal(-1002, "No agent found")
        self._use_nonce(account, parameters["nonce"], now_ns)
        return account

    def hmac_account(self, request: HttpRequest, parameters: dict[str, str], now_ns: int) -> str:
        """The account an HMAC request speaks for; raises ApiRefusal."""
        account, secret = self._key(request)
        query = request.target.partition("?")[2]
        body = request.body.decode(errors="replace")
        signature = parameters.get("signature")
        if not signature:
            raise missing("signature")
        signed = _without_signature(query) + _without_signature(body)
        if not hmac.compare_digest(hmac_hex(secret, signed).encode(), signature.lower().encode()):
            raise bad_signature()
        self._check_timestamp(parameters, now_ns)
        return account

    def key_account(self, request: HttpRequest) -> str:
        """The account whose key stands in the header: all that v1 asks for listenKeys."""
        return self._key(request)[0]

    def _key(self, request: HttpRequest) -> tuple[str, bytes]:
        headers = {name.lower(): value for name, value in request.headers}
        known = self._state.api_secrets.get(headers.get(API_KEY_HEADER.lower(), ""))
        if known is None:
            raise ApiRefusal(-2015, "Invalid API-key, IP, or permissions for action.", status=401)
        return known

    def _use_nonce(self, account: str, text: str, now_ns: int) -> None:
        """The last nonces are remembered; one that is older than all of a full list counts as expired."""
        settings, used = self._state.settings, self._nonces[account]
        nonce = int(text) if text.isdecimal() else 0
        if abs(nonce * NS_PER_US - now_ns) > settings.nonce_window_ms * NS_PER_MS:
            raise ApiRefusal(-4225, "Nonce Expired")
        if nonce in used:
            raise ApiRefusal(settings.duplicate_nonce_code, "Nonce Duplicated")
        if len(used) >= settings.nonces_kept:
            if nonce < min(used):
                raise ApiRefusal(-4225, "Nonce Expired")
            used.remove(min(used))
        used.append(nonce)

    @staticmethod
    def _check_timestamp(parameters: dict[str, str], now_ns: int) -> None:
        timestamp, window = parameters.get("timestamp", ""), parameters.get("recvWindow", str(HMAC_WINDOW_MS))
        if not timestamp.isdecimal() or not window.isdecimal():
            raise missing("timestamp")
        now_ms, sent_ms = now_ns // NS_PER_MS, int(timestamp)
        if sent_ms >= now_ms + HMAC_AHEAD_MS or now_ms - sent_ms > min(int(window), HMAC_WINDOW_MOST_MS):
            raise ApiRefusal(-1021, "Timestamp for this request is outside of the recvWindow.")


def _sent_text(request: HttpRequest) -> str:
    """The parameters as they came: in the body, or all in the query."""
    return request.body.decode(errors="replace") or request.target.partition("?")[2]


def _without_signature(text: str) -> str:
    """A v1 signature comes last, in query or body."""
    return "" if text.startswith("signature=") else text.partition("&signature=")[0]
