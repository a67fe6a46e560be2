"""The control socket of one bot: one JSON object per line each way. `engine.host.control_client` is the caller.

Whatever arrives, the bot goes on: garbage gets an error as its reply, and a line has a bounded length.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from engine.errors import BotctlError, UsageError

log = logging.getLogger(__name__)

LINE_LIMIT = 64 << 10

Verb = Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""One verb: arguments in, reply out; a BotctlError becomes an error reply."""


@asynccontextmanager
async def control_socket(path: Path, verbs: Mapping[str, Verb]) -> AsyncIterator[None]:
    """Answer on the socket for as long as the context lasts. The caller holds the bot's lock, so a socket file
    that is already there is a dead process's."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Cancelled when the process ends: a conversation that somebody left open ends with it.
        with suppress(ConnectionError, asyncio.CancelledError):
            await _converse(reader, writer, verbs)
        writer.close()

    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(serve, path, limit=LINE_LIMIT)
    path.chmod(0o600)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, verbs: Mapping[str, Verb]) -> None:
    while True:
        try:
            line = await reader.readline()
        except ValueError:  # The line is longer than the limit; what follows cannot be told apart.
            reply, line = {"error": f"a line may have at most {LINE_LIMIT} bytes"}, b""
        else:
            reply = await _reply(line, verbs) if line else {}
        if reply:
            writer.write(json.dumps(reply).encode() + b"\n")
            await writer.drain()
        if not line:
            return


async def _reply(line: bytes, verbs: Mapping[str, Verb]) -> dict[str, Any]:
    try:
        verb, arguments = _parse(line, verbs)
        return await verb(arguments)
    except BotctlError as error:
        return {"error": error.message, "hint": error.hint}
    except Exception:  # The outer edge of a request: a mistake in a verb must not end a trading process.
        log.exception("a control request failed")
        return {"error": "the request failed inside the bot; its log has the traceback"}


def _parse(line: bytes, verbs: Mapping[str, Verb]) -> tuple[Verb, Mapping[str, Any]]:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError("the request is not JSON") from error
    if not isinstance(request, dict) or not isinstance(request.get("arguments", {}), dict):
        raise UsageError('a request is {"verb": "…", "arguments": {…}}')
    verb = request.get("verb")
    if not isinstance(verb, str) or verb not in verbs:
        raise UsageError(f"unknown verb {verb!r}", hint=f"known verbs: {', '.join(sorted(verbs))}")
    return verbs[verb], request.get("arguments", {})
