"""What a running process has cost so far, as Linux counts it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from statistics import median

MIB = 1024


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Memory in MiB, CPU in ms: until the first message came in, and until the first quote went out."""

    rss_mib: float
    pss_mib: float
    heard_ms: float
    quoted_ms: float
    modules: float


def cpu_ms(pid: int) -> float:
    """CPU time of all threads, from the scheduler's own count in ns."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6


def memory_mib(pid: int) -> tuple[float, float]:
    """(RSS, PSS)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    fields = {line.split()[0]: line.split()[1] for line in lines[1:]}
    return int(fields["Rss:"]) / MIB, int(fields["Pss:"]) / MIB


def typical(costs: list[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(
        rss_mib=median(cost.rss_mib for cost in costs),
        pss_mib=median(cost.pss_mib for cost in costs),
        heard_ms=median(cost.heard_ms for cost in costs),
        quoted_ms=median(cost.quoted_ms for cost in costs),
        modules=median(cost.modules for cost in costs),
    )


def can_measure() -> bool:
    return os.access("/proc/self/smaps_rollup", os.R_OK)
