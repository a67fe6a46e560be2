"""How every applied bot stands, from the same observations plans are made of. For `status` and views."""

from __future__ import annotations

from engine.clock import iso_utc
from engine.control.alerts.file import read_ledger
from engine.control.metrics.place import address_of
from engine.control.metrics.place import lock_file as monitor_lock
from engine.control.watch.state import Result, lock_file, read_status
from engine.host.generation import read_current_fleet
from engine.host.locks import is_free, read_holder
from engine.host.workspace import Workspace
from engine.model.value import Value
from engine.plan.observed import Engine, Hedge, Leg, Observed, ProcessState, Risk, Unknown
from engine.plan.view import BotView, view
from engine.runtime.sentinel import lock_file as sentinel_lock
from engine.spec.types import BotSpec

CALM = ("running", "held", "finished", "disabled")
"""States that a fleet may be left alone in."""


class BotStatus(Value, frozen=True, kw_only=True):
    """One bot. Venue, account and market are its first leg's; None is unknown, never zero."""

    name: str
    state: str
    why: str
    venue: str
    account: str
    market: str
    strategy: str
    fingerprint: str | None
    orders: int | None
    fills: int | None
    pid: int | None
    generation: int | None
    legs: dict[str, Leg]
    risk: Risk | None = None
    hedge: Hedge | None = None
    """Of a bot that hedges: what is open, and how long hedging takes."""

    @property
    def is_calm(self) -> bool:
        """Whether it may be left alone."""
        return self.state in CALM and not (self.hedge and self.hedge.alarm)


def fleet_status(observed: Observed) -> tuple[BotStatus, ...]:
    """Every bot of the generation in force, by name."""
    applied = observed.applied
    if applied is None:
        return ()
    return tuple(_status(spec, view(name, observed)) for name, spec in sorted(applied.bots.items()))


def _status(spec: BotSpec, seen: BotView) -> BotStatus:
    state, why = _state(spec, seen)
    first = next(iter(spec.legs.values()))
    engine = seen.engine if isinstance(seen.engine, Engine) else None
    legs = engine.legs if engine else {}
    return BotStatus(
        name=spec.name,
        state=state,
        why=why,
        venue=first.venue,
        account=first.account,
        market=first.market,
        strategy=spec.strategy.kind,
        fingerprint=seen.fingerprint,
        orders=sum(leg.orders for leg in legs.values()) if legs else _orders_of_silence(seen),
        fills=sum(leg.fills for leg in legs.values()) if legs else None,
        pid=engine.pid if engine else (seen.process.pid if seen.process else None),
        generation=engine.generation if engine else None,
        legs=legs,
        hedge=engine.hedge if engine else None,
        risk=engine.risk if engine else None,
    )


def env_words(workspace: Workspace) -> str:
    """One line about whose overlays are in force; nothing where it is nobody's."""
    fleet = read_current_fleet(workspace)
    return f"environment: {fleet.env}" if fleet and fleet.env else ""


def watch_words(workspace: Workspace) -> str:
    """One line about the branch that is applied by itself; nothing where none is, or ever was."""
    status = read_status(workspace)
    if status is None:
        fleet = read_current_fleet(workspace)
        return "watch: has not looked yet" if fleet and fleet.watch else ""
    if not is_free(lock_file(workspace)):
        return status.words
    way_out = "" if status.result is Result.APPLIED else "; `botctl watch forget` takes this line away"
    return f"{status.words} (no watch runs now{way_out})"


def monitor_words(workspace: Workspace) -> str:
    """Where the fleet's metrics are, and how telling people goes; nothing where nobody asked for either."""
    fleet = read_current_fleet(workspace)
    if fleet is None or not fleet.is_monitored:
        return ""
    ends = " (monitor does not run)" if is_free(monitor_lock(workspace)) else ""
    words = [f"metrics: {address_of(fleet.metrics)}"] if fleet.metrics else []
    if fleet.alerts:
        ledger = read_ledger(workspace)
        count = sum(each.gone_ns is None for each in ledger.active.values())
        failing = sorted(ledger.failing.keys() & fleet.alerts.channels.keys())
        unheard = f"; not getting through: {', '.join(failing)}" if failing else ""
        words.append(f"alerts: {count} going on{unheard}")
    return "\n".join(f"{line}{ends}" for line in words)


def sentinel_words(workspace: Workspace) -> str:
    """One line about who looks after bots without a process; nothing where that is switched off."""
    fleet = read_current_fleet(workspace)
    if fleet is None or fleet.sentinel is None or not fleet.sentinel.enabled:
        return ""
    lock = sentinel_lock(workspace)
    holder = None if is_free(lock) else read_holder(lock)
    if holder is None:
        return "sentinel: does not run"
    return f"sentinel: watches as process {holder.pid} since {iso_utc(holder.since_ns)}"


def _orders_of_silence(seen: BotView) -> int | None:
    """A bot that finished its stop procedure has none; of any other silent bot nothing is known."""
    return 0 if seen.process and seen.process.ended_cleanly else None


def _state(spec: BotSpec, seen: BotView) -> tuple[str, str]:
    if isinstance(seen.engine, Engine):
        return _talking(seen, seen.engine)
    if seen.process_unknown:
        return "unknown", "the process supervisor does not answer"
    if seen.process and seen.process.state is ProcessState.STOPPING:
        return "stopping", ""
    if seen.process and seen.process.is_up:
        return ("unknown", seen.engine.why) if isinstance(seen.engine, Unknown) else ("starting", "")
    return _down(spec, seen)


def _talking(seen: BotView, engine: Engine) -> tuple[str, str]:
    if seen.hold and engine.state in ("paused", "tripped"):
        return "held", seen.hold.words
    reasons = sorted({leg.why_not for leg in engine.legs.values() if leg.why_not})
    if engine.hedge and engine.hedge.alarm:
        reasons.insert(0, engine.hedge.alarm)
    if not seen.is_supervised:
        reasons.append("runs unsupervised")
    return engine.state, "; ".join(reasons)


def _down(spec: BotSpec, seen: BotView) -> tuple[str, str]:
    if seen.hold:
        return "held", seen.hold.words
    if not spec.enabled:
        return "disabled", ""
    if seen.finished_as is not None and seen.finished_as == seen.applied_fingerprint:
        return "finished", ""
    process = seen.process
    if process and (process.state is ProcessState.FAILED or process.exit_code):
        return "failed", seen.why_down
    return "stopped", ""
