"""Law 9 against a real supervisord: every observable change was in the plan, and nothing else changed.

One fleet is driven from one random declaration to the next; what the plan said is held against what every process,
every engine and the generation did.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from engine.control.apply import apply
from engine.control.fleet import Fleet
from engine.control.observe import observe
from engine.host.generation import read_current
from engine.plan.actions import Kind, Plan, Subject
from engine.plan.diff import diff
from engine.plan.risk_words import RiskWord
from engine.spec.types import BotSpec
from tests.control.outside import pids
from tests.control.test_rollout import behave, bot, forget, journal, policy
from tests.plan import fleets

NAMES = ("a", "b", "c", "d")
LIVES = {
    Kind.CREATE: ["start"],
    Kind.START: ["start"],
    Kind.UPDATE: ["change"],
    Kind.RESTART: ["end", "start"],
    Kind.REPLACE: ["end", "start"],
    Kind.STOP: ["end"],
    Kind.RETIRE: ["end"],
}
"""What a process lives through by each action; whatever is not here, it does not feel."""


def declared(chance: random.Random) -> list[BotSpec]:
    """Some of the bots, each with something that may differ from last time."""
    chosen = [name for name in NAMES if chance.random() < 0.8]
    return [_one(name, chance) for name in chosen]


def _one(name: str, chance: random.Random) -> BotSpec:
    changes: dict[str, Any] = {
        "stop_timeout_s": chance.choice([5, 5, 6]),
        "market": chance.choice([name, name, f"{name}2"]),
        "enabled": chance.random() < 0.85,
        "labels": chance.choice([{}, {"desk": "asia"}]),
        "depends_on": ["a"] if name == "d" else [],
    }
    return bot(name, chance.choice(["10", "12"]), **changes)


def lived(fleet: Fleet) -> dict[str, list[str]]:
    """By bot, what it lived through since the last look."""
    lives: dict[str, list[str]] = {}
    for line in journal(fleet):
        what, name, *_ = line.split()
        lives.setdefault(name, []).append(what)
    forget(fleet)
    return lives


def planned(plan: Plan) -> dict[str, list[str]]:
    actions = [action for action in plan.changes if action.subject is Subject.BOT]
    return {action.name: LIVES[action.kind] for action in actions if action.kind in LIVES}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rolled", [False, True], ids=["at once", "in waves"])
def test_every_change_was_in_the_plan_and_nothing_else(fleet: Fleet, seed: int, rolled: bool) -> None:
    chance = random.Random(seed)
    rollout = policy(max_unavailable=2) if rolled else None
    for _ in range(3):
        desired = fleets.desired(*declared(chance), policy=rollout)
        before, up = read_current(fleet.workspace), pids(fleet)
        plan = apply(fleet, desired, lambda _plan: None, accepted=set(RiskWord))
        expected = {name: life for name, life in planned(plan).items() if name in up or "start" in life}
        assert lived(fleet) == expected
        after = pids(fleet)
        touched = {name for name, life in expected.items() if life != ["change"]}
        assert {name: pid for name, pid in up.items() if name not in touched} == {
            name: pid for name, pid in after.items() if name not in touched
        }
        generation = read_current(fleet.workspace)
        assert generation is not None or before is None
        if generation is not None:
            assert generation.bots == {name: one.spec for name, one in desired.bots.items()}
        assert diff(desired, observe(fleet)).changes == ()


def test_a_plan_that_is_only_made_touches_nothing(fleet: Fleet) -> None:
    apply(fleet, fleets.desired(bot("a"), bot("b")), lambda _plan: None)
    behave(fleet, "a", "")
    lived(fleet)
    before, up = read_current(fleet.workspace), pids(fleet)
    assert diff(fleets.desired(bot("a", "12"), bot("c")), observe(fleet)).changes
    assert lived(fleet) == {} and pids(fleet) == up and read_current(fleet.workspace) == before
