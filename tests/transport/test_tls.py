"""Only a venue that proves its name is spoken to."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from engine.errors import NotSent, Unavailable
from engine.transport.http import HttpClient
from engine.transport.websocket import open_socket
from tests.transport.loopback import GET, answer_all, serving


def test_a_trusted_venue_is_spoken_to_over_one_kept_connection(
    certificate: Path, server_context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async def scenario() -> None:
        client = HttpClient()
        async with serving(answer_all, tls=server_context) as server:
            for _ in range(3):
                assert (await client.send(server.base_url, GET, timeout_s=2)).body == b"ok"
                await asyncio.sleep(0.01)
            assert server.connections == 1
            await client.close()

    asyncio.run(scenario())


def test_an_untrusted_venue_is_sent_nothing(server_context: ssl.SSLContext) -> None:
    async def scenario() -> None:
        client = HttpClient()
        async with serving(answer_all, tls=server_context) as server:
            with pytest.raises(NotSent, match="certificate"):
                await client.send(server.base_url, GET, timeout_s=2)
            with pytest.raises(Unavailable, match="certificate"):
                await open_socket(server.base_url.replace("https", "wss"), timeout_s=2)
            assert server.requests == []
            await client.close()

    asyncio.run(scenario())
