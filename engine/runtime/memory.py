"""Opens what a bot remembers: its journal, and under which owner tags its orders were sent.

The two must agree. A tag that was in use and a journal that does not know it mean lost memory: orders may rest
at the venue that nobody would recognise, so the bot does not start (law 4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from engine.errors import Conflict, StateDamaged
from engine.host.accounts import account_directory
from engine.host.tags import claim_tag, mark_journal_started, owner_name
from engine.host.workspace import Workspace
from engine.runtime.going_on import former_journal, go_on
from engine.runtime.journal import Journal, JournalLeg, JournalOwner, open_journal
from engine.runtime.journal_reader import live_orders
from engine.runtime.sites import Site
from engine.transport.world import World

SIMULATED_JOURNALS_KEPT = 3


def journal_file(workspace: Workspace, bot: str, sites: Sequence[Site]) -> Path:
    """One journal per bot and set of accounts; a new simulator instance is a new account."""
    identities = sorted({site.identity.digest for site in sites})
    return workspace.journals / bot / f"{'+'.join(identities)}.sqlite"


def known_journal(workspace: Workspace, bot: str, sites: Sequence[Site]) -> Path | None:
    """The journal of these accounts, else the one that it will begin from; None before the bot has run there."""
    file = journal_file(workspace, bot, sites)
    return file if file.exists() else former_journal(file, sites)


def open_memory(
    world: World, workspace: Workspace, *, fleet_id: str, bot: str, sites: Sequence[Site]
) -> tuple[Journal, dict[str, int]]:
    """The journal, and every leg's owner tag."""
    file = journal_file(workspace, bot, sites)
    owner = JournalOwner(fleet_id=fleet_id, bot=bot, identity=file.stem)
    go_on(world, file, owner, sites)
    _forget_old_simulations(file)
    legs = {site.name: JournalLeg(market=site.leg.market, client_ids=site.venue.facts.client_ids) for site in sites}
    journal = open_journal(world, file, owner, legs)
    try:
        _refuse_to_leave_orders(bot, journal, file)
    except Conflict:
        journal.close()
        raise
    whose = owner_name(fleet_id, bot)
    tags = {site.name: _tag(world, journal, site, whose, file) for site in sites}
    for site in sites:
        mark_journal_started(account_directory(site.identity), whose)
    return journal, tags


def _refuse_to_leave_orders(bot: str, journal: Journal, file: Path) -> None:
    """A bot that was moved while it could not stop properly (killed, venue away) left orders where it was. Nobody
    would ever look at them again, so it does not start anywhere else before they are resolved."""
    left = {f"market {market}": count for market, count in journal.live_elsewhere().items()}
    others = [other for other in file.parent.glob("*.sqlite") if other != file and is_real(other)]
    left |= {f"another account ({other.name})": count for other in others if (count := live_orders(other))}
    if left:
        words = ", ".join(f"{count} on {place}" for place, count in left.items())
        raise Conflict(
            f"{bot} was moved while orders of it may still rest: {words}",
            hint=f"apply it once where it was and `botctl stop {bot}`: that cancels them; then move it",
        )


def is_real(journal: Path) -> bool:
    """Whether its orders can outlive this host's processes: those of an earlier simulated world cannot."""
    return any(not account.startswith("sim-") for account in journal.stem.split("+"))


def _tag(world: World, journal: Journal, site: Site, owner: str, file: Path) -> int:
    known = journal.tag(site.name)
    directory = account_directory(site.identity)
    scheme = site.venue.facts.client_ids
    tag = claim_tag(directory, owner, max_tag=scheme.max_tag, choose=_preferring(known, world.random.choice))
    if known is None:
        if tag.journal_started and not journal.has_tag(tag.number):
            raise _memory_lost(file, site, tag.number, owner)
        journal.claim(site.name, tag.number, max(tag.first_sequence, journal.next_sequence))
    elif known != tag.number:
        raise StateDamaged(
            f"{owner} sent its orders under owner tag {known}, which the registry {directory}/tags.json gives to "
            f"another bot",
            hint="restore that file from a backup, or stop the other bot and destroy it",
        )
    return tag.number


def _preferring(known: int | None, otherwise: Callable[[Sequence[int]], int]) -> Callable[[Sequence[int]], int]:
    """The tag the journal knows, should the registry have lost it; else any free one."""
    return lambda free: known if known is not None and known in free else otherwise(free)


def _memory_lost(file: Path, site: Site, tag: int, owner: str) -> StateDamaged:
    bot = owner.rpartition("/")[2]
    return StateDamaged(
        f"{bot} has sent orders on account {site.account.name} under owner tag {tag}, but its journal {file} is "
        "gone or was begun anew: those orders and their fills would be forgotten",
        hint="restore the journal from a backup; or, once you have seen at the venue that none of its orders "
        f"rest, `botctl destroy {bot}` and apply again",
    )


def _forget_old_simulations(file: Path) -> None:
    """Journals of worlds that ended are of no use; the newest few are kept for those who want to look."""
    if not file.parent.exists():
        return
    old = [journal for journal in file.parent.glob("*.sqlite") if journal != file and not is_real(journal)]
    for journal in sorted(old, key=lambda each: each.stat().st_mtime, reverse=True)[SIMULATED_JOURNALS_KEPT:]:
        for suffix in ("", "-wal", "-shm"):
            journal.with_name(journal.name + suffix).unlink(missing_ok=True)
