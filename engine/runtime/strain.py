"""What a bot's process uses of the host, against what its spec allows. The sentinel looks, from outside, because a
process that is stuck can neither look nor complain.
"""

from __future__ import annotations

import os
from pathlib import Path

from engine.model.value import Value
from engine.spec.types import ProcessSpec

CPU_WINDOW_S = 30.0
"""Processor time is judged over so long: a start, or a busy moment in the market, is no strain."""
MB = 1 << 20


class Usage(Value, frozen=True, kw_only=True):
    """One process at one moment; `cpu_s` since its start, `at_s` monotonic."""

    pid: int
    memory_mb: float
    cpu_s: float
    at_s: float


def read_usage(pid: int, now_s: float) -> Usage | None:
    """None when the process is gone, and where the system has no /proc."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, IndexError, ValueError):
        return None
    ticks = int(fields[11]) + int(fields[12])  # user and system time, counted behind the command's name
    return Usage(
        pid=pid,
        memory_mb=pages * os.sysconf("SC_PAGE_SIZE") / MB,
        cpu_s=ticks / os.sysconf("SC_CLK_TCK"),
        at_s=now_s,
    )


class Strain:
    """Compares each bot's usage with its limits, over time."""

    def __init__(self) -> None:
        self._windows: dict[str, Usage] = {}

    def complaint(self, bot: str, usage: Usage, process: ProcessSpec) -> str:
        """Which limit the bot is over, in words; empty when over none."""
        most_mb, most_pct, pct = process.max_memory_mb, process.max_cpu_pct, self._cpu_pct(bot, usage)
        if most_mb is not None and usage.memory_mb > most_mb:
            return f"it uses {usage.memory_mb:.0f} MB of memory, more than max_memory_mb {most_mb}"
        if most_pct is not None and pct is not None and pct > most_pct:
            return f"it used {pct:.0f} % of a processor for {CPU_WINDOW_S:.0f} s, more than max_cpu_pct {most_pct}"
        return ""

    def _cpu_pct(self, bot: str, usage: Usage) -> float | None:
        """Known once per window."""
        began = self._windows.get(bot)
        if began is None or began.pid != usage.pid:
            self._windows[bot] = usage
            return None
        taken_s = usage.at_s - began.at_s
        if taken_s < CPU_WINDOW_S:
            return None
        self._windows[bot] = usage
        return 100 * (usage.cpu_s - began.cpu_s) / taken_s
