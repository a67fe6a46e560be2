"""What git says of the files a fleet is declared in: which commit, what differs from it, and who signed it.

Asks the `git` of the PATH with the user's own configuration, because that names those who may sign. Writes nothing.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from engine.plan.policy_facts import Commit, Signature

TIMEOUT_S = 30.0
_SOURCES = ("bots", "templates", "envs")
_YAML = (".yaml", ".yml")
_IGNORED = "!!"


def head_of(root: Path) -> str | None:
    """The checked-out commit; None where there is no git or no repository."""
    done = _git(root, "rev-parse", "--verify", "HEAD")
    return done.stdout.strip() if isinstance(done, subprocess.CompletedProcess) and not done.returncode else None


def commit_of(root: Path) -> Commit:
    """The commit that the workspace's files come from; one without an id where nobody can tell."""
    done = _git(root, "rev-parse", "--verify", "HEAD")
    if isinstance(done, str):
        return Commit(says=done)
    if done.returncode:
        return Commit(says=_first_line(done.stderr) or "no commit here")
    found = done.stdout.strip()
    status = _git(root, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--ignored", "--", *_SOURCES)
    hidden = _git(root, "ls-files", "-v", "-z", "--", *_SOURCES)
    if isinstance(status, str) or status.returncode or isinstance(hidden, str) or hidden.returncode:
        return Commit(says="git cannot say what differs from the commit")
    signature, says = _signature(root, found)
    dirty = (*_differing(status.stdout), *_hidden(hidden.stdout))
    return Commit(id=found, dirty=dirty, signature=signature, says=says)


def _signature(root: Path, commit: str) -> tuple[Signature, str]:
    """Git itself judges; a commit without a signature is told from one that is not good by its own header."""
    verified, whole = _git(root, "verify-commit", commit), _git(root, "cat-file", "commit", commit)
    if isinstance(verified, str) or isinstance(whole, str):
        return Signature.BAD, "git did not answer"
    if not verified.returncode:
        return Signature.GOOD, _first_line(verified.stderr)
    header = whole.stdout.partition("\n\n")[0]
    if not any(line.startswith("gpgsig") for line in header.splitlines()):
        return Signature.NONE, ""
    return Signature.BAD, _first_line(verified.stderr)


def _differing(status: str) -> Iterator[str]:
    """Files that are not as in the commit; ignored ones count where botctl would read them all the same."""
    entries = iter(status.split("\0"))
    for entry in entries:
        state, name = entry[:2], entry[3:]
        if "R" in state or "C" in state:
            next(entries, "")  # What it was called before is an entry of its own.
        if name and (state != _IGNORED or name.endswith(_YAML)):
            yield name


def _hidden(listed: str) -> Iterator[str]:
    """Files that somebody told git not to look at (`git update-index --assume-unchanged`, or sparse)."""
    for entry in listed.split("\0"):
        tag, _, name = entry.partition(" ")
        if name and (tag.islower() or tag == "S"):
            yield f"{name} (hidden from git status)"


def _first_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str] | str:
    """What git answered; in words, why it did not."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        return subprocess.run(
            ["git", *arguments],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError:
        return "git is not installed"
    except subprocess.TimeoutExpired:
        return f"git did not answer within {TIMEOUT_S:g} s"
