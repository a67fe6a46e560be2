"""Which programs a fleet needs, and how they are called: one fixed launcher line per bot and simulator.

What a bot means stands in its generation, never in this line, so that no setting forces a restart by itself.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

from engine.control.backends.interface import Program
from engine.errors import BotctlError
from engine.plan.actions import Subject
from engine.plan.desired import Desired
from engine.spec.types import BotSpec

SIMULATOR_STOP_S = 20
"""A simulator lingers up to 15 s, so that engines can cancel their orders first."""

SENTINEL = "sentinel"
SENTINEL_STOP_S = 5
"""It has nothing to wind up: what it was cancelling, the next one cancels."""

WATCH = "watch"
WATCH_STOP_S = 120
"""An apply that is under way may end; one that is cut off, the next apply finishes."""

MONITOR = "monitor"
MONITOR_STOP_S = 30
"""It may be telling somebody."""

COMPANIONS = frozenset({SENTINEL, WATCH, MONITOR})
"""What runs beside the bots."""

_PREFIXES = {Subject.BOT: "bot-", Subject.SIMULATOR: "sim-"}


def program_name(subject: Subject, name: str) -> str:
    return f"{_PREFIXES[subject]}{name}"


def subject_of(program: str) -> tuple[Subject, str] | None:
    """The bot or simulator a program is; None for one that is not ours."""
    for subject, prefix in _PREFIXES.items():
        if program.startswith(prefix):
            return subject, program.removeprefix(prefix)
    return None


def programs_of(desired: Desired) -> tuple[Program, ...]:
    """One program per simulator and per enabled bot, and companions; held bots are known too, and not started."""
    simulators = [
        Program(
            name=program_name(Subject.SIMULATOR, venue),
            command=_launcher("botctl-sim"),
            arguments=(venue,),
            stop_timeout_s=SIMULATOR_STOP_S,
        )
        for venue in sorted(desired.simulators)
    ]
    bots = [_bot_program(bot.spec) for _, bot in sorted(desired.bots.items()) if bot.spec.enabled]
    return (*simulators, *bots, *companions_of(desired))


def companions_of(desired: Desired) -> tuple[Program, ...]:
    """What runs beside these bots; nothing beside none."""
    if not desired.bots:
        return ()
    sentinel = desired.fleet.sentinel
    wanted = (
        (SENTINEL, SENTINEL_STOP_S, sentinel is not None and sentinel.enabled),
        (WATCH, WATCH_STOP_S, desired.fleet.watch is not None),
        (MONITOR, MONITOR_STOP_S, desired.fleet.is_monitored),
    )
    return tuple(_companion(name, stop_s) for name, stop_s, is_wanted in wanted if is_wanted)


def stop_deadline_s(spec: BotSpec | None) -> int:
    """How long a bot's stop procedure may take by its own declaration."""
    return math.ceil(spec.process.stop_timeout_s) if spec else 60


def _bot_program(spec: BotSpec) -> Program:
    return Program(
        name=program_name(Subject.BOT, spec.name),
        command=_launcher("botctl-engine"),
        arguments=(spec.name,),
        stop_timeout_s=stop_deadline_s(spec),
    )


def _companion(name: str, stop_timeout_s: int) -> Program:
    return Program(
        name=name,
        command=_launcher(f"botctl-{name}"),
        arguments=(),
        stop_timeout_s=stop_timeout_s,
        autostart=True,
    )


def _launcher(script: str) -> str:
    """The installed script's absolute path, so that a folder called engine in the workspace is never picked up."""
    path = Path(sys.executable).parent / script
    if not path.is_file():
        raise BotctlError(
            f"{path} is not installed",
            hint="install botctl in this environment: pip install . (or pip install -e .)",
        )
    return str(path)
