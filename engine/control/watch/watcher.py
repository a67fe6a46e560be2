"""The loop of `botctl watch`: look at the branch, try its newest commit when it is due, say how it stands.

Level-triggered as everything here: each look compares the whole present with the commit, so whatever was missed or
cut off is made good by the next one.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from engine.clock import NS_PER_S, iso_utc
from engine.control.fleet import Fleet
from engine.control.git import Commit, Git, fetch, mirror, without_user
from engine.control.watch.attempt import Attempt, Verdict
from engine.control.watch.pace import Pace
from engine.control.watch.reports import Reports
from engine.control.watch.settings import address_of
from engine.control.watch.state import Result, WatchStatus, Wishes, read_status, read_wishes, write_status
from engine.errors import BotctlError
from engine.host.generation import current_number
from engine.spec.types import WatchSpec

SLICE_S = 0.2
"""How soon a request to end is heard."""
READABLE = "what is in force stays; `git ls-remote REPOSITORY` shows whether this host can read it"


@dataclass(frozen=True, kw_only=True)
class Rim:
    """What the loop needs of the world: `settings` None ends it, and so does `is_stopping`."""

    fleet: Fleet
    settings: Callable[[], WatchSpec | None]
    reports: Reports
    is_stopping: Callable[[], bool] = lambda: False
    now_s: Callable[[], float] = time.time
    steady_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: random.Random


class Watcher:
    """One branch, watched."""

    def __init__(self, rim: Rim) -> None:
        self._rim = rim
        self._workspace = rim.fleet.workspace
        self._git: Git = mirror(self._workspace.watch / "repository", rim.is_stopping)
        self._status = read_status(self._workspace)
        self._pace: Pace | None = None

    def run(self) -> None:
        """Until it is asked to end, or nothing is to be watched any more."""
        while not self._rim.is_stopping() and (spec := self._rim.settings()):
            self.look(spec)
            self._wait(float(spec.interval_s))

    def look(self, spec: WatchSpec) -> Verdict | None:
        """Look at the branch once; how the attempt ended, None where none was due."""
        pace = self._pace = self._pace or Pace(self._rim.chance, first_s=float(spec.interval_s))
        try:
            commit = fetch(self._git, address_of(self._workspace, spec), spec.branch)
            wishes = read_wishes(self._workspace)
        except BotctlError as error:
            return self._unreachable(spec, error)
        if not pace.is_due((commit.id, spec, wishes), self._rim.steady_s()):
            self._say(spec, self._standing(spec, commit, wishes))
            return None
        known, before = self._known(spec), current_number(self._workspace)
        attempt = Attempt(
            fleet=self._rim.fleet,
            git=self._git,
            spec=spec,
            wishes=wishes,
            applied_commit=known.applied_commit,
            own_commit=known.own_commit,
            own_generation=known.own_generation,
        )
        verdict = attempt.carry_out(commit)
        judged = self._judged(spec, commit, wishes, verdict)
        if (number := current_number(self._workspace)) != before:
            judged = msgspec.structs.replace(judged, own_commit=commit.id, own_generation=number)
        self._say(spec, judged)
        return verdict

    def _judged(self, spec: WatchSpec, commit: Commit, wishes: Wishes, verdict: Verdict) -> WatchStatus:
        assert self._pace is not None
        is_applied = verdict.result is Result.APPLIED
        next_try = None
        if is_applied:
            self._pace.worked()
        else:
            next_try = _iso(self._rim.now_s() + self._pace.failed(self._rim.steady_s()))
        before = self._status.applied_commit if self._status else None
        return msgspec.structs.replace(
            self._standing(spec, commit, wishes),
            result=verdict.result,
            why=verdict.why,
            hint=verdict.hint,
            applied_commit=commit.id if is_applied else before,
            attempts=self._pace.attempts,
            next_try_at=next_try,
        )

    def _standing(self, spec: WatchSpec, commit: Commit, wishes: Wishes) -> WatchStatus:
        """What was known, with what is seen now."""
        return msgspec.structs.replace(
            self._known(spec), commit=commit.id, subject=commit.subject, suspended=tuple(sorted(wishes.bots))
        )

    def _known(self, spec: WatchSpec) -> WatchStatus:
        before = self._status or WatchStatus(repo="", branch="", result=Result.UNREACHABLE)
        return msgspec.structs.replace(before, repo=without_user(spec.repo), branch=spec.branch)

    def _unreachable(self, spec: WatchSpec, error: BotctlError) -> Verdict:
        """What is in force stays; the next look comes after the interval, as any."""
        status = msgspec.structs.replace(
            self._known(spec),
            result=Result.UNREACHABLE,
            why=error.message,
            hint=error.hint or READABLE,
            next_try_at=None,
        )
        self._pace = None
        self._say(spec, status)
        return Verdict(result=status.result, why=status.why, hint=status.hint, exit_code=error.exit_code)

    def _say(self, spec: WatchSpec, status: WatchStatus) -> None:
        now = _iso(self._rim.now_s())
        is_news = self._status is None or self._status.news != status.news
        self._status = msgspec.structs.replace(
            status,
            checked_at=now,
            since=now if is_news else status.since,
            generation=current_number(self._workspace),
        )
        write_status(self._workspace, self._status)
        if is_news:
            self._rim.fleet.progress("\n".join(_in_full(self._status)))
        self._rim.reports.tell(spec, self._status)

    def _wait(self, interval_s: float) -> None:
        until_s = self._rim.steady_s() + interval_s
        while not self._rim.is_stopping() and (left_s := until_s - self._rim.steady_s()) > 0:
            self._rim.sleep(min(SLICE_S, left_s))


def _in_full(status: WatchStatus) -> Iterator[str]:
    yield status.words
    yield from status.why.splitlines()[2:]
    if status.hint:
        yield f"hint: {status.hint}"


def _iso(at_s: float) -> str:
    return iso_utc(int(at_s * NS_PER_S))
