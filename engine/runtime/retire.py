"""Parts a destroyed bot from its owner tags. `botctl destroy` calls it once the bot's process has ended."""

from __future__ import annotations

from pathlib import Path

from engine.host.accounts import host_directory
from engine.host.exposures import forget
from engine.host.tags import abandon_tag, owner_name, release_tag
from engine.host.workspace import Workspace
from engine.runtime.journal_reader import live_orders, read_number


def retire_bot(workspace: Workspace, fleet_id: str, bot: str, *, at_ns: int) -> int:
    """Give back the bot's tags, and tell how many of its orders may still live.

    Where orders may, the tag stays with the bot. Where its journal is lost, the tag is never used again; that is
    the one way to start such a bot afresh, and destroying it says that a person has looked at the venue.
    """
    owner = owner_name(fleet_id, bot)
    living = {file: live_orders(file) for file in (workspace.journals / bot).glob("*.sqlite")}
    for account in sorted((host_directory() / "accounts").glob("*/tags.json")):
        directory = account.parent
        journals = [file for file in living if directory.name in _accounts(file)]
        if not journals:
            abandon_tag(directory, owner, at_ns=at_ns)
        elif not any(living[file] for file in journals):
            next_sequence = max(read_number(file, "SELECT coalesce(max(next), 0) FROM ids") for file in journals)
            release_tag(directory, owner, at_ns=at_ns, next_sequence=next_sequence)
            forget(directory, owner)
    left = sum(living.values())
    if not left:
        forget(workspace.state, owner)
    return left


def _accounts(journal: Path) -> list[str]:
    """Those that a journal is for: two, where a bot's legs are on two."""
    return journal.stem.split("+")
