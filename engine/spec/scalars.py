"""What a plain word in YAML means here: YAML 1.2's core rules, and numbers exact.

So `no`, `on` and `1:30` stay text instead of becoming false, true and ninety, and `0.1` is a Decimal, never a
float. Only plain decimal digits are a number: `010`, `0x1F`, `1_000`, `.inf` and `.nan` stay text, and a field
that wants a number refuses them with a hint.
"""

from __future__ import annotations

import re
from decimal import Decimal

from engine.spec.document import Plain

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,9})?")

FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""Characters that may stand in no file and no value: controls, lone surrogates, byte order marks."""

_MAX_DIGITS = 40
_MAX_EXPONENT = 30


class NumberOutOfRange(ValueError):
    """More digits than any price or size has: written out, it could fill the memory."""


def meaning_of(text: str) -> Plain:
    """The value of an unquoted scalar. Raises NumberOutOfRange."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if not _DECIMAL.fullmatch(text):
        return text
    if len(text) > _MAX_DIGITS:
        raise NumberOutOfRange(f"a number of {len(text)} characters")
    if _INTEGER.fullmatch(text):
        return int(text)
    number = Decimal(text)
    if abs(number.adjusted()) > _MAX_EXPONENT or abs(int(number.as_tuple().exponent)) > _MAX_DIGITS:
        raise NumberOutOfRange(f"the number {text} is out of range")
    return number
