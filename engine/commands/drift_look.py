"""What `botctl drift` shows. It is given a view without hands, and imports nothing that acts."""

from __future__ import annotations

import json
import sys

from engine.commands.options import tell
from engine.control.drift.looking import Wanted, look
from engine.control.fleet import View
from engine.model.value import Value
from engine.plan.drift.document import drift_document
from engine.plan.drift.findings import Drift
from engine.plan.drift.render import render
from engine.plan.render import degraded
from engine.plan.selection import selection

DIFFERENCES = 2
NOT_LOOKED_AT = 1


class Looking(Value, frozen=True, kw_only=True):
    """What was typed: which bots, and in which environment."""

    selectors: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    env: str | None = None


def look_and_show(view: View, looking: Looking, *, as_json: bool, everything: bool, ways: bool) -> int:
    """2 with findings; 1 when there are none but not everything could be looked at."""
    wanted = Wanted(selection=selection(looking.selectors, looking.excluded), env=looking.env)
    drift = look(view, wanted, tell if sys.stderr.isatty() else lambda _line: None).drift
    if as_json:
        print(json.dumps(drift_document(drift), indent=2, ensure_ascii=False))
    else:
        print(degraded(render(drift, everything=everything, ways=ways), sys.stdout.encoding or "ascii"))
    return exit_code(drift)


def exit_code(drift: Drift) -> int:
    if drift.findings:
        return DIFFERENCES
    return 0 if drift.is_complete else NOT_LOOKED_AT
