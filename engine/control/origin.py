"""What git says of the files a fleet is declared in: which commit, what differs from it, and who signed it.

The user's own configuration counts, because that names those who may sign. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.control.git import Git
from engine.errors import Unavailable
from engine.plan.policy_facts import Origin, Signature

TIMEOUT_S = 30.0
_SOURCES = ("bots", "templates", "envs")
_YAML = (".yaml", ".yml")
_IGNORED = "!!"


def head_of(root: Path) -> str | None:
    """The checked-out commit; None where there is no git or no repository."""
    try:
        return _git(root).commit("HEAD").id
    except Unavailable:
        return None


def origin_of(root: Path) -> Origin:
    """The commit that the workspace's files come from; one without an id where nobody can tell."""
    git = _git(root)
    try:
        commit = git.commit("HEAD").id
        status = git.ask("status", "--porcelain=v1", "-z", "--untracked-files=all", "--ignored", "--", *_SOURCES)
        listed = git.ask("ls-files", "-v", "-z", "--", *_SOURCES)
        signature, says = _signature(git, commit)
    except Unavailable as error:
        return Origin(says=error.message)
    return Origin(id=commit, dirty=(*_differing(status), *_hidden(listed)), signature=signature, says=says)


def _git(root: Path) -> Git:
    return Git(root, timeout_s=TIMEOUT_S)


def _signature(git: Git, commit: str) -> tuple[Signature, str]:
    """Git itself judges; a commit without a signature is told from one that is not good by its own header."""
    try:
        return Signature.GOOD, git.verified(commit)
    except Unavailable as error:
        header = git.ask("cat-file", "commit", commit).partition(b"\n\n")[0]
        if not any(line.startswith(b"gpgsig") for line in header.splitlines()):
            return Signature.NONE, ""
        return Signature.BAD, error.message


def _differing(status: bytes) -> Iterator[str]:
    """Files that are not as in the commit; ignored ones count where botctl would read them all the same."""
    entries = iter(_names(status))
    for entry in entries:
        state, name = entry[:2], entry[3:]
        if "R" in state or "C" in state:
            next(entries, "")  # What it was called before is an entry of its own.
        if name and (state != _IGNORED or name.endswith(_YAML)):
            yield name


def _hidden(listed: bytes) -> Iterator[str]:
    """Files that somebody told git not to look at (`git update-index --assume-unchanged`, or sparse)."""
    for entry in _names(listed):
        tag, _, name = entry.partition(" ")
        if name and (tag.islower() or tag == "S"):
            yield f"{name} (hidden from git status)"


def _names(answer: bytes) -> list[str]:
    return answer.decode(errors="replace").split("\0")
