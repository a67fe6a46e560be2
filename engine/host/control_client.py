"""Asks a running engine over its control socket: one JSON object per line each way.

The server is `engine.runtime.control`; verbs and dashboards are the callers.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from engine.errors import BotctlError, Unavailable

LINE_LIMIT = 1 << 20
PARALLEL_CALLS = 32

Reply = dict[str, Any]


def call(
    socket_path: Path, verb: str, arguments: Mapping[str, Any] | None = None, *, timeout_s: float = 2
) -> Reply:
    """The engine's answer. Unavailable when none came; BotctlError with the engine's words when it declined."""
    request = json.dumps({"verb": verb, "arguments": dict(arguments or {})}).encode() + b"\n"
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout_s)
            connection.connect(str(socket_path))
            connection.sendall(request)
            with connection.makefile("rb") as lines:
                reply = json.loads(lines.readline(LINE_LIMIT))
    except (OSError, ValueError) as error:
        raise Unavailable(f"no answer to {verb!r} from {socket_path.stem}: {error}") from error
    if not isinstance(reply, dict):
        raise Unavailable(f"{socket_path.stem} answered {verb!r} with something that is no object")
    if "error" in reply:
        raise BotctlError(str(reply["error"]), hint=reply.get("hint"))
    return reply


def call_all(
    sockets: Mapping[str, Path], verb: str, arguments: Mapping[str, Any] | None = None, *, timeout_s: float = 2
) -> dict[str, Reply | BotctlError]:
    """Ask many engines at once; each name gets its answer or its error, and a hung one delays no other."""

    def ask(path: Path) -> Reply | BotctlError:
        try:
            return call(path, verb, arguments, timeout_s=timeout_s)
        except BotctlError as error:
            return error

    if not sockets:
        return {}
    with ThreadPoolExecutor(max_workers=min(PARALLEL_CALLS, len(sockets))) as pool:
        return dict(zip(sockets, pool.map(ask, sockets.values()), strict=True))
