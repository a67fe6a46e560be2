"""The least a live asyncio client can be: a loop and a TLS context. `footprint` measures engines against it."""

from __future__ import annotations

import asyncio
import ssl
import sys

context = ssl.create_default_context()


async def wait() -> None:
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(wait())
