"""The proxy a bot's venues are reached through, from its reference. Used by the programs that make a world."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from engine.host.secrets import Secrets
from engine.spec.types import BotSpec
from engine.transport.proxy import Proxy


def proxy_of(spec: BotSpec, secrets: Secrets, *, hide: Callable[[Iterable[str]], None]) -> Proxy | None:
    """None for a bot without one. `hide` is told what no log may show."""
    reference = spec.process.proxy
    if reference is None:
        return None
    url = secrets.resolve(f"bot {spec.name}: process.proxy", reference)
    hide([url])
    proxy = Proxy(url)
    parts = urlsplit(url)
    hide(part for part in (parts.password, parts.netloc) if part)
    return proxy
