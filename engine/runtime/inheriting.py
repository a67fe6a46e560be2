"""A renamed bot takes over what it knew under its old name: journals and owner tags.

Done by the new engine at its start, while it holds the old name's lock: the old engine is gone. Each step can be
done again, and the last one, moving the folder of journals, says that all are done; a kill in between is finished
by the next start. Going back half-way is refused: journal and tag name another bot then than the one that starts.
"""

from __future__ import annotations

import logging
from pathlib import Path

from engine.errors import Conflict
from engine.host.accounts import host_directory
from engine.host.exposures import forget
from engine.host.files import private_directory
from engine.host.locks import Holder, acquire
from engine.host.tags import owner_name, transfer_tag
from engine.host.workspace import Workspace
from engine.runtime.journal import give_to
from engine.transport.world import World

log = logging.getLogger(__name__)


def inherit(world: World, workspace: Workspace, *, fleet_id: str, former: str, holder: Holder) -> None:
    """Take over from `former`; nothing where that is done already, or there was nothing. Locked while it runs."""
    old, new = workspace.journals / former, workspace.journals / holder.bot
    if not _journals(old) or _journals(new):
        return
    lock = acquire(private_directory(workspace.locks) / former, holder)
    try:
        for journal in _journals(old):
            give_to(world, journal, holder.bot)
        for registry in sorted((host_directory() / "accounts").glob("*/tags.json")):
            transfer_tag(registry.parent, owner_name(fleet_id, former), owner_name(fleet_id, holder.bot))
            forget(registry.parent, owner_name(fleet_id, former))
        forget(workspace.state, owner_name(fleet_id, former))
        _move(old, new)
    finally:
        lock.release()
    log.info("renamed", extra={"facts": {"from": former, "journals": len(_journals(new))}})


def _journals(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.sqlite"))


def _move(old: Path, new: Path) -> None:
    try:
        new.rmdir()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise Conflict(f"{new} is in the way: {error.strerror}", hint="look at what lies there") from error
    old.rename(new)
