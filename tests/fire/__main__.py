"""Sets a fleet of real processes on fire, round by round: `python -m tests.fire --seed 0 --rounds 100`.

Processes are not repeatable as virtual time is: a failing round is told with the command that strikes the same blow
at the same moment again, not with the same interleaving.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter
from itertools import islice
from pathlib import Path

from tests.fire.blows import Blow
from tests.fire.campaign import Campaign, Outcome, Round, draw
from tests.fire.ground import Ground

NICENESS = 5


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fire", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="which rounds")
    parser.add_argument("--rounds", type=int, default=20, help="how many rounds")
    parser.add_argument(
        "--only", type=int, help="of the seed, only the round with this number, on a fleet of its own"
    )
    parser.add_argument("--minutes", type=float, help="begin no round after so much time")
    chosen = parser.parse_args()
    os.nice(NICENESS)
    with tempfile.TemporaryDirectory(prefix="botctl-") as home:
        run = Path(home, "run")
        run.mkdir(mode=0o700)
        os.environ.pop("BOTCTL_WORKSPACE", None)  # Every ground has workspaces of its own.
        os.environ |= {"XDG_STATE_HOME": str(Path(home, "state")), "XDG_RUNTIME_DIR": str(run)}
        report = Report(chosen.seed)
        numbered = list(enumerate(islice(draw(chosen.seed), max(chosen.rounds, (chosen.only or 0) + 1))))
        if chosen.only is not None:
            numbered = numbered[chosen.only : chosen.only + 1]
        until_s = time.monotonic() + chosen.minutes * 60 if chosen.minutes else float("inf")
        while numbered and time.monotonic() < until_s:
            numbered = fight(numbered, until_s, report)
    return report.close()


class Report:
    """Says how each round went, and in the end how often what was struck."""

    def __init__(self, seed: int) -> None:
        self.failures: list[str] = []
        self._seed = seed
        self._began_s = time.monotonic()
        self._moments: Counter[str] = Counter()
        self._blows: Counter[str] = Counter()
        self._skipped = self._missed = 0

    def skip(self, number: int, each: Round) -> None:
        self._skipped += 1
        print(f"{number:4}  skipped, no disk of its own could be mounted (that takes root): {each}", flush=True)

    def tell(self, number: int, each: Round, outcome: Outcome) -> None:
        self._blows[each.blow.value] += 1
        if outcome.seen:
            self._moments[each.moment.value] += 1
        else:
            self._missed += 1
        seen = "" if outcome.seen else " (moment not seen)"
        verdict = "FAILED" if outcome.complaints else f"settled in {outcome.settled_s:.1f} s"
        print(f"{number:4}  {each}: {verdict}{seen}", flush=True)
        if outcome.complaints:
            self.fail(f"again: python -m tests.fire --seed {self._seed} --only {number}", outcome.complaints)

    def fail(self, where: str, complaints: tuple[str, ...]) -> None:
        self.failures.append(where)
        print("\n".join(f"      ! {each}" for each in complaints), f"      {where}", sep="\n", flush=True)

    def close(self) -> int:
        """The totals; the exit code."""
        rounds, minutes = self._blows.total(), (time.monotonic() - self._began_s) / 60
        print(f"\n{rounds} rounds in {minutes:.1f} min, {len(self.failures)} failures")
        print(f"moments never reached: {self._missed}; rounds skipped: {self._skipped}")
        for title, counted in (("struck while", self._moments), ("by", self._blows)):
            print(f"{title}: " + ", ".join(f"{name} {count}" for name, count in counted.most_common()))
        return 1 if self.failures else 0


def fight(numbered: list[tuple[int, Round]], until_s: float, report: Report) -> list[tuple[int, Round]]:
    """Rounds on one fleet, up to a failure or the end; the rounds that are left."""
    ground = Ground()
    try:
        ground.open()
        campaign = Campaign(ground)
        while numbered and time.monotonic() < until_s:
            (number, each), *numbered = numbered
            if each.blow is Blow.FULL_DISK and not ground.has_small_disk:
                report.skip(number, each)
                continue
            outcome = campaign.play(each)
            report.tell(number, each, outcome)
            if outcome.complaints:
                ground.keep_evidence()
                return numbered
        if complaints := campaign.end():
            report.fail("at the end of the fleet", tuple(complaints))
            ground.keep_evidence()
    finally:
        ground.close()
    return numbered


if __name__ == "__main__":
    raise SystemExit(main())
