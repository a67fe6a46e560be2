"""The proxy that venues are reached through: a bot's own, by its reference, or the fleet's default. Used by the
programs that make a world.

The defaults have the names every program uses. Venues are spoken to over TLS, so HTTPS_PROXY comes first; a
supervised bot finds them in the workspace's `.env` only, as it does all secrets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from engine.host.secrets import Secrets
from engine.spec.types import BotSpec
from engine.transport.proxy import Proxy

DEFAULTS = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy")
"""The first that is set counts."""

Hide = Callable[[Iterable[str]], None]


def proxy_of(spec: BotSpec | None, secrets: Secrets, *, hide: Hide) -> Proxy | None:
    """None where venues are dialled directly; `spec` is None for questions no bot asks. `hide` is told what no log
    may show."""
    url = _url(spec, secrets)
    if url is None:
        return None
    hide([url])
    proxy = Proxy(url)
    parts = urlsplit(url)
    hide(part for part in (parts.password, parts.netloc) if part)
    return proxy


def _url(spec: BotSpec | None, secrets: Secrets) -> str | None:
    if spec is not None and spec.process.proxy is not None:
        return secrets.resolve(f"bot {spec.name}: process.proxy", spec.process.proxy)
    return next((url for name in DEFAULTS if (url := secrets.variable(name))), None)
