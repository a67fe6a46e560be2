"""What is true, as far as it could be seen: `engine.control.observe` gathers it.

Unavailable is not empty (law 1): what could not be asked is an `Unknown` with the reason, never a missing entry.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from engine.model.account import BudgetUse, Stake
from engine.model.value import Message, Value
from engine.spec.types import BotSpec, FleetSpec


class Unknown(Message, frozen=True, kw_only=True):
    """Asked, and no answer came."""

    why: str


class ProcessState(StrEnum):
    """Where the process supervision has a program."""

    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    EXITED = "exited"
    FAILED = "failed"


class Process(Message, frozen=True, kw_only=True):
    """One supervised program. `exit_code` is that of its last end."""

    state: ProcessState
    pid: int | None = None
    exit_code: int | None = None
    why: str = ""

    @property
    def is_up(self) -> bool:
        return self.state in (ProcessState.RUNNING, ProcessState.STOPPING)

    @property
    def ended_cleanly(self) -> bool:
        """It finished its stop procedure: its orders are confirmed gone."""
        return not self.is_up and self.exit_code == 0


class Leg(Value, frozen=True, kw_only=True):
    """What a running engine says of one leg; `position` is signed base units as text."""

    venue: str
    account: str
    market: str
    ready: bool
    orders: int
    unresolved: int
    fills: int
    position: str
    why_not: str = ""
    bid: str | None = None
    ask: str | None = None
    realised_pnl: str | None = None
    unrealised_pnl: str | None = None
    fees: dict[str, str] = {}
    """By asset, paid minus received."""
    rebates: dict[str, str] = {}
    """What of that was received."""
    equity: list[tuple[str, str]] = []
    """When a fill or payment was, and the profit after fees and funding just after it, at the last fill's price."""
    peak_drawdown: str | None = None
    unexplained: str = "0"
    """Part of the venue's position that waits for a person to adopt or ignore it."""
    ignored: str = "0"
    adoption_price: str | None = None
    funding: str | None = None
    """Received minus paid for holding a perp, in quote; None from engines of before it was counted."""
    funding_why_not: str = ""
    """Why payments may be missing there."""
    budget: dict[str, BudgetUse] = {}
    """How everything the venue counts of the account stands, over all its users on this host."""


class Hedge(Value, frozen=True, kw_only=True):
    """What a hedging engine says of its hedge; `residual` is signed base units as text, durations are in ms."""

    residual: str
    open_since_ns: int | None
    alarm: str
    time_to_hedge: dict[str, Any]


class Risk(Value, frozen=True, kw_only=True):
    """How a running bot stands against its stops, money in quote as text; None is unknown, or not followed."""

    net_pnl: str | None = None
    day_pnl: str | None = None
    drawdown_pct: str | None = None
    rejects_in_a_row: int = 0
    budgets: dict[str, dict[str, str | None]] = {}
    """Of every budget it shares: `net`, `gross` and `day_pnl` of all its bots, and the limits."""


class Engine(Message, frozen=True, kw_only=True):
    """What an engine says of itself on its control socket. `spec` is what it runs, where that is still known."""

    pid: int
    state: str
    fingerprint: str
    generation: int | None
    legs: dict[str, Leg]
    stakes: dict[str, Stake] = {}
    """By leg; none from engines of earlier versions."""
    hedge: Hedge | None = None
    risk: Risk | None = None
    keys: dict[str, str] = {}
    """Digests of the keys it runs with, by account; none where none were declared, and from earlier versions."""
    spec: BotSpec | None = None


class Held(Value, frozen=True, kw_only=True):
    """A hold: what a person or a tripped limit took out of the fleet's hands."""

    kind: str
    who: str
    since: str
    why: str
    trip: str = ""
    """What had tripped the bot before a person held it."""

    @property
    def tripped(self) -> str:
        """The trip that only `resume` lifts, whoever held the bot since; empty without one."""
        return self.why if self.kind == "trip" else self.trip

    @property
    def words(self) -> str:
        covered = f"; before that it tripped: {self.trip}" if self.trip else ""
        return f"{self.kind} by {self.who} since {self.since}: {self.why}{covered}"

    @property
    def keeps_running(self) -> bool:
        """A paused bot's process stays up without quoting; under every other hold none runs."""
        return self.kind == "pause"


class Applied(Value, frozen=True, kw_only=True):
    """The generation in force: what the last apply wrote."""

    generation: int
    fleet: FleetSpec
    bots: dict[str, BotSpec]
    fingerprints: dict[str, str]
    simulators: dict[str, str] = {}


class Simulator(Value, frozen=True, kw_only=True):
    """A simulated venue: its process, and the fingerprint of what it simulates once it listens."""

    process: Process
    fingerprint: str | None = None


class Observed(Value, frozen=True, kw_only=True):
    """The present, whole. `processes` and `simulators` are empty when no supervisor runs, Unknown when it is mute.

    `engines` holds whoever listens on a control socket, supervised or not. `finished` maps a bot that ended as
    declared to the fingerprint it had then.
    """

    applied: Applied | None = None
    processes: dict[str, Process] | Unknown = {}
    engines: dict[str, Engine | Unknown] = {}
    holds: dict[str, Held] = {}
    finished: dict[str, str] = {}
    simulators: dict[str, Simulator] | Unknown = {}
