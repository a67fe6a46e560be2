"""One commit on its way: verified, read, validated, planned, and applied as a person's `apply --yes` would be.

What a person must decide is said and waited for: a rollback, a generation made by hand, drift that no apply
corrects, a lock, a risk that nobody accepted. Nothing of the sort is undone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import msgspec

from engine.control.apply import apply
from engine.control.committed import write_tree
from engine.control.desired import desired_of, resolve_desired
from engine.control.drift.looking import look_at
from engine.control.fleet import Fleet
from engine.control.generations import Deed
from engine.control.git import Commit, Git, Unsigned
from engine.control.in_force import rollback_in_force
from engine.control.observe import observe
from engine.control.watch.settings import signers_of
from engine.control.watch.state import Result, Wishes
from engine.errors import BotctlError, ConfigInvalid, Conflict, Refused, UsageError
from engine.host.generation import current_number, read_current, read_meta
from engine.model.value import Value
from engine.plan.actions import Action, Plan, Subject
from engine.plan.desired import Desired
from engine.plan.policy_facts import Origin, Signature, Warrant
from engine.plan.words import listed
from engine.spec.types import WatchSpec

VERB = "watch"
CORRECT = "the fleet goes on as it is; push a commit that corrects this"
SETTLE = "`botctl drift` shows it; `botctl drift adopt|revert|ignore ID` says what becomes of it"
FINDINGS_MAX = 3
GO_ON = "`botctl watch resume` goes on from what is in force; or change the repository"


class Verdict(Value, frozen=True, kw_only=True):
    """How an attempt ended. `exit_code` is that of `botctl watch --once`."""

    result: Result
    why: str = ""
    hint: str = ""
    exit_code: int = 0


class NeedsPerson(Refused):
    """Somebody acted by hand: that is not undone by a machine."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What is needed to try a commit. `applied_commit` is the last one that was made true; `own_generation` the
    last one that the watch left in force, made true or rolled back, when it tried `own_commit`."""

    fleet: Fleet
    git: Git
    spec: WatchSpec
    wishes: Wishes
    applied_commit: str | None
    own_commit: str | None = None
    own_generation: int | None = None

    def carry_out(self, commit: Commit) -> Verdict:
        """Never raises for what may go wrong with a commit: that is what the status tells."""
        try:
            return self._try(commit)
        except ConfigInvalid as error:
            return msgspec.structs.replace(_verdict(Result.REFUSED, error), hint=CORRECT)
        except (Unsigned, UsageError) as error:
            return _verdict(Result.REFUSED, error)
        except (Refused, Conflict) as error:
            return _verdict(Result.WAITING, error)
        except BotctlError as error:
            return _verdict(Result.FAILED, error)

    def _try(self, commit: Commit) -> Verdict:
        workspace = self.fleet.workspace
        if self.wishes.everything:
            raise NeedsPerson(f"the watch is suspended {self.wishes.everything.words}", hint=GO_ON)
        made_from = self._made_from(commit)
        write_tree(self.git, commit.id, workspace.watch / "tree")
        reading = msgspec.structs.replace(workspace, tree=workspace.watch / "tree")
        fleet = replace(self.fleet, workspace=reading)
        warn = fleet.progress if commit.id != self.applied_commit else _say_nothing
        desired, only = self._without_suspended(resolve_desired(reading, warn, self.spec.env))
        if not desired.bots:
            raise NeedsPerson("the commit declares no bot", hint="`botctl apply` by hand, if that is what you want")
        if self.wishes.bots and not only:
            return Verdict(result=Result.APPLIED, why="every bot is suspended")
        deed = Deed(verb=VERB, why=commit.words, warrant=Warrant(made_from=made_from))
        apply(fleet, desired, self._agrees(commit, desired), accepted=self.spec.accept, deed=deed, only=only)
        return Verdict(result=Result.APPLIED)

    def _made_from(self, commit: Commit) -> Origin:
        """What the policy judges: a commit and nothing beside it. Unsigned where a signature is wanted."""
        try:
            self.git.require_signature(commit, signers_of(self.fleet.workspace, self.spec))
        except Unsigned as error:
            if self.spec.require_signed:
                raise
            return Origin(id=commit.id, signature=Signature.BAD, says=error.message)
        return Origin(id=commit.id, signature=Signature.GOOD)

    def _without_suspended(self, desired: Desired) -> tuple[Desired, tuple[str, ...]]:
        """Suspended bots as they are in force, and the names of all others; none where nobody is suspended."""
        if not self.wishes.bots:
            return desired, ()
        generation = read_current(self.fleet.workspace)
        before = desired_of(generation).bots if generation else {}
        others = {name: bot for name, bot in desired.bots.items() if name not in self.wishes.bots}
        kept = {name: before[name] for name in self.wishes.bots if name in before}
        named = {*others, *before} - set(self.wishes.bots)
        return msgspec.structs.replace(desired, bots={**others, **kept}), tuple(sorted(named))

    def _agrees(self, commit: Commit, desired: Desired) -> Callable[[Plan], None]:
        def agree(plan: Plan) -> None:
            if plan.changes and (words := self._hand_made(commit)):
                raise NeedsPerson(words, hint=GO_ON)
            if anew := [action.name for action in plan.changes if _is_something_new(action)]:
                self._require_no_drift(desired, anew)

        return agree

    def _require_no_drift(self, desired: Desired, bots: Collection[str]) -> None:
        """NeedsPerson when something of these bots is not as it was left, and no apply corrects it. What a venue
        does not answer is no drift yet: engines ask for themselves before they trade."""
        drift = look_at(self.fleet, desired, observe(self.fleet), bots, _say_nothing)
        if waiting := [one for one in drift.findings if one.needs_person]:
            words = listed([f"{one.whose}: {one.words} ({one.id})" for one in waiting], FINDINGS_MAX)
            raise NeedsPerson(f"drift: {words}", hint=SETTLE)

    def _hand_made(self, commit: Commit) -> str:
        """In words, why what is in force is a person's will, which this commit does not answer; else empty.

        Any commit is newer than what somebody applied by hand before it; only a rollback outlasts commits, unless
        it was the watch's own: another commit answers that.
        """
        workspace = self.fleet.workspace
        number = current_number(workspace)
        if number is None or number == self.wishes.acknowledged:
            return ""
        if words := rollback_in_force(workspace):
            is_answered = number == self.own_generation and commit.id != self.own_commit
            return "" if is_answered else words
        meta = read_meta(workspace, number)
        if commit.id != self.applied_commit or meta.verb == VERB:
            return ""
        return f"generation {number} in force is by {meta.who} (`botctl {meta.verb or 'apply'}`), {meta.created_at}"


def _is_something_new(action: Action) -> bool:
    """Whether a bot gets other settings than it has: what was in force is restored whatever happened beside it."""
    return action.subject is Subject.BOT and action.before != action.after


def _verdict(result: Result, error: BotctlError) -> Verdict:
    return Verdict(result=result, why=error.message, hint=error.hint or "", exit_code=error.exit_code)


def _say_nothing(_line: str) -> None:
    """What a commit is warned of was said when it was new."""
