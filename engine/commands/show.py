"""Prints a plan as well as the terminal, the pipe or the locale can show it."""

from __future__ import annotations

import os
import sys

from engine.plan.actions import Plan
from engine.plan.render import Density, degraded, render


def show(plan: Plan, *, density: Density = Density.LINES) -> None:
    """Print a plan; with `--yes` this is all the consent there is."""
    text = render(plan, density=density, colour=_use_colour())
    print(degraded(text, sys.stdout.encoding or "ascii"), flush=True)


def _use_colour() -> bool:
    """Only for a terminal that can, and only when nobody objects (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
