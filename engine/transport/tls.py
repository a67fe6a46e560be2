"""The one TLS context of a process: loading the trust store is the dearest single step of starting an engine."""

from __future__ import annotations

import ssl
from functools import cache


@cache
def client_context() -> ssl.SSLContext:
    """Verifies certificates and host names; made when the first `https` or `wss` address is dialled."""
    return ssl.create_default_context()
