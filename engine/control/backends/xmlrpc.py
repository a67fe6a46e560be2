"""supervisord's XML-RPC over its unix socket: one kept-alive connection, and every wait has an end.

Only calls that answer at once are used. The `*Group`, `*All` and `wait=True` calls answer from a callback that
supervisord polls about once a second, one after another: twenty stops would take twenty seconds.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ProtocolError, ServerProxy, Transport

from engine.control.backends.interface import Absent
from engine.errors import BotctlError, Unavailable

TIMEOUT_S = 30.0
"""One call at a thousand programs may take several seconds of a busy daemon's time."""

BAD_NAME, ALREADY_STARTED, NOT_RUNNING, ALREADY_ADDED, CANT_REREAD = 10, 60, 70, 90, 92
"""supervisord's fault codes that say something we expect."""

Call = tuple[str, tuple[Any, ...]]


class Supervisord:
    """One daemon."""

    def __init__(self, socket_path: Path, *, timeout_s: float = TIMEOUT_S) -> None:
        self._path = socket_path
        transport = _UnixTransport(socket_path, timeout_s)
        self._proxy = ServerProxy("http://localhost/RPC2", transport=transport)

    def call(self, method: str, *arguments: Any) -> Any:
        """One call's answer; Absent, Unavailable, or the daemon's own words as BotctlError."""
        try:
            return getattr(self._proxy, method)(*arguments)
        except Fault as fault:
            raise _declined(method, fault) from fault
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise Absent(f"no supervisord listens on {self._path}") from error
        except (OSError, HTTPException, ProtocolError) as error:
            raise Unavailable(f"supervisord does not answer {method}: {error}") from error

    def call_many(self, calls: Sequence[Call], *, tolerate: frozenset[int]) -> None:
        """Many calls in one message. Faults in `tolerate` mean that what was asked for is so already."""
        if not calls:
            return
        batch = [{"methodName": method, "params": list(arguments)} for method, arguments in calls]
        answers = self.call("system.multicall", batch)
        for (method, arguments), answer in zip(calls, answers, strict=True):
            if isinstance(answer, dict) and "faultCode" in answer and answer["faultCode"] not in tolerate:
                fault = Fault(answer["faultCode"], f"{answer['faultString']} ({arguments[0]})")
                raise _declined(method, fault)


def _declined(method: str, fault: Fault) -> BotctlError:
    return BotctlError(f"supervisord declined {method}: {fault.faultString}")


class _UnixTransport(Transport):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__()
        self._path = path
        self._timeout_s = timeout_s
        self._kept: HTTPConnection | None = None

    def make_connection(self, host: Any) -> HTTPConnection:  # noqa: ARG002 - xmlrpc.client's signature
        if self._kept is None:
            self._kept = _UnixConnection(self._path, self._timeout_s)
        return self._kept

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None


class _UnixConnection(HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path
        self._timeout_s = timeout_s

    def connect(self) -> None:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(self._timeout_s)
        try:
            connection.connect(str(self._path))
        except OSError:
            connection.close()
            raise
        self.sock = connection
