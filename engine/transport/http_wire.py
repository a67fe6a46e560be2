"""A request as bytes: where it goes and what stands in its head. Used by `http` alone; does no I/O."""

from __future__ import annotations

from urllib.parse import urlsplit

from engine.errors import NotSent
from engine.exchanges.messages import HttpRequest
from engine.model.value import Value

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Origin(Value, frozen=True, kw_only=True):
    """Where requests go. `authority` is the Host header, `prefix` a path all targets lie under, or empty."""

    host: str
    port: int
    tls: bool
    authority: str
    prefix: str


def parse_origin(base_url: str) -> Origin:
    """The origin of `https://host[:port][/prefix]`; NotSent when it is not such an address."""
    try:
        parts = urlsplit(base_url)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise NotSent(f"{base_url!r} is not an http(s) address") from None
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise NotSent(f"{base_url!r} is not a plain address of a host")
    authority = parts.netloc
    prefix = parts.path.rstrip("/")
    return Origin(host=parts.hostname, port=port, tls=parts.scheme == "https", authority=authority, prefix=prefix)


def render(origin: Origin, request: HttpRequest) -> bytes:
    """The whole request. `Host` and `Content-Length` are written here, never by a codec.

    Raises NotSent when a part could smuggle in a second header or request: only printable ASCII may stand in
    a head, so neither CR nor LF can, and a target has no space.
    """
    head = [
        f"{request.method} {origin.prefix}{request.target} HTTP/1.1",
        f"Host: {origin.authority}",
        "User-Agent: botctl",
        *[f"{name}: {value}" for name, value in request.headers],
    ]
    if request.body or request.method not in ("GET", "DELETE"):
        head.append(f"Content-Length: {len(request.body)}")
    text = "".join(head)
    if not (text.isascii() and text.isprintable()) or not _is_plain(request):
        raise NotSent(f"the head of a {request.method!r} request holds a character that may not stand there")
    return "\r\n".join([*head, "", ""]).encode("ascii") + request.body


def _is_plain(request: HttpRequest) -> bool:
    return request.method.isalpha() and request.target.startswith("/") and " " not in request.target
