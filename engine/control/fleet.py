"""The running fleet of one workspace, opened by every verb that observes or changes it."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from engine.control.backends.interface import Backend, Progress
from engine.control.backends.supervisor import supervisor_backend
from engine.control.events import Sink, nobody
from engine.errors import Refused
from engine.host.workspace import Workspace, find_workspace

_NOBODY = 2**32 - 1
"""What Linux says of a process that no login is behind: a service, a container."""


class Eyes:
    """Sees the fleet's processes, and has no hands: what a dry run gets instead of a backend."""

    def __init__(self, backend: Backend) -> None:
        self.observe = backend.observe


@dataclass(frozen=True, kw_only=True)
class View:
    """A fleet that can be looked at, and nothing else."""

    workspace: Workspace
    backend: Eyes


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Where the fleet lives, who keeps its processes, and who hears about progress: people, and programs."""

    workspace: Workspace
    backend: Backend
    progress: Progress
    events: Sink = nobody


def open_fleet(
    directory: Path | None, *, verb: str, progress: Progress = lambda _line: None, events: Sink = nobody
) -> Fleet:
    """The fleet of `-C DIR`. Refused for anybody but the owner of its state, root included."""
    workspace = find_workspace(directory)
    require_owner(workspace, verb=verb)
    return Fleet(workspace=workspace, backend=supervisor_backend(workspace), progress=progress, events=events)


def open_view(directory: Path | None, *, verb: str) -> View:
    """The same for verbs that must not be able to change anything."""
    fleet = open_fleet(directory, verb=verb)
    return View(workspace=fleet.workspace, backend=Eyes(fleet.backend))


def require_owner(workspace: Workspace, *, verb: str) -> None:
    """Files and processes made by another user, even root, would lock the owner out of his own fleet."""
    try:
        owner = workspace.state.stat().st_uid
    except FileNotFoundError:
        return
    if owner == os.getuid():
        return
    name = _user_name(owner)
    raise Refused(
        f"{workspace.state} belongs to {name}, and only its owner may use this fleet",
        hint=f"sudo -u {name} botctl {verb} -C {workspace.root}",
    )


def caller() -> str:
    """Who runs this command, for records: the login name, and the name behind sudo."""
    name, behind = _user_name(os.getuid()), os.environ.get("SUDO_USER")
    return f"{name} (sudo by {behind})" if behind and behind != name else name


def person(login: Path = Path("/proc/self/loginuid")) -> str:
    """Who is behind this command, whatever user it runs as: who logged in, by the kernel's own account; else who
    said sudo; else its user."""
    try:
        uid = int(login.read_text())
    except (OSError, ValueError):
        uid = _NOBODY
    if uid != _NOBODY:
        return _user_name(uid)
    return os.environ.get("SUDO_USER") or _user_name(os.getuid())


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
