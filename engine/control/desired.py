"""Resolves the declared fleet: files, variables and cached venue facts into values, or every complaint at once."""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec

from engine.control.facts import known_facts
from engine.errors import ConfigInvalid
from engine.host.env_file import read_env_file
from engine.host.generation import Generation
from engine.host.sources import read_sources
from engine.host.workspace import Workspace
from engine.plan.desired import Desired, DesiredBot, DesiredSimulator
from engine.spec.diagnostics import Diagnostic, render
from engine.spec.fingerprint import fingerprint, simulator_fingerprint
from engine.spec.load import Loaded, LoadedBot, load_fleet
from engine.spec.types import FleetSpec


def resolve_desired(workspace: Workspace, warn: Callable[[str], None]) -> Desired:
    """The fleet as its files say it now; ConfigInvalid with all diagnostics when they cannot be meant."""
    loaded = load_workspace(workspace)
    for diagnostic in loaded.diagnostics:
        if not diagnostic.is_error:
            warn(render(diagnostic))
    errors = [diagnostic for diagnostic in loaded.diagnostics if diagnostic.is_error]
    if errors or loaded.fleet is None:
        raise _invalid(errors)
    return Desired(
        fleet=loaded.fleet,
        bots={name: _bot(bot) for name, bot in loaded.bots.items()},
        simulators=_simulators(loaded.fleet),
    )


def load_workspace(workspace: Workspace) -> Loaded:
    """Everything the workspace's files say, with what is wrong with them."""
    environment = {**read_env_file(workspace.env_file), **os.environ}
    return load_fleet(read_sources(workspace), environment=environment, facts=known_facts(workspace))


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
    )


def desired_again(generation: Generation) -> Desired:
    """A former generation taken as what is wanted, with the fingerprints that this version gives."""
    former = desired_of(generation)
    bots = {
        name: msgspec.structs.replace(bot, fingerprint=fingerprint(bot.spec)) for name, bot in former.bots.items()
    }
    return msgspec.structs.replace(former, bots=bots)


def _bot(bot: LoadedBot) -> DesiredBot:
    return DesiredBot(
        spec=bot.spec,
        fingerprint=fingerprint(bot.spec),
        file=bot.file,
        places={path: f"{place.file}:{place.line}" for path, place in bot.places.items()},
    )


def _simulators(fleet: FleetSpec) -> dict[str, DesiredSimulator]:
    return {venue: DesiredSimulator(fingerprint=simulator_fingerprint(fleet, venue)) for venue in fleet.sims}


def _invalid(errors: list[Diagnostic]) -> ConfigInvalid:
    words = "\n".join(render(error) for error in errors)
    count = f"{len(errors)} error{'s' * (len(errors) != 1)}"
    return ConfigInvalid(
        f"{count} in the fleet's files\n{words}", hint="`botctl validate` shows the same, and warnings"
    )
