"""One legacy file → a bot in this program's settings, the account it needs, and what became of each setting."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePath

from msgspec.structs import replace

from engine.errors import ConfigInvalid
from engine.model.value import Value
from engine.spec.legacy.accounts import VENUES, ImportedAccount, account_of, proxy_of
from engine.spec.legacy.forms import read_legacy
from engine.spec.legacy.intake import Fate, Intake, Remark
from engine.spec.legacy.strategies import (
    PERP,
    SPOT,
    Section,
    kind_of,
    process_section,
    risk_section,
    strategy_section,
)
from engine.spec.masking import mask

_MARKET_TYPES = {SPOT: SPOT, PERP: PERP, "perpetual": PERP, "futures": PERP}
_LONGEST_NAME = 31
"""A longer one would look like a key."""


class Imported(Value, frozen=True, kw_only=True):
    """A legacy file in this program's words; sections hold YAML scalars. `legs` is empty for a bot of one leg."""

    name: str
    market: str
    account: ImportedAccount
    strategy: Section
    risk: Section
    process: Section
    remarks: tuple[Remark, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the file was lost."""
        return all(remark.fate is not Fate.NOT_CARRIED for remark in self.remarks)

    def called(self, name: str) -> Imported:
        """The same under another name."""
        return replace(self, name=name)


def convert(text: str, *, file: str) -> Imported:
    """What the file says, as far as it can be said here. ConfigInvalid when it is no legacy form, or speaks of a
    venue or a strategy that there is not."""
    intake = Intake(read_legacy(text))
    exchange = (intake.word("exchange", "exchange.account") or "").lower()
    if exchange not in VENUES:
        raise ConfigInvalid(f"its exchange is none of {', '.join(sorted(VENUES))}")
    market_type = intake.choice("market_type", "strategy.kind", _MARKET_TYPES)
    kind = kind_of((intake.word("strategy", "strategy.kind") or "").lower(), market_type)
    market = intake.word("symbol", "exchange.market")
    if kind is None or market is None:
        lacking = "strategy" if kind is None else "symbol"
        raise ConfigInvalid(f"its {lacking} is not one that is known here")
    name = _name(intake, file)
    account = account_of(exchange, SPOT if kind in ("grid", "market_maker") else market_type, intake)
    strategy, risk = strategy_section(kind, intake), risk_section(intake)
    process = process_section(intake)
    if proxy := proxy_of(intake):
        process["proxy"] = proxy
    intake.rest()
    return Imported(
        name=name,
        market=market,
        account=account,
        strategy=strategy,
        risk=risk,
        process=process,
        remarks=tuple(intake.remarks),
    )


def _name(intake: Intake, file: str) -> str:
    """The instance's id, else its name as far as a bot may be called so, else the file's."""
    found = [field for key in ("instance_id", "name") if (field := intake.secret(key))]
    named = next((field for field in found if _says_name(str(field.value))), None)
    for field in found:
        if field is named:
            intake.carried(field, "metadata.name")
        else:
            intake.note(field.path, "not the bot's name here")
    return _slug(PurePath(file).stem if named is None else str(named.value)) or "imported"


def _says_name(text: str) -> bool:
    """Whether most of it is left in a name, and it is neither a variable nor as long as a key."""
    return "${" not in text and mask(text) == text and len(_slug(text)) * 2 > min(len(text), _LONGEST_NAME)


def _slug(text: str) -> str:
    """Small letters, digits and dashes, in whole words as far as there is room."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    return (
        slug
        if len(slug) <= _LONGEST_NAME
        else (slug[: _LONGEST_NAME + 1].rpartition("-")[0] or slug[:_LONGEST_NAME])
    )
