"""Polling with a deadline, for things the venue does when it gets to them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(look: Callable[[], T], timeout_s: float = 20.0) -> T:
    """The first truthy answer; fails the test when there is none in time."""
    deadline = time.monotonic() + timeout_s
    while not (seen := look()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)
    return seen
