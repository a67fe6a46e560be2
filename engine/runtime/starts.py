"""The engine's own back-off after crashes: supervisor restarts an exited program at once and for ever.

A bot that started several times within a short while waits before it starts again, and one that started too often
within an hour is held, however slowly it crashes; a normal end forgets it all.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.clock import NS_PER_S
from engine.host.files import read_if_present, write_atomic
from engine.host.workspace import Workspace

RECENT_NS = 120 * NS_PER_S
FREE_STARTS = 2
"""So many starts within the recent past are nobody's fault: a deployment, a person."""
LONGEST_DELAY_S = 30.0
STARTS_PER_HOUR = 20
"""The restart budget of a bot that declares none."""
REMEMBERED = 64
"""More than any declared budget."""


def delay_s(earlier_ns: list[int], now_ns: int) -> float:
    """How long to wait before this start: nothing at first, then 1, 2, 4 … s up to the longest."""
    recent = sum(now_ns - start_ns < RECENT_NS for start_ns in earlier_ns)
    extra = recent - FREE_STARTS
    return 0.0 if extra < 0 else min(LONGEST_DELAY_S, 2.0**extra)


def note_start(workspace: Workspace, bot: str, now_ns: int) -> float:
    """Remember this start; the delay it should take."""
    file = _file(workspace, bot)
    earlier = _read(file)
    try:
        write_atomic(file, msgspec.json.encode([*earlier, now_ns][-REMEMBERED:]))
    except OSError:  # A full disk: who cannot count the starts must not start as fast as supervisor can.
        return LONGEST_DELAY_S
    return delay_s(earlier, now_ns)


def starts_within_hour(workspace: Workspace, bot: str, now_ns: int) -> int:
    """How often the bot started within the hour, without a normal end in between."""
    return sum(now_ns - start_ns < 3600 * NS_PER_S for start_ns in _read(_file(workspace, bot)))


def forget_starts(workspace: Workspace, bot: str) -> None:
    """The bot ended normally: the next start owes nothing."""
    _file(workspace, bot).unlink(missing_ok=True)


def _read(file: Path) -> list[int]:
    """A damaged file counts as no starts: it must not keep a bot from starting."""
    try:
        return msgspec.json.decode(read_if_present(file) or b"[]", type=list[int])
    except msgspec.MsgspecError:
        return []


def _file(workspace: Workspace, bot: str) -> Path:
    return workspace.starts / f"{bot}.json"
