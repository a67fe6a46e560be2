"""The words of a plan: one action per bot or simulator, with its reason and what it means for money."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.model.value import Value
from engine.plan.findings import Finding
from engine.plan.money import Money


class Kind(StrEnum):
    """What apply does about one bot or simulator."""

    CREATE = "create"
    START = "start"
    UPDATE = "update"
    RESTART = "restart"
    REPLACE = "replace"
    STOP = "stop"
    RETIRE = "retire"
    RECORD = "record"
    HOLD = "hold"
    NONE = "none"
    UNKNOWN = "unknown"

    @property
    def is_change(self) -> bool:
        """A hold is somebody's will and no drift; what is unknown cannot be acted on."""
        return self not in (Kind.HOLD, Kind.NONE, Kind.UNKNOWN)

    @property
    def stops_process(self) -> bool:
        return self in (Kind.RESTART, Kind.REPLACE, Kind.STOP, Kind.RETIRE)

    @property
    def starts_process(self) -> bool:
        return self in (Kind.CREATE, Kind.START, Kind.RESTART, Kind.REPLACE)

    @property
    def impact(self) -> str:
        """What the running process feels."""
        return _IMPACTS.get(self, "none")


_IMPACTS = {
    Kind.UPDATE: "in place",
    Kind.RESTART: "restart",
    Kind.REPLACE: "replace",
    Kind.STOP: "stop",
    Kind.RETIRE: "retire",
}


class Subject(StrEnum):
    BOT = "bot"
    SIMULATOR = "simulator"


class FieldChange(Value, frozen=True, kw_only=True):
    """One setting, as its files name it. None: not set before, or not any more."""

    path: str
    before: object
    after: object
    place: str
    impact: str


class Action(Value, frozen=True, kw_only=True):
    """What is to be done about one bot or simulator, from what it runs (`before`) to what is declared."""

    subject: Subject = Subject.BOT
    name: str
    kind: Kind
    reason: str
    place: str = ""
    before: str | None = None
    after: str | None = None
    changes: tuple[FieldChange, ...] = ()
    money: Money = Money()

    @property
    def identity(self) -> tuple[str, str, str, str | None, str | None]:
        """What makes it the same action when planned again; pids, reasons and counts may move."""
        return (self.subject, self.name, self.kind, self.before, self.after)


class Wave(Value, frozen=True, kw_only=True):
    """One step of carrying out a plan: these bots, and simulators that come or go with them. A canary's bots trade
    at a smaller size until they are judged, and change again with a later wave; `words` says at which, how long."""

    bots: tuple[str, ...]
    simulators: tuple[str, ...] = ()
    canary: bool = False
    words: str = ""

    def only(self, names: Collection[str]) -> Wave:
        """What of it has one of these names."""
        bots, simulators = (tuple(name for name in all_ if name in names) for all_ in (self.bots, self.simulators))
        return msgspec.structs.replace(self, bots=bots, simulators=simulators)


class Objection(Value, frozen=True, kw_only=True):
    """What speaks against a plan. With an error among them it can be read, not applied."""

    code: str
    message: str
    place: str
    is_error: bool


class Plan(Value, frozen=True, kw_only=True):
    """All actions, simulators first, then bots by name. Without `waves` everything is done at once."""

    fleet: str
    env: str | None = None
    env_in_force: str | None = None
    """Whose overlays the files wear, and wore when they were last applied; None: nobody's."""
    generation: int | None
    actions: tuple[Action, ...]
    trouble: tuple[str, ...] = ()
    """What could not be observed. A plan with trouble can be read, not applied."""
    waves: tuple[Wave, ...] = ()
    objections: tuple[Objection, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What the fleet's own policy says of it; `engine.plan.upholding` refuses by them."""

    @property
    def changes(self) -> tuple[Action, ...]:
        return tuple(action for action in self.actions if action.kind.is_change)

    @property
    def only_takes_away(self) -> bool:
        """Nothing starts and nobody gets new settings, not even once a hold is lifted."""
        waits = any(action.kind is Kind.HOLD and action.before != action.after for action in self.actions)
        return not waits and all(change.kind in (Kind.STOP, Kind.RETIRE, Kind.RECORD) for change in self.changes)

    @property
    def changes_env(self) -> bool:
        """Whether what is applied was another environment's."""
        return self.generation is not None and self.env != self.env_in_force

    def of(self, subject: Subject, *kinds: Kind) -> tuple[str, ...]:
        """The names of a subject's actions of these kinds."""
        return tuple(action.name for action in self.actions if action.subject is subject and action.kind in kinds)

    def only(self, bots: Collection[str]) -> Plan:
        """The same plan for some bots; for all of them when none is named. Simulators come along to be started."""
        if not bots:
            return self
        chosen = [action for action in self.actions if action.subject is Subject.BOT and action.name in bots]
        starts = any(action.kind.starts_process for action in chosen)
        simulators = [
            action
            for action in self.actions
            if action.subject is Subject.SIMULATOR and starts and action.kind in (Kind.CREATE, Kind.START)
        ]
        names = {action.name for action in (*simulators, *chosen)}
        waves = tuple(wave for whole in self.waves if (wave := whole.only(names)).bots)
        return msgspec.structs.replace(self, actions=(*simulators, *chosen), waves=waves)

    def part(self, wave: Wave) -> Plan:
        """What of this plan is about a wave's bots and simulators."""
        named = {Subject.BOT: wave.bots, Subject.SIMULATOR: wave.simulators}
        actions = tuple(action for action in self.actions if action.name in named[action.subject])
        return msgspec.structs.replace(self, actions=actions, waves=())

    def is_same_as(self, other: Plan) -> bool:
        """Whether both would do the same; otherwise the older one is stale."""
        return {change.identity for change in self.changes} == {change.identity for change in other.changes}

    def money_moved(self, other: Plan, tolerance_pct: Decimal) -> list[str]:
        """The bots of which much more or much less would be taken out of the market than in the other plan."""
        before = {action.name: action.money for action in other.changes if action.subject is Subject.BOT}
        return [
            action.name
            for action in self.changes
            if action.name in before and action.money.moved_since(before[action.name], tolerance_pct)
        ]
