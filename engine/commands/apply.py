"""`botctl apply`: shows the plan, asks, and makes it true; or does exactly what a saved plan says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from engine.commands.consent import asked
from engine.commands.options import SELECTORS, Accept, Directory, Env, Exclude, Why, Yes, tell
from engine.commands.show import show
from engine.control.apply import apply
from engine.control.desired import resolve_desired
from engine.control.events import Applied, Progressed, Sink, Stream, failed, nobody
from engine.control.fleet import Fleet, open_fleet
from engine.control.generations import Deed
from engine.control.observe import observe
from engine.control.plan_file import SUFFIX, read_plan
from engine.control.planning import make_plan
from engine.errors import BotctlError, UsageError
from engine.plan.actions import Plan
from engine.plan.desired import Desired
from engine.plan.risk_words import parse_risks
from engine.plan.selection import selection

Agree = Callable[[Plan], None]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What to make true, for which bots (empty: all), and who agrees to the plan that comes of it."""

    desired: Desired
    agree: Agree
    only: tuple[str, ...] = ()


def command(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE.botplan | SELECTOR…]", help=f"a saved plan, or bots: {SELECTORS}", show_default=False
        ),
    ] = None,
    directory: Directory = None,
    exclude: Exclude = None,
    env: Env = None,
    yes: Yes = False,
    why: Why = "",
    accept: Accept = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="what happens, for programs: one object per line")
    ] = False,
) -> None:
    """Make the running fleet what its files say, or do what a saved plan says, through supervisor."""
    accepted = parse_risks(accept)
    events = Stream(_print_line) if as_json else nobody
    fleet = open_fleet(directory, verb="apply", progress=_progress(events), events=events)
    try:
        task = _task(fleet, what or (), exclude or (), env, look=_say_nothing if as_json else show, yes=yes)
        done = apply(fleet, task.desired, task.agree, accepted=accepted, only=task.only, deed=Deed(why=why))
    except BotctlError as error:
        events(failed(error))
        raise
    events(Applied(changes=len(done.changes)))
    if done.changes and not as_json:
        print(f"applied: {len(done.changes)} done")


def _task(
    fleet: Fleet, what: Sequence[str], exclude: Sequence[str], env: str | None, *, look: Agree, yes: bool
) -> Task:
    """`look` shows a plan where nobody is asked."""
    if any(word.endswith(SUFFIX) for word in what):
        return _saved(fleet, what, exclude, look)
    desired, chosen = resolve_desired(fleet.workspace, tell, env), selection(what, exclude)
    if yes and chosen.is_everything:
        return Task(desired=desired, agree=look)
    planned = make_plan(desired, observe(fleet), chosen)
    agree = look if yes else asked(planned.plan, "Apply this plan?", look=look)
    return Task(desired=planned.desired, agree=agree, only=planned.only)


def _saved(fleet: Fleet, what: Sequence[str], exclude: Sequence[str], look: Agree) -> Task:
    """Whoever names a plan file has looked at it: nobody is asked again, and nothing else is done."""
    if len(what) > 1 or exclude:
        raise UsageError(
            "a saved plan is applied as it is, for the bots it was made for", hint=f"botctl apply {what[0]}"
        )
    saved = read_plan(Path(what[0]), fleet)

    def agree(plan: Plan) -> None:
        look(plan)
        saved.require_same(plan)

    return Task(desired=saved.desired, agree=agree, only=saved.only)


def _progress(events: Sink) -> Callable[[str], None]:
    def progress(line: str) -> None:
        tell(line)
        events(Progressed(line=line))

    return progress


def _say_nothing(_plan: Plan) -> None:
    """Programs are told by an event."""


def _print_line(line: str) -> None:
    print(line, flush=True)
