"""What may stand in a request, and where requests go."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import NotSent
from engine.exchanges.messages import HttpRequest
from engine.transport.http_wire import parse_origin, render

ORIGIN = parse_origin("https://api.example.com")
PLAIN = HttpRequest(method="GET", target="/api/v1/depth?symbol=SOL_USDC&limit=5")


@pytest.mark.parametrize(
    ("base_url", "host", "port", "tls", "prefix"),
    [
        ("https://api.example.com", "api.example.com", 443, True, ""),
        ("http://127.0.0.1:8123/", "127.0.0.1", 8123, False, ""),
        ("http://[::1]:80/v3", "::1", 80, False, "/v3"),
    ],
)
def test_an_address_says_where_to_dial(base_url: str, host: str, port: int, tls: bool, prefix: str) -> None:
    origin = parse_origin(base_url)
    assert (origin.host, origin.port, origin.tls, origin.prefix) == (host, port, tls, prefix)


@pytest.mark.parametrize(
    "base_url", ["", "ftp://x", "https://", "http://x:99999", "https://user:pass@x", "https://x?a=b", "file:///etc"]
)
def test_what_is_no_plain_address_is_not_sent_to(base_url: str) -> None:
    with pytest.raises(NotSent):
        parse_origin(base_url)


def test_a_get_has_no_length_and_a_post_always_has() -> None:
    assert render(ORIGIN, PLAIN) == (
        b"GET /api/v1/depth?symbol=SOL_USDC&limit=5 HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: botctl\r\n\r\n"
    )
    assert b"Content-Length: 0\r\n\r\n" in render(ORIGIN, HttpRequest(method="POST", target="/"))


@pytest.mark.parametrize(
    "change",
    [
        {"target": "/a\r\nX-Evil: 1"},
        {"target": "/a\nb"},
        {"target": "/a HTTP/1.1"},
        {"target": "a"},
        {"target": "/ä"},
        {"method": "GET /x HTTP/1.1\r\n"},
        {"method": ""},
        {"headers": (("X-Key", "v\r\nX-Evil: 1"),)},
        {"headers": (("X-Key\r\nX-Evil", "1"),)},
        {"headers": (("X-Key", "\x00"),)},
    ],
)
def test_a_request_that_could_smuggle_is_never_sent(change: dict[str, object]) -> None:
    with pytest.raises(NotSent):
        render(ORIGIN, msgspec.structs.replace(PLAIN, **change))


@given(st.text(), st.text(), st.text())
def test_no_text_in_any_place_adds_a_line_to_the_head(target: str, name: str, value: str) -> None:
    request = HttpRequest(method="GET", target="/" + target, headers=((name, value),))
    try:
        head = render(ORIGIN, request)
    except NotSent:
        return
    assert head.count(b"\n") == head.count(b"\r\n") == head.count(b"\r") == 5
