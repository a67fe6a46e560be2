"""One channel's attempts, beside all others': who is slow, hostile or broken delays nobody else and no SIGTERM."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from threading import Thread

from engine.errors import BotctlError
from engine.transport.backoff import Backoff

FIRST_S, CEILING_S = 10.0, 600.0
"""A channel that did not get through is left alone for a random part of this, which doubles up to the second."""
TOO_LONG = "it takes too long"


class Attempts:
    """Made one at a time, each in a thread that does not keep its process alive."""

    def __init__(self) -> None:
        self._backoff = Backoff(random.Random(), first_s=FIRST_S, ceiling_s=CEILING_S)
        self._next_s = 0.0
        self._thread: Thread | None = None
        self._why = ""

    @property
    def is_busy(self) -> bool:
        """Whether one goes on that nobody waits for any more."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def is_due(self) -> bool:
        return not self.is_busy and time.monotonic() >= self._next_s

    def begin(self, work: Callable[[], None]) -> None:
        self._thread = Thread(target=self._try, args=(work,), daemon=True)
        self._thread.start()

    def result(self, deadline_s: float) -> str:
        """Why what was begun failed; empty when it worked."""
        assert self._thread is not None
        self._thread.join(max(0.0, deadline_s - time.monotonic()))
        why = TOO_LONG if self._thread.is_alive() else self._why
        if why:
            self._next_s = time.monotonic() + self._backoff.delay_s()
        else:
            self._backoff.reset()
        return why

    def _try(self, work: Callable[[], None]) -> None:
        self._why = "it ended without a word"
        try:
            work()
        except BotctlError as error:
            self._why = error.message
        except Exception as error:  # noqa: BLE001 - a library's surprise must not end the monitor; its words may hold a secret.
            self._why = f"it failed: {type(error).__name__}"
        else:
            self._why = ""
