"""`botctl destroy`: a plan of nothing but retirements, shown, asked about and carried out like any other."""

from __future__ import annotations

from collections.abc import Callable, Collection

from engine.commands.consent import asked
from engine.commands.options import Accept, Directory, Exclude, Names, Why, Yes, tell
from engine.commands.show import show
from engine.control.apply import require_allowed
from engine.control.desired import desired_of
from engine.control.destroy import destroy, destroyed
from engine.control.fleet import Fleet, open_fleet
from engine.control.lifecycle import applied_generation, applied_names
from engine.control.observe import observe
from engine.plan.actions import Plan
from engine.plan.desired import Desired
from engine.plan.diff import diff
from engine.plan.risk_words import RiskWord, parse_risks


def command(
    names: Names = None,
    directory: Directory = None,
    yes: Yes = False,
    exclude: Exclude = None,
    accept: Accept = "",
    why: Why = "",
) -> None:
    """Stop bots (all when none is named) and forget that they were applied. Files, journals and logs stay."""
    accepted = parse_risks(accept)
    fleet = open_fleet(directory, verb="destroy", progress=tell)
    meant = applied_names(fleet, names or (), exclude) if names or exclude else ()
    desired = destroyed(desired_of(applied_generation(fleet)), meant)
    agree = show if yes else _asked(fleet, desired, meant, {*accepted, RiskWord.EMPTY})
    destroy(fleet, desired, agree, names=meant, accepted=accepted, why=why)


def _asked(
    fleet: Fleet, desired: Desired, names: Collection[str], accepted: Collection[str]
) -> Callable[[Plan], None]:
    observed = observe(fleet)
    plan = diff(desired, observed).only(names)
    return asked(plan, "Destroy these?", require=require_allowed(fleet, desired, observed, accepted=accepted))
