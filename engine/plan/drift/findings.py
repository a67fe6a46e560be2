"""The words of drift: what was found, what could not be looked at, and what can be done about a finding."""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256

from engine.model.value import Value

ID_CHARS = 8
ID_CHARS_MIN = 4
"""As little of an id names a finding."""


class Kind(StrEnum):
    """Which two of declared, applied, running and the venue disagree, and about what."""

    DECLARED = "declared"
    """The files say something that was not applied."""
    PROCESS = "process"
    """What was applied does not run, or what runs was not applied."""
    FINGERPRINT = "fingerprint"
    """An engine runs other settings than were applied."""
    FOREIGN_ORDER = "foreign_order"
    """An order on a bot's market that no bot sent."""
    ORPHAN_ORDER = "orphan_order"
    """An order of a bot that does not run."""
    POSITION = "position"
    """Position that own fills do not explain."""
    LEVERAGE = "leverage"
    """The venue's setting is not the declared one."""
    COLLATERAL = "collateral"
    """Balances moved, and neither fills nor funding say why."""


class Way(StrEnum):
    """What a person may say about a finding."""

    ADOPT = "adopt"
    """It is right as it is now."""
    REVERT = "revert"
    """It was right before."""
    IGNORE = "ignore"
    """Leave it as it is, and do not tell it again while it stays so."""


class Means(Value, frozen=True, kw_only=True):
    """What a way comes to for one finding. Not possible: `words` say why, and `instead` what a person can do."""

    words: str
    is_possible: bool = True
    instead: str = ""


NOTED = Means(words="is noted with your reason, and not told again while it stays just so")


class Finding(Value, frozen=True, kw_only=True):
    """One disagreement. `bot` is empty where it concerns a whole account or fleet; `source` says whose word `found`
    is, `place` is the file and line that decides. `subject` tells findings of one kind apart."""

    kind: Kind
    bot: str = ""
    leg: str = ""
    account: str = ""
    market: str = ""
    subject: str = ""
    expected: str
    found: str
    source: str
    place: str = ""
    needs_person: bool = False
    """No apply corrects it: an unattended one waits for somebody."""
    means: dict[Way, Means]

    @property
    def id(self) -> str:
        """Stays the same while the finding does: another figure is another finding, which nobody has judged yet."""
        parts = (self.kind, self.bot, self.leg, self.account, self.market, self.subject, self.expected, self.found)
        return sha256("\0".join(parts).encode()).hexdigest()[:ID_CHARS]

    @property
    def whose(self) -> str:
        """What it is listed under."""
        return self.bot or (f"account {self.account}" if self.account else "fleet")

    @property
    def words(self) -> str:
        """One line for people and records."""
        where = f" on {self.market}" if self.market else ""
        return f"{self.kind.replace('_', ' ')}{where}: {self.found}; expected {self.expected}"


class Unlooked(Value, frozen=True, kw_only=True):
    """What was not compared, and why. `is_failure`: it was asked and no answer came, so nobody knows (law 1); else
    there was nothing to compare, and the next look may say more."""

    whose: str
    what: str
    why: str
    is_failure: bool = True


class Noted(Value, frozen=True, kw_only=True):
    """A finding that somebody ignores, and what he was shown."""

    id: str
    who: str
    at: str
    why: str
    bot: str
    words: str


class Drift(Value, frozen=True, kw_only=True):
    """Everything that was found at one look. `noted` are findings that are ignored, with the note."""

    fleet: str
    generation: int | None
    looked_at: str
    findings: tuple[Finding, ...]
    noted: tuple[tuple[Finding, Noted], ...] = ()
    unlooked: tuple[Unlooked, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether everything that can be asked has answered."""
        return not any(one.is_failure for one in self.unlooked)
