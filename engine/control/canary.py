"""Watches the canaries of a rollout for their time, and says which of them must not be followed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from engine.control.facts import known_facts
from engine.control.fleet import Fleet
from engine.control.observe import ENGINE_TIMEOUT_S
from engine.errors import BotctlError
from engine.host.control_client import Reply, call_all
from engine.host.holds import read_hold
from engine.host.workspace import Workspace
from engine.plan.canary import Watched, shrunk, trouble, verdict, vitals, watch
from engine.plan.desired import DesiredBot
from engine.plan.stages import Shrink
from engine.spec.types import BotSpec, CanarySpec, RolloutSpec

POLL_S = 1.0
"""How often they are asked; a fraction of what any bound is measured in."""
PATIENCE = 3
"""So many questions in a row may stay without an answer."""


def shrink_by(workspace: Workspace, policy: RolloutSpec) -> Shrink:
    """A bot at the size of a canary, on the lots its market is known to have."""
    lookup = known_facts(workspace)

    def shrink(spec: BotSpec) -> BotSpec:
        leg = next(iter(spec.legs.values()))
        markets = lookup(leg.venue, spec.accounts[leg.account].environment)
        instrument = markets.find(leg.market) if markets else None
        return shrunk(spec, policy.canary.size_pct, instrument) if policy.canary else spec

    return shrink


def judge(fleet: Fleet, policy: CanarySpec, bots: Mapping[str, DesiredBot]) -> None:
    """Return when the canaries' time is over and nothing speaks against them; BotctlError as soon as something
    does."""
    fleet.progress(f"watching {', '.join(bots)} for {float(policy.for_s):g} s")
    seen: dict[str, Watched] = {}
    silent = dict.fromkeys(bots, 0)
    end = time.monotonic() + float(policy.for_s)
    while True:
        for name, reply in _asked(fleet, bots).items():
            silent[name] = silent[name] + 1 if isinstance(reply, BotctlError) else 0
            if isinstance(reply, BotctlError):
                continue
            _require(name, _changed(fleet, name, bots[name], reply))
            seen[name] = watch(seen.get(name), vitals(reply, time.monotonic()))
        _require_all((name, "does not answer") for name, times in silent.items() if times >= PATIENCE)
        _require_all((name, trouble(policy, watched)) for name, watched in seen.items())
        if time.monotonic() >= end:
            break
        time.sleep(min(POLL_S, max(0.0, end - time.monotonic())))
    _require_all((name, verdict(policy, seen[name]) if name in seen else "never answered") for name in bots)
    fleet.progress(f"{', '.join(bots)} did well")


def _asked(fleet: Fleet, names: Iterable[str]) -> dict[str, Reply | BotctlError]:
    sockets = {name: fleet.workspace.control_socket(name) for name in names}
    return call_all(sockets, "status", timeout_s=ENGINE_TIMEOUT_S)


def _changed(fleet: Fleet, name: str, bot: DesiredBot, reply: Reply) -> str:
    """A canary that is held, or runs something else by now, says nothing about its settings."""
    hold = read_hold(fleet.workspace, name)
    if hold is not None:
        return f"is held ({hold.kind}) by {hold.who}: {hold.why}"
    if reply.get("fingerprint") != bot.fingerprint:
        return f"runs {reply.get('fingerprint')} instead of {bot.fingerprint}"
    return ""


def _require_all(found: Iterable[tuple[str, str]]) -> None:
    for name, why in found:
        _require(name, why)


def _require(name: str, why: str) -> None:
    if why:
        raise BotctlError(f"canary {name} {why}", hint=f"botctl logs {name}")
