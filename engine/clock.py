"""Units of time. Time itself is never read here: it arrives as a field of events or from the world.

All instants are integers, nanoseconds since the Unix epoch (`at_ns`); durations carry their unit in the name.
"""

from __future__ import annotations

from datetime import UTC, datetime

NS_PER_US = 1_000
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


def seconds_to_ns(duration_s: float) -> int:
    """A duration in seconds as whole nanoseconds."""
    return round(duration_s * NS_PER_S)


def iso_utc(at_ns: int) -> str:
    """An instant for people and logs: `2026-11-22T14:01:13.250Z`."""
    moment = datetime.fromtimestamp(at_ns // NS_PER_S, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ns % NS_PER_S // NS_PER_MS:03d}Z"
