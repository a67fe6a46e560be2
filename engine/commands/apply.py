"""`botctl apply`: shows the plan, asks, and makes it true; or does exactly what a saved plan says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from engine.commands.consent import asked
from engine.commands.going_back import back_to, beside_the_files
from engine.commands.options import SELECTORS, Accept, Directory, Env, Exclude, Override, Why, Yes, tell
from engine.commands.show import show
from engine.control.apply import apply, require_allowed
from engine.control.desired import resolve_desired
from engine.control.events import Applied, Progressed, Sink, Stream, failed, nobody
from engine.control.fleet import Fleet, open_fleet
from engine.control.generations import Deed
from engine.control.observe import observe
from engine.control.plan_file import SUFFIX, read_plan
from engine.control.planning import make_plan
from engine.control.policy import with_findings
from engine.errors import BotctlError, Interrupted, UsageError
from engine.plan.actions import Plan
from engine.plan.desired import Desired
from engine.plan.policy_facts import Warrant
from engine.plan.risk_words import parse_risks
from engine.plan.selection import selection

Agree = Callable[[Plan], None]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What to make true, for which bots (empty: all), who agrees to the plan that comes of it, in which words it
    is kept."""

    desired: Desired
    agree: Agree
    deed: Deed
    only: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Typed:
    """What somebody typed. `look` shows a plan where nobody is asked."""

    what: Sequence[str]
    exclude: Sequence[str]
    env: str | None
    yes: bool
    accepted: Collection[str]
    look: Agree


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
    override: Override = None,
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
        look = _say_nothing if as_json else show
        typed = Typed(what=what or (), exclude=exclude or (), env=env, yes=yes, accepted=accepted, look=look)
        task = _task(fleet, Deed(why=why, warrant=Warrant(overrides=tuple(override or ()))), typed)
        done = apply(fleet, task.desired, task.agree, accepted=typed.accepted, only=task.only, deed=task.deed)
    except BotctlError as error:
        events(failed(error))
        raise
    except KeyboardInterrupt:
        events(failed(Interrupted("interrupted", hint="the next `botctl apply` goes on from here")))
        raise
    events(Applied(changes=len(done.changes)))
    if done.changes and not as_json:
        print(f"applied: {len(done.changes)} done")
    if task.deed.came_from is not None:
        tell(beside_the_files(fleet))


def _task(fleet: Fleet, deed: Deed, typed: Typed) -> Task:
    if any(word.endswith(SUFFIX) for word in typed.what):
        return _saved(fleet, deed, typed)
    desired, chosen = resolve_desired(fleet.workspace, tell, typed.env), selection(typed.what, typed.exclude)
    if typed.yes and chosen.is_everything:
        return Task(desired=desired, agree=typed.look, deed=deed)
    observed = observe(fleet)
    planned = with_findings(fleet.workspace, make_plan(desired, observed, chosen), observed, deed.warrant)
    agree = typed.look
    if not typed.yes:
        require = require_allowed(
            fleet, planned.desired, observed, accepted=typed.accepted, overrides=deed.warrant.overrides
        )
        agree = asked(planned.plan, "Apply this plan?", require=require, look=typed.look)
    return Task(desired=planned.desired, agree=agree, only=planned.only, deed=deed)


def _saved(fleet: Fleet, deed: Deed, typed: Typed) -> Task:
    """Whoever names a plan file has looked at it: nobody is asked again, and nothing else is done."""
    if len(typed.what) > 1 or typed.exclude:
        raise UsageError(
            "a saved plan is applied as it is, for the bots it was made for", hint=f"botctl apply {typed.what[0]}"
        )
    saved = read_plan(Path(typed.what[0]), fleet)

    def agree(plan: Plan) -> None:
        typed.look(plan)
        saved.require_same(plan)

    is_again = saved.came_from is not None
    warrant = replace(deed.warrant, plan_hash=saved.digest, made_from=saved.made_from, is_again=is_again)
    if saved.came_from is not None:
        tell(back_to(saved.came_from))
        deed = replace(deed, verb="rollback", came_from=saved.came_from)
    return Task(desired=saved.desired, agree=agree, only=saved.only, deed=replace(deed, warrant=warrant))


def _progress(events: Sink) -> Callable[[str], None]:
    def progress(line: str) -> None:
        tell(line)
        events(Progressed(line=line))

    return progress


def _say_nothing(_plan: Plan) -> None:
    """Programs are told by an event."""


def _print_line(line: str) -> None:
    print(line, flush=True)
