"""Where Lighter tells the next nonce of an API key: each transaction carries one more than the last that was taken.

A transaction the API refuses leaves its nonce unused; one it accepts has used it, but for a few the sequencer drops
later. So after any doubt the number is asked for again, which is the session's business.
"""

from __future__ import annotations

import msgspec

from engine.errors import ProtocolError
from engine.exchanges.interface import Context
from engine.exchanges.lighter.refusals import is_success, public_failure
from engine.exchanges.lighter.wire import NextNonce
from engine.exchanges.messages import HttpRequest, HttpResponse

_DECODER = msgspec.json.Decoder(NextNonce)


class KeyNonces:
    """See `engine.exchanges.interface.NonceSource`."""

    def __init__(self, account_index: int, api_key_index: int) -> None:
        query = f"account_index={account_index}&api_key_index={api_key_index}"
        self._request = HttpRequest(method="GET", target=f"/api/v1/nextNonce?{query}")

    def request(self, _context: Context) -> HttpRequest:
        return self._request

    def decode(self, response: HttpResponse) -> int:
        """The next nonce; raises a VenueError."""
        if not is_success(response):
            raise public_failure(response)
        try:
            nonce = _DECODER.decode(response.body).nonce
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ProtocolError(f"Lighter's nonce makes no sense: {error}") from error
        if nonce < 0:
            raise ProtocolError(f"Lighter's nonce makes no sense: {nonce}")
        return nonce
