"""What whoever goes back to an earlier generation hears, from `rollback` and from a saved rollback alike."""

from __future__ import annotations

from engine.commands.options import tell
from engine.control.desired import resolve_desired
from engine.control.fleet import Fleet
from engine.control.observe import observe
from engine.errors import ConfigInvalid
from engine.plan.diff import diff
from engine.plan.render import summary

_POSITIONS = (
    "positions do not roll back: what was bought and sold since stays bought and sold, and every bot goes on from "
    "the position it has"
)


def back_to(generation: int, about: str = "") -> str:
    """Before it: where to, and what does not come along."""
    return f"back to generation {generation}{about}\n{_POSITIONS}"


def beside_the_files(fleet: Fleet) -> str:
    """After it: what the next `apply` would make of it. A rollback changes what runs, never what is declared."""
    try:
        plan = diff(resolve_desired(fleet.workspace, tell), observe(fleet))
    except ConfigInvalid:
        return "the files in bots/ cannot be applied as they are: `botctl validate` says why"
    if not plan.changes:
        return "the files in bots/ say the same"
    return (
        f"the files in bots/ still say otherwise ({summary(plan)}): `botctl plan` shows it, and the next "
        "`botctl apply` undoes this rollback; change the files too"
    )
