"""The present as it would be had a declaration been applied: for a plan where no fleet runs, as in a pull request.

Nothing is known of orders and positions there, and the plan says so.
"""

from __future__ import annotations

from engine.plan.desired import Desired
from engine.plan.observed import Applied, Engine, Observed, Process, ProcessState, Simulator

_RUNNING = Process(state=ProcessState.RUNNING)


def as_if_applied(desired: Desired) -> Observed:
    """Every enabled bot runs what it should, and every simulator."""
    running = {name: bot for name, bot in desired.bots.items() if bot.spec.enabled}
    simulators = {venue: simulator.fingerprint for venue, simulator in desired.simulators.items()}
    return Observed(
        applied=Applied(
            generation=0,
            fleet=desired.fleet,
            bots={name: bot.spec for name, bot in desired.bots.items()},
            fingerprints={name: bot.fingerprint for name, bot in desired.bots.items()},
            simulators=simulators,
        ),
        processes=dict.fromkeys(running, _RUNNING),
        engines={
            name: Engine(pid=0, state="running", fingerprint=bot.fingerprint, generation=0, legs={}, spec=bot.spec)
            for name, bot in running.items()
        },
        simulators={venue: Simulator(process=_RUNNING, fingerprint=known) for venue, known in simulators.items()},
    )
