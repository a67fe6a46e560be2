"""Microseconds per signed order at every venue: the engine's own path beside the library one would take. See
README.md here. `python -m benchmarks.signing` prints one table; it needs the judges' libraries.
"""

from __future__ import annotations

import time
from statistics import median

from benchmarks.signing_contests import Contest, Sign, contests

ROUNDS = 5
ROUND_S = 0.3


def us_per_call(sign: Sign) -> float:
    """One round, in CPU time: signing waits for nothing, and other programs are not its cost."""
    calls, began_s = 0, time.process_time()
    while (elapsed_s := time.process_time() - began_s) < ROUND_S:
        sign()
        calls += 1
    return elapsed_s / calls * 1e6


def measured(contest: Contest) -> tuple[float, float]:
    """The median of a few rounds of each side, in turn, so that a busy minute of the machine hits both."""
    contest.ours(), contest.theirs()
    rounds = [(us_per_call(contest.ours), us_per_call(contest.theirs)) for _ in range(ROUNDS)]
    ours, theirs = zip(*rounds, strict=True)
    return median(ours), median(theirs)


def line(contest: Contest) -> str:
    ours_us, theirs_us = measured(contest)
    ratio = theirs_us / ours_us
    promise = (
        f"{contest.at_least:g}x {'kept' if ratio >= contest.at_least else 'MISSED'}" if contest.at_least else "-"
    )
    figures = f"{ours_us:>9.1f} us{theirs_us:>11.1f} us{ratio:>8.1f}x"
    return f"{contest.venue:<10}{figures}   {promise:<12}{contest.library}"


def main() -> None:
    print(f"{'venue':<10}{'ours':>12}{'library':>14}{'ratio':>9}   {'promised':<12}library")
    for contest in contests():
        print(line(contest), flush=True)


if __name__ == "__main__":
    main()
