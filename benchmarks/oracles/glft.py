"""The engine's Gueant-Lehalle-Fernandez-Tapia quotes against the figures of the paper.

O. Guéant, C.-A. Lehalle and J. Fernandez-Tapia, "Dealing with the inventory risk", Mathematics and Financial
Economics 7 (2013), with its sigma 0.3, A 0.9, k 0.3 and gamma 0.01, and inventories from -30 to 30.
Run with `python -m benchmarks.oracles.glft`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from engine.strategies.pricing.avellaneda_stoikov import Taste
from engine.strategies.pricing.glft import Bounds, Flow, asymptotic, closed_form, slope

TASTE = Taste(risk_aversion=0.01, liquidity=0.3)
FLOW = Flow(volatility=0.3, arrival_rate=0.9)
BOUNDS = Bounds(least=-30, most=30)
WITHIN = 1e-3
SLOPE, SLOPE_WITHIN = 0.0679, 5e-5
PUBLISHED = {0: (3.3130, 3.3130), 5: (3.6535, 2.9725), 20: (4.6655, 1.9592)}
"""Offsets of bid and ask by inventory."""


def misses() -> Iterator[str]:
    """Every figure that is not the published one."""
    for inventory, (bid, ask) in PUBLISHED.items():
        ours = asymptotic(TASTE, FLOW, inventory, BOUNDS)
        if abs(ours.bid - bid) > WITHIN or abs(ours.ask - ask) > WITHIN:
            yield f"inventory {inventory}: {ours.bid:.4f}/{ours.ask:.4f} instead of {bid}/{ask}"
    if abs(slope(TASTE, FLOW) - SLOPE) > SLOPE_WITHIN:
        yield f"slope of the closed form: {slope(TASTE, FLOW):.5f} instead of {SLOPE}"


def main() -> int:
    wrong = list(misses())
    print("glft                 exact bid/ask     closed form     published")
    for inventory, (bid, ask) in PUBLISHED.items():
        exact, closed = asymptotic(TASTE, FLOW, inventory, BOUNDS), closed_form(TASTE, FLOW, inventory)
        print(
            f"  inventory {inventory:<5} {exact.bid:.4f}/{exact.ask:.4f}"
            f"   {closed.bid:.4f}/{closed.ask:.4f}   {bid:.4f}/{ask:.4f}"
        )
    print(f"  slope of the closed form {slope(TASTE, FLOW):.4f}, published {SLOPE}")
    for words in wrong:
        print(words)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
