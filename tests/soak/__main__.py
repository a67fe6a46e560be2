"""Runs the sample fleet for some virtual minutes and says how it ended: `python -m tests.soak --seconds 600`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.soak.play import GROWTH_MOST_BYTES, Soaked, soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="virtual time until the bots are stopped")
    with TemporaryDirectory(prefix="soak-") as directory:
        soaked = soak(Path(directory), parser.parse_args().seconds)
    show(soaked)
    return 0 if soaked.is_well else 1


def show(soaked: Soaked) -> None:
    """Every account, the memory, and what was wrong."""
    print(f"{', '.join(soaked.strategies)} on {', '.join(soaked.venues)}")
    for line in soaked.pnl:
        sign = "!=" if line.differences else "=="
        print(f"  {line.account:12} {line.fills:6} fills  own books {line.own} {sign} ledger {line.ledger}")
    print(f"  engine memory {soaked.halfway_bytes} bytes half-way, {soaked.end_bytes} in the end", end="")
    print(f" ({soaked.grown_bytes:+}, at most {GROWTH_MOST_BYTES:+})")
    for bot in soaked.idle:
        print(f"  ! {bot} did not trade on every leg")
    for wrong in (*soaked.complaints, *(each for line in soaked.pnl for each in line.differences)):
        print(f"  ! {wrong}")


if __name__ == "__main__":
    sys.exit(main())
