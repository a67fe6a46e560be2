"""The JWTs of the simulated venue: signed by it alone, good for a while, not kept anywhere."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from engine.clock import NS_PER_S
from engine.exchanges.paradex.wire import WireObject
from engine.sim.paradex.errors import unauthorised

_SECRET = b"a simulated venue has nothing to hide"
_HEADER = b'{"alg":"ES384","typ":"JWT"}'
"""The algorithm clients expect to read; nobody but the venue can check the signature anyway."""


class Claims(WireObject, frozen=True, kw_only=True):
    """`usage` is `interactive` for tokens with a speed bump."""

    exp: int
    iat: int
    iss: str = "Paradex"
    sub: str
    usage: str = ""


def issue(claims: Claims) -> str:
    signed = f"{_text(_HEADER)}.{_text(msgspec.json.encode(claims))}"
    return f"{signed}.{_text(_signature(signed))}"


def read(token: str, now_ns: int) -> Claims:
    """What a token says; refused when it is malformed, not ours, or over."""
    signed, _, signature = token.rpartition(".")
    try:
        claims = msgspec.json.decode(_bytes(signed.partition(".")[2]), type=Claims)
        is_ours = hmac.compare_digest(_bytes(signature), _signature(signed))
    except (msgspec.MsgspecError, ValueError):
        raise unauthorised("missing or malformed jwt") from None
    if not is_ours:
        raise unauthorised("invalid or expired jwt")
    if now_ns >= claims.exp * NS_PER_S:
        raise unauthorised("token is expired: invalid or expired jwt")
    return claims


def _signature(signed: str) -> bytes:
    return hmac.digest(_SECRET, signed.encode(), hashlib.sha256)


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
