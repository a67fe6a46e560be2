"""A plan as a file: everything that apply needs to do exactly that, and nothing that is secret.

    botplan 1 sha256:<64 hex digits>     over all bytes that follow
    {"botctl": …, "plan": …, "desired": …}

The declaration is part of it, with secrets as references: what is applied is what was looked at, whatever the
files under bots/ say by then. Pure: `engine.control.plan_file` reads and writes.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256

import msgspec

from engine.clock import iso_utc
from engine.errors import Conflict, StalePlan, StateDamaged
from engine.model.value import Value
from engine.plan.actions import Plan
from engine.plan.desired import Desired
from engine.plan.policy_facts import Origin

_HEAD = b"botplan 1 sha256:"
_AGAIN = "make a new one: botctl plan -o FILE"


class SavedPlan(Value, frozen=True, kw_only=True):
    """`only` names the bots it is for; empty: all. `tolerance_pct` is how far the money at stake may move until the
    plan is another one, `made_from` the commit its declaration comes from; `came_from` is, of a rollback, the
    generation whose settings come back."""

    botctl: str
    who: str
    made_ns: int
    expires_ns: int
    plan: Plan
    desired: Desired
    only: tuple[str, ...] = ()
    tolerance_pct: Decimal = Decimal(10)
    made_from: Origin = Origin(says="nobody asked git")
    came_from: int | None = None

    @property
    def digest(self) -> str:
        """What names it: the hash that stands in its file."""
        return digest(encode(self))

    def require_mine(self, fleet: str, now_ns: int) -> None:
        """Conflict for the plan of another fleet, StalePlan for one that was left lying too long."""
        if self.plan.fleet != fleet:
            raise Conflict(
                f"this is a plan for the fleet {self.plan.fleet}, and here is the fleet {fleet}",
                hint=f"go to the workspace of {self.plan.fleet}, or {_AGAIN}",
            )
        if now_ns >= self.expires_ns:
            made, ended = iso_utc(self.made_ns), iso_utc(self.expires_ns)
            raise StalePlan(f"this plan was made at {made} and expired at {ended}", hint=_AGAIN)

    def require_same(self, now: Plan) -> None:
        """StalePlan unless the present asks for just what was planned. Process ids and prices may have moved."""
        if now.generation != self.plan.generation:
            raise _stale(f"generation {now.generation} is in force, and it was made against {self.plan.generation}")
        if not now.is_same_as(self.plan):
            raise _stale("the present asks for other actions by now: " + ", ".join(_differing(self.plan, now)))
        if moved := now.money_moved(self.plan, self.tolerance_pct):
            raise _stale(f"the money at stake moved by more than {self.tolerance_pct} %: {', '.join(moved)}")


def digest(content: bytes) -> str:
    """What names a plan file: the hash that stands in it."""
    return sha256(content.partition(b"\n")[2]).hexdigest()


def encode(saved: SavedPlan) -> bytes:
    body = msgspec.json.encode(saved) + b"\n"
    return _HEAD + sha256(body).hexdigest().encode() + b"\n" + body


def decode(content: bytes, *, name: str) -> SavedPlan:
    """StateDamaged for anything but the bytes that were once written."""
    head, newline, body = content.partition(b"\n")
    if not head.startswith(b"botplan "):
        raise StateDamaged(f"{name} is damaged, or no plan", hint=_AGAIN)
    if head + newline != _HEAD + sha256(body).hexdigest().encode() + b"\n":
        raise StateDamaged(f"{name} is damaged: its bytes are not those that were written", hint=_AGAIN)
    try:
        return msgspec.json.decode(body, type=SavedPlan)
    except msgspec.MsgspecError as error:
        raise StateDamaged(f"{name} was written by another botctl: {error}", hint=_AGAIN) from error


def _stale(why: str) -> StalePlan:
    return StalePlan(f"the plan is stale: {why}", hint="run `botctl plan` again and look at the difference")


def _differing(old: Plan, new: Plan) -> list[str]:
    """The names whose actions differ."""
    before, now = ({change.identity for change in plan.changes} for plan in (old, new))
    return sorted({identity[1] for identity in before ^ now})
