"""Carries out a plan wave by wave, as `rollout` of fleet.yaml asks: canary first, each wave judged before the next.

A wave is an ordinary apply towards an intermediate fleet (`engine.plan.stages`), and so is the way back. Nothing is
remembered between waves: an apply that was interrupted is finished by the next one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from msgspec.structs import asdict

from engine.control.canary import judge, shrink_by
from engine.control.events import RollbackBegun, RolledBack, WaveBegun, WaveFailed, WaveHealthy
from engine.control.fleet import Fleet
from engine.control.generations import Deed
from engine.control.health import Gate
from engine.control.observe import observe
from engine.errors import BotctlError, Unavailable
from engine.plan.actions import Plan, Subject, Wave
from engine.plan.desired import Desired, DesiredBot
from engine.plan.diff import diff
from engine.plan.observed import Observed
from engine.plan.render import render
from engine.plan.stages import Stage, as_desired, stages
from engine.spec.types import OnFailure, RolloutSpec

CarryOut = Callable[[Desired, Plan, Observed, Deed], None]
"""Writes a generation and converges: desired, the plan for it, what was seen, and what the record says it is."""

_NO_ROLLBACK = "positions and fills are not rolled back"


def roll_out(
    fleet: Fleet, desired: Desired, plan: Plan, observed: Observed, *, carry_out: CarryOut, deed: Deed
) -> None:
    """Make the plan true; BotctlError when a wave failed, after what `on_failure` asks for was done."""
    policy = desired.fleet.rollout
    if policy is None:
        carry_out(desired, plan, observed, deed)
        return
    waves = plan.waves or (_all_of(plan),)
    rollout = _Rollout(fleet=fleet, policy=policy, observed=observed, carry_out=carry_out)
    done: list[Wave] = []
    for stage in stages(desired, observed.applied, waves, shrink_by(fleet.workspace, policy)):
        done.append(stage.wave)
        begun = WaveBegun(wave=len(done), of=len(waves), bots=stage.wave.bots, canary=stage.wave.canary)
        fleet.events(begun)
        try:
            rollout.take(stage, f"wave {len(done)} of {len(waves)}", plan if len(waves) == 1 else None, deed)
        except BotctlError as error:
            fleet.events(WaveFailed(**asdict(begun), error=error.message))
            rollout.fail(error, done, len(waves))
        fleet.events(WaveHealthy(**asdict(begun)))


def gate_of(policy: RolloutSpec | None) -> Gate:
    """With a rollout, a bot has to quote; without one, running the planned settings is enough."""
    return Gate() if policy is None else Gate(timeout_s=float(policy.health_timeout_s), must_quote=True)


@dataclass(frozen=True, kw_only=True)
class _Rollout:
    """One plan on its way, and what was true before it began."""

    fleet: Fleet
    policy: RolloutSpec
    observed: Observed
    carry_out: CarryOut

    def take(self, stage: Stage, title: str, whole: Plan | None, deed: Deed) -> None:
        """One wave. `whole` is the plan itself where this wave is all there is."""
        wave, canary = stage.wave, self.policy.canary
        if whole is not None:
            self.carry_out(stage.desired, whole, self.observed, deed)
            return
        self.fleet.progress(f"{title}{', canary' if wave.canary else ''}: {', '.join(wave.bots)}")
        now, plan = self._plan(stage.desired, wave)
        self.carry_out(stage.desired, plan, now, deed)
        if wave.canary and canary is not None:
            judge(self.fleet, canary, _running(stage))

    def fail(self, error: BotctlError, done: list[Wave], count: int) -> NoReturn:
        """What becomes of the bots touched so far."""
        failed = "the rollout failed" if count == 1 else f"wave {len(done)} of {count} failed"
        words = f"{failed}: {error.message}"
        if self.policy.on_failure is OnFailure.STOP:
            hint = (
                f"nothing was rolled back (rollout.on_failure: stop); {error.hint or 'botctl plan shows the rest'}"
            )
            raise BotctlError(words, hint=hint) from error
        if self.observed.applied is None:
            raise BotctlError(words, hint="there is no earlier generation to roll back to; botctl plan") from error
        try:
            self._roll_back(done, why=words)
        except BotctlError as second:
            raise BotctlError(f"{words}; and the rollback failed: {second.message}", hint=second.hint) from error
        number = self.observed.applied.generation
        raise BotctlError(
            f"{words}; rolled back to the settings of generation {number}, {_NO_ROLLBACK}",
            hint="botctl plan shows what is still to be done",
        ) from error

    def _roll_back(self, done: list[Wave], *, why: str) -> None:
        assert self.observed.applied is not None
        before = as_desired(self.observed.applied)
        deed = Deed(verb="rollback", why=why, came_from=self.observed.applied.generation)
        touched = Wave(
            bots=tuple({name for wave in done for name in wave.bots}),
            simulators=tuple({name for wave in done for name in wave.simulators}),
        )
        now, plan = self._plan(before, touched)
        self.fleet.progress(f"rolling back; {_NO_ROLLBACK}\n{render(plan)}")
        self.fleet.events(RollbackBegun(to_generation=self.observed.applied.generation, plan=plan))
        self.carry_out(before, plan, now, deed)
        self.fleet.events(RolledBack(to_generation=self.observed.applied.generation))

    def _plan(self, desired: Desired, wave: Wave) -> tuple[Observed, Plan]:
        """What a wave takes by now. Nothing is done about what cannot be seen (law 1)."""
        now = observe(self.fleet)
        plan = diff(desired, now).part(wave)
        if plan.trouble:
            raise Unavailable("; ".join(plan.trouble))
        return now, plan


def _running(stage: Stage) -> dict[str, DesiredBot]:
    """The wave's bots that should be up now."""
    bots = stage.desired.bots
    return {name: bots[name] for name in stage.wave.bots if name in bots and bots[name].spec.enabled}


def _all_of(plan: Plan) -> Wave:
    return Wave(
        bots=tuple(action.name for action in plan.changes if action.subject is Subject.BOT),
        simulators=tuple(action.name for action in plan.changes if action.subject is Subject.SIMULATOR),
    )
