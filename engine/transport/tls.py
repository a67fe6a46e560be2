"""The one TLS context of a process.

Reading a whole trust store takes a third of an engine's start, for the one certificate of it that its venue needs.
OpenSSL can look that one up by its name, in the directory beside the bundle that systems keep for it.
"""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path

BEGINNING = b"-----BEGIN CERTIFICATE-----"


@cache
def client_context() -> ssl.SSLContext:
    """Verifies certificates and host names; made when the first `https` or `wss` address is dialled.

    Trusts what Python trusts by default, SSL_CERT_FILE and SSL_CERT_DIR included.
    """
    return ssl.create_default_context(capath=_lookup_directory())


def _lookup_directory() -> str | None:
    """Where certificates are found by name; None unless they surely are those of the bundle, which then has to be
    read: made beside it by the same tool, and not fewer."""
    paths = ssl.get_default_verify_paths()
    if not (paths.capath and paths.cafile):
        return None
    directory, bundle = Path(paths.capath), Path(paths.cafile).resolve()
    if bundle.parent != directory.resolve():
        return None
    try:
        count = bundle.read_bytes().count(BEGINNING)
    except OSError:
        return None
    return paths.capath if len(_names(directory)) >= count else None


def _names(directory: Path) -> list[Path]:
    """Under which a certificate can be looked up: links whose certificate is gone lead to none."""
    return [name for name in directory.glob("????????.[0-9]") if name.is_file()]
