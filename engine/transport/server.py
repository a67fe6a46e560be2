"""uvicorn as a guest: it serves a socket of ours, in a loop of ours, and leaves signals to us."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import uvicorn


class Server(uvicorn.Server):
    """Ends when `should_exit` is set, and by nothing else."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
