"""A way to venues through an HTTP, HTTPS or SOCKS5 proxy. Used by `http` and `websocket`; its address is a secret.

Every connection is tunnelled (CONNECT, also for plain http), so a proxy sees hosts and never requests. Loopback is
dialled directly: a simulated venue is no business of a proxy.
"""

from __future__ import annotations

import socket
import ssl
from hashlib import sha256
from ipaddress import ip_address
from urllib.parse import urlsplit

from engine.errors import ConfigInvalid
from engine.transport.bridge import bridge
from engine.transport.tls import client_context

SCHEMES = ("http", "https", "socks5", "socks5h")
"""A name is looked up by the proxy in any case; `https` speaks TLS to the proxy itself."""


class Proxy:
    """`loopback_too` is for tests, whose proxies and venues all live there."""

    def __init__(self, url: str, *, loopback_too: bool = False) -> None:
        try:
            parts = urlsplit(url)
            is_usable = parts.scheme in SCHEMES and bool(parts.hostname) and bool(parts.port)
        except ValueError:
            is_usable = False
        if not is_usable:
            raise ConfigInvalid(
                "the proxy's address cannot be used", hint="http://USER:PASSWORD@HOST:PORT, https://… or socks5://…"
            )
        self._url = url.replace("socks5h:", "socks5:", 1)
        self._loopback_too = loopback_too

    def __repr__(self) -> str:
        return "Proxy(***)"

    @property
    def digest(self) -> str:
        """Tells one proxy from another without telling which it is; logins do not count."""
        parts = urlsplit(self._url)
        return sha256(f"{parts.hostname}:{parts.port}".encode()).hexdigest()[:16]

    def is_for(self, host: str) -> bool:
        """Whether this host is reached through the proxy."""
        return self._loopback_too or not _is_loopback(host)

    async def tunnel(self, host: str, port: int) -> socket.socket:
        """A connected socket to the host; OSError, without the proxy's address in it, when there is none."""
        # Imported here: most bots have no proxy, and the package starts slowly.
        from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError

        try:
            return await (self._over_tls if self._url.startswith("https:") else self._plainly)(host, port)
        except ssl.SSLError as error:
            raise OSError("the proxy cannot prove its name: its certificate is not trusted") from error
        except ProxyConnectionError as error:
            raise OSError("the proxy cannot be reached") from error
        except ProxyTimeoutError as error:
            raise OSError("the proxy does not answer") from error
        except ProxyError as error:
            raise OSError(f"the proxy refused: {_reason(error)}") from error

    async def _plainly(self, host: str, port: int) -> socket.socket:
        from python_socks.async_.asyncio import Proxy as Client

        return await Client.from_url(self._url, rdns=True).connect(dest_host=host, dest_port=port)

    async def _over_tls(self, host: str, port: int) -> socket.socket:
        from python_socks.async_.asyncio.v2 import Proxy as Client

        url = self._url.replace("https:", "http:", 1)
        client = Client.from_url(url, rdns=True, proxy_ssl=client_context())
        stream = await client.connect(dest_host=host, dest_port=port)
        return await bridge(stream.reader, stream.writer)


def _reason(error: Exception) -> str:
    """Its words, which tell of a status or a missing login and never of the address."""
    return str(error)[:120] or type(error).__name__


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
