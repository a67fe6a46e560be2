"""Which host this is, for locks on a disk that several hosts share: names alone can be equal."""

from __future__ import annotations

import socket
from hashlib import sha256
from pathlib import Path

from engine.host.files import read_if_present

MACHINE_ID = Path("/etc/machine-id")


def host_name() -> str:
    return socket.gethostname()


def machine_digest() -> str:
    """Eight characters that stand for this installation; empty where the system keeps no identity."""
    identity = read_if_present(MACHINE_ID)
    return sha256(b"botctl" + identity).hexdigest()[:8] if identity else ""
