"""Only a venue that proves its name is spoken to."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from hashlib import sha1
from pathlib import Path

import pytest

from engine.errors import NotSent, Unavailable
from engine.transport.http import HttpClient
from engine.transport.tls import client_context
from engine.transport.websocket import open_socket
from tests.transport.loopback import GET, answer_all, serving

SUBJECT = b"\x31\x11\x30\x0f\x06\x03\x55\x04\x03\x0c\x08loopback"
"""The certificate's subject as OpenSSL hashes it for a file name: lower case, UTF-8, no outer sequence."""


@pytest.fixture(params=["a bundle", "a bundle and its directory", "a bundle that has more than its directory"])
def trusted(request: pytest.FixtureRequest, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trust store that knows the tests' server, in the shapes systems keep one."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    if request.param != "a bundle":
        monkeypatch.setenv("SSL_CERT_DIR", str(certificate.parent))
    if request.param == "a bundle and its directory":
        shutil.copy(certificate, certificate.parent / _lookup_name(SUBJECT))


def _lookup_name(subject: bytes) -> str:
    return f"{int.from_bytes(sha1(subject).digest()[:4], 'little'):08x}.0"


@pytest.mark.usefixtures("trusted")
def test_a_trusted_venue_is_spoken_to_over_one_kept_connection(server_context: ssl.SSLContext) -> None:
    async def scenario() -> None:
        client = HttpClient()
        async with serving(answer_all, tls=server_context) as server:
            for _ in range(3):
                assert (await client.send(server.base_url, GET, timeout_s=2)).body == b"ok"
                await asyncio.sleep(0.01)
            assert server.connections == 1
            await client.close()

    asyncio.run(scenario())


def test_a_directory_that_has_all_is_looked_up_in_and_the_bundle_not_read(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("SSL_CERT_DIR", str(certificate.parent))
    shutil.copy(certificate, certificate.parent / _lookup_name(SUBJECT))
    assert client_context().cert_store_stats()["x509"] == 0


def test_a_directory_whose_links_lead_nowhere_is_not_relied_on(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("SSL_CERT_DIR", str(certificate.parent))
    (certificate.parent / _lookup_name(SUBJECT)).symlink_to("gone.pem")
    assert client_context().cert_store_stats()["x509"] == 1


@pytest.mark.parametrize("name", ["elsewhere/bundle.pem", "bundle.pem"])
def test_a_bundle_of_its_own_is_read(
    name: str, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / name
    bundle.parent.mkdir(exist_ok=True)
    shutil.copy(certificate, bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    if name != bundle.name:
        shutil.copy(certificate, tmp_path / _lookup_name(SUBJECT))
    assert client_context().cert_store_stats()["x509"] == 1


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
