"""Hands out the settings of a legacy file one by one, as scalars for YAML, and notes what became of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from engine.model.instrument import plain
from engine.model.value import Value
from engine.spec.legacy.forms import Field, Legacy
from engine.spec.legacy.names import HARMLESS, NOT_NEEDED, NOT_POSSIBLE
from engine.spec.masking import mask

REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]{0,60}(:-[A-Za-z0-9_.\-]{0,30})?\}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./\-]{0,29}")
_NUMBER = re.compile(r"[+-]?\d{1,20}(\.\d{0,20})?([eE][+-]?\d{1,2})?")


class Fate(StrEnum):
    """What became of a setting. Only one that is not carried is a loss."""

    CARRIED = "carried"
    NOTE = "note"
    NOT_NEEDED = "not needed"
    NOT_CARRIED = "NOT carried"


class Remark(Value, frozen=True, kw_only=True):
    """About one setting: where it stood, and its place here or the reason. Never its value."""

    fate: Fate
    path: str
    words: str


class Intake:
    """Each setting is taken at most once; what nobody took is told by `rest`."""

    def __init__(self, legacy: Legacy) -> None:
        self._left = dict(legacy.fields)
        self.remarks: list[Remark] = []
        for field, instead in legacy.outweighed:
            self._say(Fate.NOTE, field, f"{instead.path} counts instead")

    def word(self, name: str, to: str = "") -> str | None:
        """A short plain word or a variable; anything else is not carried."""
        field = self._left.pop(name, None)
        if field is None or field.value is None:
            return self._nothing(field)
        text = str(field.value).strip()
        if not (_WORD.fullmatch(text) or REFERENCE.fullmatch(text)) or mask(text) != text:
            return self._lost(field, "it is no plain word")
        return self._carried(field, to, text)

    def number(self, name: str, to: str, *, times: int = 1, magnitude: bool = False) -> str | None:
        """A number, in this program's unit; `magnitude`: whatever its sign was, and nothing when it is zero."""
        field = self._left.pop(name, None)
        if field is None or field.value is None:
            return self._nothing(field)
        if isinstance(field.value, str) and REFERENCE.fullmatch(field.value):
            if times != 1:
                return self._lost(field, f"its variable is in another unit than {to}: {times} times as much here")
            return self._carried(field, to, field.value)
        number = _number(field.value)
        if number is None:
            return self._lost(field, "it is no number")
        if magnitude and not number:
            return self._empty(field, "0 stands for no limit")
        return self._carried(field, to, plain((abs(number) if magnitude else number) * times))

    def choice(self, name: str, to: str, meanings: Mapping[str, str]) -> str | None:
        """One of some words, in this program's words."""
        field = self._left.pop(name, None)
        if field is None or field.value is None:
            return self._nothing(field)
        meant = meanings.get(str(field.value).strip().lower())
        if meant is None:
            return self._lost(field, f"it is none of {', '.join(meanings)}")
        return self._carried(field, to, meant)

    def flag(self, name: str, to: str, *, otherwise: bool) -> bool:
        """Yes or no; `otherwise` where nothing usable is said."""
        said = self.choice(name, to, {"true": "true", "1": "true", "yes": "true", "false": "", "0": "", "no": ""})
        return otherwise if said is None else bool(said)

    def secret(self, name: str) -> Field | None:
        """A setting that may be a secret; whoever takes it says what becomes of it."""
        return self._left.pop(name, None)

    def note(self, path: str, words: str) -> None:
        self.remarks.append(Remark(fate=Fate.NOTE, path=path, words=words))

    def lost(self, field: Field, words: str) -> None:
        self._say(Fate.NOT_CARRIED, field, words)

    def carried(self, field: Field, to: str) -> None:
        self._say(Fate.CARRIED, field, to)

    def not_needed(self, name: str, why: str) -> None:
        """Whatever it says, it has no say in this bot."""
        if (field := self._left.pop(name, None)) is not None:
            self._say(Fate.NOT_NEEDED, field, why)

    def rest(self) -> None:
        """Whatever is left: known to be needless or impossible here, or not known at all."""
        for name, field in self._left.items():
            harmless = name in HARMLESS and str(field.value).lower() == str(HARMLESS[name]).lower()
            if field.value is None and not field.is_nested:
                self._empty(field)
            elif name in NOT_NEEDED:
                self._say(Fate.NOT_NEEDED, field, NOT_NEEDED[name])
            elif harmless:
                self._say(Fate.NOT_NEEDED, field, "it is so here anyway")
            else:
                self._say(Fate.NOT_CARRIED, field, NOT_POSSIBLE.get(name, "no such setting is known"))
        self._left.clear()

    def _nothing(self, field: Field | None) -> str | None:
        if field is None:
            return None
        return self._lost(field, "a single value belongs here") if field.is_nested else self._empty(field)

    def _carried(self, field: Field, to: str, text: str) -> str:
        if to:
            self._say(Fate.CARRIED, field, to)
        return text

    def _lost(self, field: Field, words: str) -> str | None:
        self._say(Fate.NOT_CARRIED, field, words)
        return None

    def _empty(self, field: Field, words: str = "it is empty") -> str | None:
        self._say(Fate.NOT_NEEDED, field, words)
        return None

    def _say(self, fate: Fate, field: Field, words: str) -> None:
        self.remarks.append(Remark(fate=fate, path=field.path, words=words))


def _number(value: str | bool | Decimal) -> Decimal | None:
    """As the old program understood it; a number nobody would write is none."""
    text = str(value).strip()
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        return None
    try:
        return Decimal(text).normalize()
    except InvalidOperation:
        return None
