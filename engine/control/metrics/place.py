"""Where a fleet's metrics are served, and who serves them; apart from the serving, which loads slowly."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from engine.host.workspace import Workspace
from engine.spec.types import MetricsSpec


def address_of(spec: MetricsSpec) -> str:
    """The URL of the metrics."""
    host = f"[{spec.host}]" if ":" in spec.host else spec.host
    return f"http://{host}:{spec.port}/metrics"


def lock_file(workspace: Workspace) -> Path:
    """Held by the program that serves them and tells people what is wrong."""
    return workspace.state / "monitor.lock"


def is_loopback(host: str) -> bool:
    """Whether only this host can speak to an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
