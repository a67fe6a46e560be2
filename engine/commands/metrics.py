"""`botctl metrics`: what Prometheus should know of the fleet, printed, written to a file, or served."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.commands.options import Directory, tell
from engine.commands.outfile import write_out
from engine.control.fleet import View, open_view
from engine.control.metrics.service import serve
from engine.control.metrics.site import metrics
from engine.control.metrics.snapshot import take_snapshot
from engine.errors import UsageError
from engine.spec.types import MetricsSpec

HIGHEST_PORT = 65_535
READABLE = 0o644
"""A textfile collector runs as somebody else."""


def command(
    directory: Directory = None,
    listen: Annotated[
        str | None, typer.Option("--listen", metavar="[HOST:]PORT", help="serve them until Ctrl-C")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE.prom", help="write them, for a textfile collector")
    ] = None,
) -> None:
    """Show the fleet as Prometheus metrics. `metrics:` in fleet.yaml serves them all the time."""
    if listen is not None and out is not None:
        raise UsageError("--listen and --out exclude each other", hint="run botctl metrics --out from a timer")
    fleet = open_view(directory, verb="metrics")
    if listen is not None:
        spec = _address(listen)
        asyncio.run(_serve(fleet, spec))
        return
    body = metrics(take_snapshot(fleet)).body
    if out is None:
        sys.stdout.write(body.decode())
    else:
        write_out(out, body, mode=READABLE)


async def _serve(fleet: View, spec: MetricsSpec) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    await serve(fleet, lambda: spec, stop, tell=_announce, is_patient=False)


def _announce(address: str) -> None:
    tell(f"serving {address} until Ctrl-C")


def _address(written: str) -> MetricsSpec:
    host, _, port = written.rpartition(":")
    if not written.isascii() or not port.isdecimal() or not 0 < int(port) <= HIGHEST_PORT:
        raise UsageError(f"--listen {written}: no port", hint="--listen 9464, or 127.0.0.1:9464, or [::1]:9464")
    return MetricsSpec(host=host.strip("[]") or "127.0.0.1", port=int(port))
