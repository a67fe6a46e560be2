"""Runs stories and says what must not have happened: `python -m tests.chaos --from 0 --seeds 1000`.

A failing seed is told again without its troubles, one after the other, for as long as it still fails.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import count, islice

from msgspec.structs import replace

from tests.chaos.aims import aimed
from tests.chaos.numbered import numbered
from tests.chaos.play import perform
from tests.chaos.story import AIMED, KINDS, LIGHTER, Story, tell

FAMILIES = {AIMED: aimed, LIGHTER: numbered}
"""Those with seeds of their own; they are told only when asked for."""


def run(story: Story) -> tuple[Story, list[str]]:
    """A story, and what went wrong in it."""
    return story, perform(story)


def only(story: Story, numbers: list[int]) -> Story:
    """The same story with some of its troubles."""
    return replace(story, troubles=tuple(story.troubles[number] for number in numbers))


def shrink(story: Story) -> list[int]:
    """The numbers of the troubles it takes to fail."""
    kept = list(range(len(story.troubles)))
    for number in reversed(list(kept)):
        fewer = [each for each in kept if each != number]
        if perform(only(story, fewer)):
            kept = fewer
    return kept


def report(story: Story) -> str:
    """How a failing story fails, in as few troubles as it takes, and the command that shows it again."""
    numbers = shrink(story)
    shrunk = only(story, numbers)
    complaints = "\n".join(f"  ! {each}" for each in perform(shrunk))
    chosen = ",".join(map(str, numbers)) or "none"
    return (
        f"FAILED {shrunk}\n{complaints}\n"
        f"again, whole:  python -m tests.chaos {story.again} --seeds 1\n"
        f"again, shrunk: python -m tests.chaos {story.again} --only {chosen}"
    )


def stories_from(first: int, kind: str | None) -> Iterator[Story]:
    """Stories from a seed on, all or those of one kind."""
    if kind in FAMILIES:
        return map(FAMILIES[kind], count(first))
    return (story for story in map(tell, count(first)) if kind in (None, story.kind))


def outcomes(stories: Sequence[Story], workers: int) -> Iterator[tuple[Story, list[str]]]:
    """Every story's outcome, in order."""
    if workers == 1:
        yield from map(run, stories)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(run, stories)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=300, help="how many seeds")
    parser.add_argument(
        "--of",
        choices=KINDS,
        help="only stories of one kind; those aimed and those on Lighter have seeds of their own",
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", help="of one seed, only the troubles with these numbers: 0,3 or none")
    parser.add_argument("--fail-fast", action="store_true", help="end at the first failing seed, unshrunk")
    chosen = parser.parse_args()
    first = next(stories_from(chosen.first, chosen.of))
    if chosen.only is not None:
        numbers = [] if chosen.only == "none" else [int(number) for number in chosen.only.split(",")]
        return show(only(first, numbers))
    if chosen.seeds == 1:
        return show(first)
    return sweep(chosen)


def show(story: Story) -> int:
    """One story and how it ends."""
    print(story)
    complaints = perform(story)
    print("\n".join(f"  ! {each}" for each in complaints) or "  all is well")
    return 1 if complaints else 0


def sweep(chosen: argparse.Namespace) -> int:
    """Many stories; says how far it is, so that it can be resumed from there."""
    began, failed = time.monotonic(), 0
    stories = list(islice(stories_from(chosen.first, chosen.of), chosen.seeds))
    for number, (story, complaints) in enumerate(outcomes(stories, chosen.workers), start=1):
        if complaints:
            failed += 1
            if chosen.fail_fast:
                print(f"seed {story.seed}: {complaints[0]}")
                return 1
            print(report(story), flush=True)
        if number % 100 == 0:
            print(f"{number} seeds, {failed} failed; to go on: --from {story.seed + 1}", flush=True)
    taken_s = time.monotonic() - began
    print(f"{chosen.seeds} seeds from {chosen.first}: {failed} failed, {taken_s:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
