"""How Paradex lends its JWT: for five minutes, never prolonged, so a renewal is another login ahead of time."""

from __future__ import annotations

from base64 import urlsafe_b64decode

import msgspec

from engine.clock import NS_PER_S
from engine.errors import ProtocolError
from engine.exchanges.interface import Access, Context
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.exchanges.paradex.refusals import plain_failure
from engine.exchanges.paradex.signing import Signer
from engine.exchanges.paradex.wire import Jwt, WireObject

SIGNATURE_LIFETIME_S = 1_800
"""How long the login's signature is good; the token it gives lives much shorter."""
TOKEN_LIFETIME_S = 300
RENEWED_AFTER = 0.6
"""The part of its life after which a token is replaced: three minutes of five."""

_JWT = msgspec.json.Decoder(Jwt)


class _Claims(WireObject, frozen=True, kw_only=True):
    """{"exp":1681493715,"iat":1681493415,"iss":"Paradex","sub":"0x…"}: the middle part of a token."""

    exp: int
    iat: int


_CLAIMS = msgspec.json.Decoder(_Claims)


class ParadexGate:
    """See `engine.exchanges.interface.Gate`."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def login(self, context: Context) -> HttpRequest:
        return self._signer.login(context.now_ns // NS_PER_S, SIGNATURE_LIFETIME_S)

    def renewal(self, _access: Access, context: Context) -> HttpRequest:
        return self.login(context)

    def decode(self, response: HttpResponse, *, at_ns: int) -> Access:
        """The token of a login. Its length of life is its own word, counted from when we got it."""
        if not 200 <= response.status < 300:
            raise plain_failure(response)
        try:
            token = _JWT.decode(response.body).jwt_token
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise ProtocolError(f"Paradex's answer to a login makes no sense: {error}") from error
        lifetime_ns = _lifetime_s(token) * NS_PER_S
        return Access(
            token=token, renew_ns=at_ns + int(lifetime_ns * RENEWED_AFTER), expires_ns=at_ns + lifetime_ns
        )


def _lifetime_s(token: str) -> int:
    """What the token says of itself; one that says nothing, or something odd, lives as documented."""
    try:
        _, middle, _ = token.split(".")
        claims = _CLAIMS.decode(urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return TOKEN_LIFETIME_S
    lifetime_s = claims.exp - claims.iat
    return lifetime_s if 0 < lifetime_s < TOKEN_LIFETIME_S else TOKEN_LIFETIME_S
