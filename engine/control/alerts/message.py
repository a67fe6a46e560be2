"""News in words: short enough for a telephone."""

from __future__ import annotations

from engine.control.alerts.ledger import News
from engine.model.value import Value

LINES = 12
LINE_CHARS = 140
"""Together less than 2,000 characters, which is the least that any of the services takes (Discord)."""


class Message(Value, frozen=True, kw_only=True):
    """A subject, and the whole of it."""

    subject: str
    text: str


def message(fleet_id: str, news: News) -> Message:
    """What begun, what goes on, and what is over, one line each; of more than LINES only how many more."""
    counts = (("new", news.begun), ("going on", news.lasting), ("over", news.over))
    told = ", ".join(f"{len(texts)} {word}" for word, texts in counts if texts)
    lines = [f"{word}: {text}"[:LINE_CHARS] for word, texts in counts for text in texts.values()]
    if len(lines) > LINES:
        lines[LINES:] = [f"and {len(lines) - LINES} more: botctl alerts"]
    subject = f"botctl {fleet_id}: {told}"
    return Message(subject=subject, text="\n".join([subject, *lines]))
