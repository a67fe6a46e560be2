"""What a policy must know beyond the fleet's files; gathered by `engine.control.policy`, judged in `policy`.

What is not here is unknown, and a rule that needs it says so.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from engine.model.value import Value
from engine.spec.types import Environment

Book = tuple[str, Environment, str]
"""Venue, environment and market: what has one price."""


class Signature(StrEnum):
    """What git says of a commit's signature."""

    GOOD = "good"
    NONE = "none"
    BAD = "bad"
    """Broken, or made by somebody who is not allowed to."""


class Origin(Value, frozen=True, kw_only=True):
    """Where files come from: their commit, and what differs from it. `says` is git's own word on the signature, or
    why there is no commit, and then `id` is empty."""

    id: str = ""
    dirty: tuple[str, ...] = ()
    signature: Signature = Signature.NONE
    says: str = ""


class Approval(Value, frozen=True, kw_only=True):
    """Somebody has looked at a plan and agrees to it."""

    who: str
    at: str
    why: str = ""


class Warrant(Value, frozen=True, kw_only=True):
    """By what somebody applies a plan: the rules he overrides; the hash of the saved plan he names, which approvals
    are by, and the commit that was made from (None: what git says now). `is_again`: a former generation comes back,
    so that no commit stands behind it now."""

    overrides: tuple[str, ...] = ()
    plan_hash: str = ""
    made_from: Origin | None = None
    is_again: bool = False


class Facts(Value, frozen=True, kw_only=True):
    """`applier` is who applies the plan, `approvals` are those of just this plan, `is_again` is the warrant's."""

    prices: dict[Book, Decimal] = {}
    equity: dict[str, Decimal] = {}
    commit: Origin = Origin(says="nobody asked git")
    applier: str = ""
    approvals: tuple[Approval, ...] = ()
    is_again: bool = False
