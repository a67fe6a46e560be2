"""Takes bots out of what was applied, and parts them from their owner tags. `botctl destroy` is the caller."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

import msgspec

from engine.control.apply import apply
from engine.control.audit import record
from engine.control.fleet import Fleet
from engine.control.generations import Deed
from engine.errors import UsageError
from engine.plan.actions import Kind, Plan, Subject
from engine.plan.desired import Desired
from engine.plan.risk_words import RiskWord
from engine.runtime.retire import retire_bot

_DESTROYED = "destroyed, until it is applied again; its files stay"


def destroy(
    fleet: Fleet,
    desired: Desired,
    agree: Callable[[Plan], None],
    *,
    names: Sequence[str],
    accepted: Collection[str] = (),
    why: str = "",
) -> Plan:
    """Retire bots as any apply would, then give their tags back; a tag whose orders may live stays with its bot.
    Who destroys everything has said so."""
    meant = {*accepted, RiskWord.EMPTY}
    plan = apply(fleet, desired, agree, deed=Deed(verb="destroy", why=why), only=names, accepted=meant)
    for name in plan.of(Subject.BOT, Kind.RETIRE):
        living = retire_bot(fleet.workspace, desired.fleet.id, name, at_ns=time.time_ns())
        record(fleet.workspace, "retire", result="done", bots=[name], orders_left=living)
        if living:
            fleet.progress(f"{name}: {living} of its orders may still rest; start it again to resolve them")
    return plan


def destroyed(desired: Desired, names: Sequence[str]) -> Desired:
    """The applied fleet without some bots; without any name, without anything at all."""
    unknown = sorted(set(names) - set(desired.bots))
    if unknown:
        raise UsageError(
            f"no such bot in the applied fleet: {', '.join(unknown)}", hint="`botctl status` lists them"
        )
    if not names:
        fleet = msgspec.structs.replace(desired.fleet, sims={})
        return Desired(fleet=fleet, bots={}, simulators={}, without=_DESTROYED)
    bots = {name: bot for name, bot in desired.bots.items() if name not in names}
    return msgspec.structs.replace(desired, bots=bots, without=_DESTROYED)
