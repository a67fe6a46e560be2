"""One thing that is wrong with a bot beyond its schema: what rules of a strategy say, and `rules` reports."""

from __future__ import annotations

from engine.model.value import Value


class Complaint(Value, frozen=True, kw_only=True):
    """One thing that is wrong; `field` is a path below the bot."""

    code: str
    field: tuple[str, ...]
    message: str
    hint: str | None = None
    is_warning: bool = False
