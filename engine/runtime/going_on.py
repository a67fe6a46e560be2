"""A bot of several legs goes on in the account that outlived a simulator.

A simulator that starts over is another world, and the accounts there are others. What the bot has at its other
venues lives on: without the memory of it, orders would rest there that nobody looks after (law 4), and a position
that nobody hedges. So its journal begins as a copy of the one before, without the legs whose world has ended. That
one stays as it was: a start that dies on the way is done again by the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.runtime.journal import JournalOwner, begin_from
from engine.runtime.sites import Site
from engine.transport.world import World


def go_on(world: World, file: Path, owner: JournalOwner, sites: Sequence[Site]) -> None:
    """Make the journal out of the one before, where it does not exist and there is such a one."""
    former = None if file.exists() else former_journal(file, sites)
    if former is None:
        return
    remembered = former.stem.split("+")
    begin_from(
        world, former, file, owner, without=[site.name for site in sites if site.identity.digest not in remembered]
    )


def former_journal(file: Path, sites: Sequence[Site]) -> Path | None:
    """The bot's newest journal of these accounts, but for simulated ones that are others by now; None without any
    account in common."""
    now = {site.identity.digest for site in sites}

    def knows(journal: Path) -> bool:
        then = set(journal.stem.split("+"))
        return journal != file and bool(then & now) and all(name.startswith("sim-") for name in then ^ now)

    known = [journal for journal in file.parent.glob("*.sqlite") if knows(journal)]
    return max(known, key=lambda journal: journal.stat().st_mtime, default=None)
