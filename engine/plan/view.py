"""Everything observed about one bot, side by side, with the questions `diff` asks of it."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from engine.model.value import Value
from engine.plan.desired import Desired
from engine.plan.observed import Engine, Held, Observed, Process, ProcessState, Unknown
from engine.plan.renames import renames
from engine.spec.types import BotSpec


class BotView(Value, frozen=True, kw_only=True):
    """One bot as seen. `engine` None: nobody listens on its control socket."""

    name: str
    process: Process | None
    process_unknown: bool
    engine: Engine | Unknown | None
    hold: Held | None
    finished_as: str | None
    applied: BotSpec | None
    applied_fingerprint: str | None
    goes_on_as: str = ""
    """The name it is renamed to, and the one it is renamed from."""
    came_from: str = ""

    @property
    def is_applied(self) -> bool:
        return self.applied is not None

    @property
    def is_supervised(self) -> bool:
        return self.process is not None

    @property
    def process_state(self) -> ProcessState | None:
        return self.process.state if self.process else None

    @property
    def is_up(self) -> bool:
        """Something of this bot runs, supervised or not."""
        return (self.process is not None and self.process.is_up) or isinstance(self.engine, Engine)

    @property
    def is_mute(self) -> bool:
        return not isinstance(self.engine, Engine)

    @property
    def fingerprint(self) -> str | None:
        """What it runs by its own words, else what was applied."""
        return self.engine.fingerprint if isinstance(self.engine, Engine) else self.applied_fingerprint

    @property
    def spec(self) -> BotSpec | None:
        """The settings behind `fingerprint`, where they are still known."""
        if isinstance(self.engine, Engine) and self.engine.fingerprint != self.applied_fingerprint:
            return self.engine.spec
        return self.applied

    @property
    def why_down(self) -> str:
        """Why no process is up, for people."""
        if self.process is None:
            return "not running: no supervisor has it"
        if self.process.state is ProcessState.FAILED:
            return f"failed: {self.process.why}" if self.process.why else "failed"
        if self.process.state is ProcessState.EXITED:
            return f"ended by itself with exit code {self.process.exit_code}"
        return "not running"


def view(name: str, observed: Observed) -> BotView:
    """What was seen of one bot."""
    unknown = isinstance(observed.processes, Unknown)
    applied = observed.applied
    return BotView(
        name=name,
        process=None if isinstance(observed.processes, Unknown) else observed.processes.get(name),
        process_unknown=unknown,
        engine=observed.engines.get(name),
        hold=observed.holds.get(name),
        finished_as=observed.finished.get(name),
        applied=applied.bots.get(name) if applied else None,
        applied_fingerprint=applied.fingerprints.get(name) if applied else None,
    )


def views(names: Iterable[str], desired: Desired, observed: Observed) -> dict[str, BotView]:
    """What was seen of these bots. One that takes over another's name takes over its hold."""
    found = {name: view(name, observed) for name in names}
    for rename in renames(desired, observed):
        if not rename.why_not:
            old, new = found[rename.old], found[rename.new]
            found[rename.old] = replace(old, goes_on_as=rename.new)
            found[rename.new] = replace(new, came_from=rename.old, hold=new.hold or old.hold)
    return found
