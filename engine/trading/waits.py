"""How long to wait before what failed is tried again: one rule for rounds, funding and refusals."""

from __future__ import annotations

DOUBLINGS_MOST = 16
"""Past every longest wait there is; the figure must not grow for ever."""


def wait_ns(first_ns: int, times: int, longest_ns: int) -> int:
    """The wait after so many failures in a row: it doubles with each, up to the longest."""
    return min(first_ns << min(times, DOUBLINGS_MOST), longest_ns)
