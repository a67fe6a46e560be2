"""Asks git, and lets git ask nobody: no prompt, no hook, no submodule, no terminal, and a time limit on everything.

What a repository says never decides how it is read: hooks are off, and files are taken as they were committed, past
filters and attributes. How to reach it is the user's own git configuration: keys, credential helpers, proxies.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from engine.errors import Refused, Unavailable
from engine.model.value import Value

TIMEOUT_S = 60.0
SLICE_S = 0.2
ERROR_CHARS = 400

_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "protocol.ext.allow=never",
    "fetch.fsckObjects=true",
    "fetch.recurseSubmodules=no",
    "gc.autoDetach=false",
)
_PASSED_ON = frozenset({"GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"})
_ANSWER_NOBODY = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS_REQUIRE": "never",
    "LC_ALL": "C",
}
_USER_OF_ADDRESS = re.compile(r"(?<=://)[^/\s@]+@")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


class Commit(Value, frozen=True, kw_only=True):
    """One commit, and the first line of what its author says about it."""

    id: str
    subject: str

    @property
    def words(self) -> str:
        return f"{self.id[:12]} {self.subject}".strip()


class Stopped(Exception):
    """Somebody asked for an end while git was at work."""


class Unsigned(Refused):
    """A commit without a signature that counts here."""


class Git:
    """One repository on this host; `folder` is it, or lies in its work tree."""

    def __init__(
        self, folder: Path, *, timeout_s: float = TIMEOUT_S, is_stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self._folder = folder
        self._timeout_s = timeout_s
        self._is_stopping = is_stopping

    def ask(self, *arguments: str, given: bytes = b"") -> bytes:
        """What git answers; Unavailable with its own words when it does not, or not in time."""
        return self._run(arguments, given)[0]

    def _run(self, arguments: tuple[str, ...], given: bytes = b"") -> tuple[bytes, bytes]:
        """The answer, and what git says beside it."""
        with self._started(arguments) as process:
            try:
                answer, beside = self._communicate(process, given, _verb(arguments))
            except BaseException:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # With all that it started: ssh, gpg.
                raise
        if process.returncode != 0:
            raise Unavailable(f"git {_verb(arguments)}: {_readable(beside)}")
        return answer, beside

    def _started(self, arguments: tuple[str, ...]) -> subprocess.Popen[bytes]:
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        try:
            return subprocess.Popen(
                ["git", *settings, *arguments],
                cwd=self._folder,
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise Unavailable("git is not installed here", hint="install git 2.30 or newer") from error

    def _communicate(self, process: subprocess.Popen[bytes], given: bytes, verb: str) -> tuple[bytes, bytes]:
        deadline_s = time.monotonic() + self._timeout_s
        said: bytes | None = given
        while True:
            try:
                return process.communicate(said, timeout=SLICE_S)
            except subprocess.TimeoutExpired as late:
                if self._is_stopping():
                    raise Stopped from late
                if time.monotonic() > deadline_s:
                    raise Unavailable(f"git {verb} took longer than {self._timeout_s:g} s") from late
                said = None

    def commit(self, revision: str) -> Commit:
        """The commit that a revision means now."""
        name = self.ask("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}").decode().strip()
        subject = self.ask("show", "-s", "--format=%s", name).decode(errors="replace")
        return Commit(id=name, subject=_CONTROL.sub(" ", subject).strip()[:100])

    def verified(self, commit: str, allowed_signers: Path | None = None) -> str:
        """Git's own words about a signature that is good: by these SSH keys, or by whom this host trusts.
        Unavailable for any other, and for none."""
        keys = ("-c", f"gpg.ssh.allowedSignersFile={allowed_signers}") if allowed_signers else ()
        return _readable(self._run((*keys, "verify-commit", commit))[1])

    def require_signature(self, commit: Commit, allowed_signers: Path | None) -> None:
        """Unsigned unless git verifies the commit's signature."""
        try:
            self.verified(commit.id, allowed_signers)
        except Unavailable as error:
            raise Unsigned(
                f"commit {commit.id[:12]} bears no signature that counts here ({error.message})",
                hint="sign it (git commit -S), with a key that this host trusts",
            ) from error


def mirror(folder: Path, is_stopping: Callable[[], bool]) -> Git:
    """A bare repository that holds whatever was fetched; made when it is missing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    git = Git(folder, is_stopping=is_stopping)
    if not (folder / "HEAD").exists():
        git.ask("init", "--quiet", "--bare", "--template=", ".")
    return git


def fetch(git: Git, repo: str, branch: str) -> Commit:
    """The newest commit of a branch, brought here without its history."""
    here = f"refs/watched/{branch}"
    git.ask(
        "fetch",
        "--quiet",
        "--depth=1",
        "--no-tags",
        "--no-recurse-submodules",
        "--no-write-fetch-head",
        "--",
        repo,
        f"+refs/heads/{branch}:{here}",
    )
    return git.commit(here)


def require_git() -> None:
    """Unavailable where git is not installed."""
    Git(Path("/")).ask("version")


def without_user(address: str) -> str:
    """An address as it may be shown."""
    return _USER_OF_ADDRESS.sub("", address)


def _environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _PASSED_ON}
    if index := os.environ.get("GIT_INDEX_FILE"):  # In a hook: what is being committed.
        own["GIT_INDEX_FILE"] = str(Path(index).absolute())
    return own | _ANSWER_NOBODY


def _verb(arguments: tuple[str, ...]) -> str:
    return arguments[2] if arguments[0] == "-c" else arguments[0]


def _readable(complaint: bytes) -> str:
    words = _CONTROL.sub(" ", without_user(complaint.decode(errors="replace"))).strip()
    return words[:ERROR_CHARS] or "it failed without a word"
