"""Owner tags: the first bits of every client order id, which say whose order it is (law 3).

One registry per account, shared by all workspaces of this user. A tag belongs to one bot of one fleet until the
bot is destroyed and its orders are confirmed gone; only then, and last of all, may another bot get it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from engine.errors import Conflict, StateDamaged
from engine.host.files import read_if_present, write_atomic
from engine.host.locks import exclusive
from engine.model.value import Value

Choose = Callable[[Sequence[int]], int]


class Tag(Value, frozen=True, kw_only=True):
    """One owner's tag. `journal_started`: orders may have been sent under it, so a journal must exist.

    `first_sequence` continues where the tag's last owner ended, so that no client id ever repeats.
    """

    number: int
    owner: str
    journal_started: bool = False
    first_sequence: int = 0
    released_ns: int | None = None


def owner_name(fleet_id: str, bot: str) -> str:
    """Who owns a tag: the same bot of the same fleet, wherever its workspace is moved to."""
    return f"{fleet_id}/{bot}"


def claim_tag(directory: Path, owner: str, *, max_tag: int, choose: Choose) -> Tag:
    """The owner's tag, a new one when it has none.

    `choose` picks among the free ones: a random choice keeps two hosts that share an account apart.
    """
    with exclusive(directory / "tags.lock"):
        tags = _read(directory)
        tag = tags.get(owner) or _new_tag(tags, owner, max_tag, choose)
        _write(directory, {**_without(tags, tag.number), owner: msgspec.structs.replace(tag, released_ns=None)})
    return tag


def mark_journal_started(directory: Path, owner: str) -> None:
    """From here on, a missing journal means lost orders, not a first start."""
    _change(directory, owner, journal_started=True)


def release_tag(directory: Path, owner: str, *, at_ns: int, next_sequence: int) -> None:
    """Give the tag back: the bot is destroyed and every order of it is confirmed gone."""
    _change(directory, owner, journal_started=False, released_ns=at_ns, first_sequence=next_sequence)


def abandon_tag(directory: Path, owner: str, *, at_ns: int) -> None:
    """Part the bot from its tag for ever: nobody knows any more which ids were used under it."""
    _change(directory, owner, owner=f"{owner} until {at_ns}")


def transfer_tag(directory: Path, owner: str, heir: str) -> None:
    """The same bot goes on under another name. Done once: an owner without a tag has nothing to leave."""
    with exclusive(directory / "tags.lock"):
        tags = _read(directory)
        tag = tags.pop(owner, None)
        if tag is None:
            return
        if heir in tags and tags.pop(heir).journal_started:
            raise Conflict(
                f"{heir} has sent orders of its own on this account, and cannot take over those of {owner}",
                hint="give the bot another name",
            )
        _write(directory, {**tags, heir: msgspec.structs.replace(tag, owner=heir)})


def tag_owners(directory: Path) -> dict[int, str]:
    """Whose each tag is, for whoever only wants to tell."""
    return {tag.number: owner for owner, tag in _read(directory).items()}


def _change(directory: Path, whose: str, /, **fields: object) -> None:
    with exclusive(directory / "tags.lock"):
        tags = _read(directory)
        if whose in tags:
            tags[whose] = msgspec.structs.replace(tags[whose], **fields)
            _write(directory, tags)


def _new_tag(tags: dict[str, Tag], owner: str, max_tag: int, choose: Choose) -> Tag:
    taken = {tag.number for tag in tags.values()}
    unused = [number for number in range(1, max_tag + 1) if number not in taken]
    if unused:
        return Tag(number=choose(unused), owner=owner)
    released = [tag for tag in tags.values() if tag.released_ns is not None]
    if not released:
        raise Conflict(
            f"all {max_tag} owner tags of this account are taken; {owner} cannot get one",
            hint="`botctl destroy` a bot that trades this account no more, or use another account",
        )
    oldest = min(released, key=lambda tag: tag.released_ns or 0)
    return Tag(number=oldest.number, owner=owner, first_sequence=oldest.first_sequence)


def _without(tags: dict[str, Tag], number: int) -> dict[str, Tag]:
    return {owner: tag for owner, tag in tags.items() if tag.number != number}


def _read(directory: Path) -> dict[str, Tag]:
    file = directory / "tags.json"
    content = read_if_present(file)
    if content is None:
        return {}
    try:
        tags = msgspec.json.decode(content, type=list[Tag])
    except msgspec.MsgspecError as error:
        raise StateDamaged(
            f"the account's owner tags in {file} cannot be read: {error}",
            hint="restore the file from a backup; guessing could make two bots share their orders",
        ) from error
    return {tag.owner: tag for tag in tags}


def _write(directory: Path, tags: dict[str, Tag]) -> None:
    write_atomic(directory / "tags.json", msgspec.json.encode(list(tags.values())), durable=True)
