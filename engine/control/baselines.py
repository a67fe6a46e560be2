"""Keeps how an account stands, so that a later comparison begins there: what moved before it is settled."""

from __future__ import annotations

import msgspec

from engine.control.reconcile import baseline_file
from engine.control.venue_questions import Counter
from engine.host.files import write_atomic
from engine.trading.reconciliation import Baseline


def keep_baseline(counter: Counter, now: Baseline | None) -> None:
    """Nothing is kept of an account that could not be seen at one moment: what was known of it stays."""
    if now is not None:
        write_atomic(baseline_file(counter), msgspec.json.encode(now))
