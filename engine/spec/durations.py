"""Times as people type them on a command line."""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def duration_s(text: str) -> Decimal | None:
    """`90s`, `15m`, `1h30m` or `2d` in seconds; None for anything else, and for nothing."""
    parts = _PART.findall(text)
    seconds = sum((Decimal(number) * _UNITS_S[unit] for number, unit in parts), Decimal(0))
    is_whole = "".join(number + unit for number, unit in parts) == text
    return seconds if is_whole and seconds else None


def seconds_or_duration(text: str) -> Decimal | None:
    """The same, or a bare number of seconds."""
    return (Decimal(text) or None) if _NUMBER.fullmatch(text) else duration_s(text)
