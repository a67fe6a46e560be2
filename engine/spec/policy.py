"""What a fleet may be and do, as its owner wrote it down: the `policy` of fleet.yaml.

Here are its values; `engine.plan.policy` judges by them.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from engine.model.value import Value

ANY = "*"
"""Stands for every venue that is not named."""


class Level(StrEnum):
    """What becomes of a plan that a rule speaks against."""

    WARN = "warn"
    OVERRIDE = "override"
    """Refused, unless somebody overrides the rule and says why."""
    DENY = "deny"


class CommitState(StrEnum):
    """What must be true of the commit that files come from."""

    CLEAN = "clean"
    """Every file is as it was committed."""
    SIGNED = "signed"
    """And the commit is signed by somebody who is allowed to."""


class Share(StrEnum):
    """Of what a rule limits the share in all that the fleet may hold."""

    MARKET = "market"
    VENUE = "venue"
    ACCOUNT = "account"


class Rule(Value, frozen=True, kw_only=True):
    """One rule; exactly one of its limits is given. Globs are those of a shell; money is in quote (USD)."""

    level: Level
    reason: str = ""
    """What people are told, beside what the rule found."""
    markets: dict[str, tuple[str, ...]] | None = None
    """Globs by venue; a venue that neither is named nor falls under `*` has no market that is allowed."""
    strategies: tuple[str, ...] | None = None
    venues: tuple[str, ...] | None = None
    environments: tuple[str, ...] | None = None
    max_leverage: dict[str, Decimal] | None = None
    """By venue; one that neither is named nor falls under `*` has no limit."""
    max_total_notional_usd: Decimal | None = None
    max_position_notional_usd: Decimal | None = None
    max_share_pct: dict[Share, Decimal] | None = None
    mainnet_commit: CommitState | None = None
    four_eyes: tuple[str, ...] | None = None
    """The environments in which somebody else must have approved the plan."""

    @property
    def limits(self) -> tuple[str, ...]:
        """The names of the limits that are given."""
        return tuple(name for name in LIMITS if getattr(self, name) is not None)


LIMITS = tuple(name for name in Rule.__struct_fields__ if name not in ("level", "reason"))

Policy = dict[str, Rule]
"""Rules by name."""
