"""The listenKey: a token that names the account's own stream. POST gives the key the account has, or a new one, and
prolongs it; PUT prolongs it; DELETE would take it from every other process of the account, so it is never sent.
(User data streams: keys live sixty minutes.)
"""

from __future__ import annotations

import msgspec

from engine.clock import NS_PER_S
from engine.errors import ProtocolError
from engine.exchanges.aster.encode import Encoder
from engine.exchanges.aster.refusals import request_failure
from engine.exchanges.aster.wire import ListenKey
from engine.exchanges.interface import Access, Context
from engine.exchanges.messages import HttpRequest, HttpResponse

LIFETIME_NS = 3_600 * NS_PER_S
RENEW_AFTER_NS = LIFETIME_NS // 2
"""Early enough for many more attempts, should one fail."""

_DECODER = msgspec.json.Decoder(ListenKey)


class ListenKeyGate:
    """See `engine.exchanges.interface.Gate`."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._renewed = ""

    def login(self, context: Context) -> HttpRequest:
        return self._encoder.private("POST", "/listenKey", "", context)

    def renewal(self, access: Access, context: Context) -> HttpRequest:
        """The key goes along although perps need no parameter: spot's documentation wants it."""
        self._renewed = access.token
        return self._encoder.private("PUT", "/listenKey", f"listenKey={access.token}", context)

    def decode(self, response: HttpResponse, *, at_ns: int) -> Access:
        """A renewal's answer may be empty: then the key is the one that was renewed."""
        if not 200 <= response.status < 300:
            raise request_failure(response, "a request for a listenKey")
        try:
            said = _DECODER.decode(response.body or b"{}").listen_key
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
            raise ProtocolError(f"Aster's listenKey makes no sense: {error}") from error
        token = said if isinstance(said, str) else self._renewed
        if not token:
            raise ProtocolError("Aster gave no listenKey")
        return Access(token=token, renew_ns=at_ns + RENEW_AFTER_NS, expires_ns=at_ns + LIFETIME_NS)
