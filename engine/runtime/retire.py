"""Parts a destroyed bot from its owner tags. `botctl destroy` calls it once the bot's process has ended."""

from __future__ import annotations

from collections.abc import Iterable
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
    owner, living = owner_name(fleet_id, bot), 0
    for account in sorted((host_directory() / "accounts").glob("*/tags.json")):
        directory = account.parent
        journals = _journals(workspace, bot, directory.name)
        if not journals:
            abandon_tag(directory, owner, at_ns=at_ns)
        elif orders := sum(live_orders(file) for file in journals):
            living += orders
        else:
            next_sequence = max(read_number(file, "SELECT coalesce(max(next), 0) FROM ids") for file in journals)
            release_tag(directory, owner, at_ns=at_ns, next_sequence=next_sequence)
            forget(directory, owner)
    if not living:
        forget(workspace.state, owner)
    return living


def _journals(workspace: Workspace, bot: str, account: str) -> list[Path]:
    """The bot's journals on one account; a file's name says which accounts it is for."""
    files: Iterable[Path] = (workspace.journals / bot).glob("*.sqlite")
    return [file for file in files if account in file.stem.split("+")]
