"""What a check-up finds: one thing that was looked at, how it stands, and what to do about it."""

from __future__ import annotations

from enum import StrEnum

from engine.model.value import Value


class Grade(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(Value, frozen=True, kw_only=True):
    """One thing that was looked at."""

    grade: Grade
    what: str
    hint: str = ""
