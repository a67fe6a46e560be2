"""The two bases every value is built on.

msgspec structs are used instead of dataclasses because they are frozen, keyword-only and typed in the same
way, cost a fraction to create on the order path, and encode themselves for the journal.
"""

from __future__ import annotations

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """An immutable value; compared by content."""


class Message(Value, frozen=True, kw_only=True, tag=True):
    """A value that names its own type when encoded, so that a journal line can be read back."""
