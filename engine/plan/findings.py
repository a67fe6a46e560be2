"""What a policy says of a fleet: which rule, of whom, what it is and what it may be, and what to do about it."""

from __future__ import annotations

from engine.model.value import Value
from engine.spec.policy import Level


class Breach(Value, frozen=True, kw_only=True):
    """What speaks against a limit, or might: with `is_unknown`, nobody can tell. `bot` empty: the fleet as a whole;
    `field` is where the bot says it, by its path as written."""

    bot: str = ""
    field: str = ""
    what: str
    """Of whom and of what the figure is."""
    figure: str
    limit: str
    hint: str
    is_unknown: bool = False


class Finding(Breach, frozen=True, kw_only=True):
    """A breach of one rule. `place` is the bot's file and line (the rule's for the whole fleet)."""

    rule: str
    level: Level
    reason: str
    place: str
    rule_place: str

    @property
    def message(self) -> str:
        """One sentence without places, for people."""
        why = f" ({self.reason})" if self.reason else ""
        return f"{self.what}: {self.figure}; rule {self.rule} allows {self.limit}{why}"


def finding_text(finding: Finding) -> str:
    """One line with both places."""
    places = finding.rule_place if finding.place == finding.rule_place else f"{finding.place}; {finding.rule_place}"
    return f"policy {finding.level}: {finding.message}  ({places})"
