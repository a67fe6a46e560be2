"""Resolves the declared fleet: files, variables and cached venue facts into values, or every complaint at once."""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec

from engine.control.facts import known_facts
from engine.errors import ConfigInvalid, StateDamaged
from engine.host.env_file import read_env_file
from engine.host.generation import Generation, read_current_fleet
from engine.host.sources import read_sources
from engine.host.workspace import Workspace
from engine.plan.desired import Desired, DesiredBot, DesiredSimulator
from engine.spec.diagnostics import render
from engine.spec.fingerprint import fingerprint, simulator_fingerprint
from engine.spec.load import Loaded, LoadedBot, load_fleet
from engine.spec.policy import Policy
from engine.spec.said import Said
from engine.spec.types import BASE, FleetSpec

ENV_VARIABLE = "BOTCTL_ENV"
"""Names the environment where no --env does."""


def resolve_desired(
    workspace: Workspace, warn: Callable[[str], None], env: str | None = None, said: Said | None = None
) -> Desired:
    """The fleet as its files say it now; ConfigInvalid with all diagnostics when they cannot be meant. `said` is of
    a bot that is run by itself."""
    loaded = load_workspace(workspace, env, said)
    for diagnostic in loaded.diagnostics:
        if not diagnostic.is_error:
            warn(render(diagnostic))
    if loaded.has_errors or loaded.fleet is None:
        raise invalid(loaded) if said is None else _unrunnable(loaded)
    return declared(loaded, loaded.fleet)


def declared(loaded: Loaded, fleet: FleetSpec) -> Desired:
    """What was loaded, as plans and policies compare it."""
    return Desired(
        fleet=fleet,
        bots={name: _bot(bot) for name, bot in loaded.bots.items()},
        simulators=_simulators(fleet),
        rules={name: f"{place.file}:{place.line}" for name, place in loaded.rules.items()},
    )


def load_workspace(workspace: Workspace, env: str | None = None, said: Said | None = None) -> Loaded:
    """Everything the workspace's files say in an environment, with what is wrong with them.

    None is that of BOTCTL_ENV, else the one that fleet.yaml chooses.
    """
    environment, facts = variables(workspace), known_facts(workspace)
    chosen = env or os.environ.get(ENV_VARIABLE) or None
    return load_fleet(read_sources(workspace), environment=environment, facts=facts, env=chosen, said=said)


def variables(workspace: Workspace) -> dict[str, str]:
    """Those of the workspace's `.env`, and over them the shell's."""
    return {**read_env_file(workspace.env_file), **os.environ}


def load_in_force(workspace: Workspace) -> Loaded:
    """The same in the environment that was applied last: for verbs that ask about what runs."""
    return load_workspace(workspace, env_in_force(workspace))


def env_in_force(workspace: Workspace) -> str | None:
    """The environment that was applied last; None before any was, or when BOTCTL_ENV names the one to ask of."""
    if os.environ.get(ENV_VARIABLE):
        return None
    try:
        fleet = read_current_fleet(workspace)
    except StateDamaged:
        return None  # whoever needs the applied state says so
    return None if fleet is None else fleet.env or BASE


def desired_of(generation: Generation) -> Desired:
    """What was applied, taken as what is wanted: for verbs that change no setting."""
    return Desired(
        fleet=generation.fleet,
        bots={
            name: DesiredBot(
                spec=spec, fingerprint=generation.fingerprints[name], file=f"generation {generation.number}"
            )
            for name, spec in generation.bots.items()
        },
        simulators=_simulators(generation.fleet),
        without=f"generation {generation.number} has no such bot",
        came_from=generation.number,
    )


def desired_again(generation: Generation, rules: Policy | None = None) -> Desired:
    """A former generation taken as what is wanted, with the fingerprints that this version gives, under today's
    rules (None: its own)."""
    former = desired_of(generation)
    policy = generation.fleet.policy if rules is None else rules
    bots = {
        name: msgspec.structs.replace(bot, fingerprint=fingerprint(bot.spec)) for name, bot in former.bots.items()
    }
    fleet = msgspec.structs.replace(former.fleet, policy=policy)
    return msgspec.structs.replace(former, bots=bots, fleet=fleet)


def _bot(bot: LoadedBot) -> DesiredBot:
    return DesiredBot(
        spec=bot.spec,
        fingerprint=fingerprint(bot.spec),
        file=bot.file,
        places={path: f"{place.file}:{place.line}" for path, place in bot.places.items()},
    )


def _simulators(fleet: FleetSpec) -> dict[str, DesiredSimulator]:
    return {venue: DesiredSimulator(fingerprint=simulator_fingerprint(fleet, venue)) for venue in fleet.sims}


def invalid(loaded: Loaded) -> ConfigInvalid:
    """Every error of the files, in one."""
    count, words = _errors(loaded)
    return ConfigInvalid(
        f"{count} in the fleet's files\n{words}", hint="`botctl validate` shows the same, and warnings"
    )


def _unrunnable(loaded: Loaded) -> ConfigInvalid:
    """The same where something was said beside the files."""
    count, words = _errors(loaded)
    hint = "what is missing, --set KEY=VALUE gives; `botctl schema` lists what there is"
    return ConfigInvalid(f"{count} in what is to run\n{words}", hint=hint)


def _errors(loaded: Loaded) -> tuple[str, str]:
    errors = [diagnostic for diagnostic in loaded.diagnostics if diagnostic.is_error]
    return f"{len(errors)} error{'s' * (len(errors) != 1)}", "\n".join(render(error) for error in errors)
