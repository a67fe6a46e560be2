"""What the sentinel sees: which declared bots run, and which have left orders that nobody looks after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from engine.errors import StateDamaged
from engine.host.generation import read_current_bot, read_current_fleet
from engine.host.locks import is_free
from engine.host.workspace import Workspace
from engine.model.value import Value
from engine.runtime.journal_reader import live_orders
from engine.spec.types import ProcessSpec

FIRST_RETRY_S = 5.0
LAST_RETRY_S = 300.0


class Watched(Value, frozen=True, kw_only=True):
    """What there is to watch, as of one generation. `place` is where that lies."""

    place: str = ""
    bots: tuple[str, ...] = ()
    limited: dict[str, ProcessSpec] = {}
    """Bots that may not use all of the host they want."""
    grace_s: float = 0.0
    is_off: bool = False


def read_watched(workspace: Workspace, before: Watched) -> Watched:
    """The generation in force, read anew only when it is another one; nothing before the first apply."""
    try:
        place = str(workspace.current.readlink())
    except OSError:
        return Watched()
    if place == before.place:
        return before
    fleet = read_current_fleet(workspace)
    bots = tuple(sorted(file.stem for file in (workspace.current / "bots").glob("*.json")))
    if fleet is None or fleet.sentinel is None or not fleet.sentinel.enabled:
        return Watched(place=place, is_off=True)
    grace_s = float(fleet.sentinel.grace_s)
    return Watched(place=place, bots=bots, limited=_limited(workspace, bots), grace_s=grace_s)


def _limited(workspace: Workspace, bots: Iterable[str]) -> dict[str, ProcessSpec]:
    applied = (read_current_bot(workspace, bot) for bot in bots)
    processes = {each.spec.name: each.spec.process for each in applied if each is not None}
    return {
        bot: process
        for bot, process in processes.items()
        if process.max_memory_mb is not None or process.max_cpu_pct is not None
    }


class Absence(msgspec.Struct):
    """One bot without a process."""

    since_s: float
    next_s: float
    retry_s: float = FIRST_RETRY_S
    is_settled: bool = False
    """Its orders are gone: there is nothing to do before it runs again."""


class Watch:
    """Tells which bots have been left alone for longer than the grace time. `now_s` is monotonic."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._absent: dict[str, Absence] = {}
        self._running = 0

    @property
    def is_calm(self) -> bool:
        """Nobody runs, and nobody has left anything."""
        return not self._running and all(absence.is_settled for absence in self._absent.values())

    def abandoned(self, watched: Watched, now_s: float) -> Iterator[str]:
        """Bots whose orders are to be cancelled now."""
        self._look(watched, now_s)
        for bot, absence in self._absent.items():
            if absence.is_settled or now_s < absence.next_s:
                continue
            if self._has_left_orders(bot):
                yield bot
            else:
                absence.is_settled = True

    def tried(self, bot: str, *, worked: bool, now_s: float) -> None:
        """What came of it: a failure is repeated later and later."""
        if absence := self._absent.get(bot):
            absence.is_settled = worked
            absence.next_s = now_s + absence.retry_s
            absence.retry_s = min(LAST_RETRY_S, 2 * absence.retry_s)

    def _look(self, watched: Watched, now_s: float) -> None:
        free = [bot for bot in watched.bots if is_free(self._workspace.locks / bot)]
        self._running = len(watched.bots) - len(free)
        kept = {bot: absence for bot, absence in self._absent.items() if bot in free}
        fresh = {bot: Absence(since_s=now_s, next_s=now_s + watched.grace_s) for bot in free if bot not in kept}
        self._absent = kept | fresh

    def _has_left_orders(self, bot: str) -> bool:
        """A journal that cannot be read is for its cleaner to complain about."""
        try:
            return any(live_orders(file) for file in _journals_that_count(self._workspace, bot))
        except StateDamaged:
            return True


def _journals_that_count(workspace: Workspace, bot: str) -> list[Path]:
    """Of simulated worlds only the latest: the orders of earlier ones went with them."""
    files = sorted((workspace.journals / bot).glob("*.sqlite"), key=lambda file: file.stat().st_mtime)
    simulated = [file for file in files if file.name.startswith("sim-")]
    return [file for file in files if file not in simulated[:-1]]
