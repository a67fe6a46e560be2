"""What has a service manager start a fleet with its host, and take it down before: a systemd unit or a launchd job.

Both run `botctl up`. How long they wait for the end is computed from the generation in force, so an apply may ask
for another text; `botctl doctor` compares.
"""

from __future__ import annotations

import os
import plistlib
import pwd
import sys
from collections.abc import Iterator
from enum import Enum, auto
from pathlib import Path

from engine.control.backends.conf import safe_path
from engine.control.down import WAIT_S, time_to_stop_s
from engine.control.finding import Finding, Grade
from engine.errors import BotctlError, Conflict
from engine.host.generation import Generation, read_current
from engine.host.workspace import Workspace
from engine.model.value import Value
from engine.resources import resource

_TOLD = ("XDG_STATE_HOME",)
"""What a shell may set and a service must know: where locks and claims of this user's accounts lie."""


_SYSTEM_UNITS = Path("/etc/systemd/system")


class Manager(Enum):
    """Who starts the fleet."""

    SYSTEMD = auto()
    SYSTEMD_USER = auto()
    LAUNCHD = auto()


class Unit(Value, frozen=True, kw_only=True):
    """A service manager's file."""

    name: str
    text: str


def service_unit(workspace: Workspace, manager: Manager) -> Unit:
    """The unit of the fleet that was applied last; Conflict before any was."""
    generation = read_current(workspace)
    if generation is None:
        raise Conflict(
            "nothing was applied yet, so there is nothing that a reboot should start", hint="botctl apply"
        )
    if manager is Manager.LAUNCHD:
        return Unit(name=_label(generation) + ".plist", text=_launchd_job(workspace, generation))
    text = _systemd_unit(workspace, generation, is_users=manager is Manager.SYSTEMD_USER)
    return Unit(name=f"botctl-{generation.fleet.id}.service", text=text)


def unit_checkup(workspace: Workspace) -> Iterator[Finding]:
    """Whether what is installed where service managers look is what would be written now."""
    installed = [(place, unit) for place, unit in _places(workspace) if place.exists()]
    for place, unit in installed:
        if place.read_text(encoding="utf-8") == unit.text:
            yield Finding(grade=Grade.OK, what=f"{place} starts this fleet with its host")
        else:
            yield Finding(
                grade=Grade.WARN,
                what=f"{place} is not what `botctl unit` would write now",
                hint="write it again, then systemctl daemon-reload: it may end bots before they are done",
            )
    if not installed:
        yield Finding(
            grade=Grade.OK, what="no unit of its name starts this fleet after a reboot; `botctl unit` prints one"
        )


def _places(workspace: Workspace) -> Iterator[tuple[Path, Unit]]:
    if read_current(workspace) is None:
        return
    folders = {
        Manager.SYSTEMD: _SYSTEM_UNITS,
        Manager.SYSTEMD_USER: Path.home() / ".config" / "systemd" / "user",
        Manager.LAUNCHD: Path.home() / "Library" / "LaunchAgents",
    }
    for manager, folder in folders.items():
        unit = service_unit(workspace, manager)
        yield folder / unit.name, unit


def _systemd_unit(workspace: Workspace, generation: Generation, *, is_users: bool) -> str:
    # Imported here, as in the supervisor's configuration: every verb would pay for it.
    from jinja2 import Environment, StrictUndefined

    source = resource("templates", "starters", "systemd.service").read_text(encoding="utf-8")
    template = Environment(undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    return template.from_string(source).render(
        fleet=generation.fleet.id,
        user=None if is_users else pwd.getpwuid(os.getuid()).pw_name,
        root=safe_path(workspace.root.resolve()),
        environment=[(name, safe_path(Path(value))) for name, value in _environment().items()],
        command=_word(_script()),
        workspace=_word(workspace.root.resolve()),
        wait_s=WAIT_S,
        stop_s=_stop_s(generation),
    )


def _launchd_job(workspace: Workspace, generation: Generation) -> str:
    root = safe_path(workspace.root.resolve())
    job = {
        "Label": _label(generation),
        "ProgramArguments": [str(_script()), "up", "-C", root],
        "EnvironmentVariables": _environment(),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 60,
        "ExitTimeOut": _stop_s(generation),
        "ProcessType": "Interactive",
        "Umask": 0o077,
        "StandardOutPath": f"{root}/.botctl/logs/up.out",
        "StandardErrorPath": f"{root}/.botctl/logs/up.out",
    }
    return plistlib.dumps(job, sort_keys=False).decode()


def _label(generation: Generation) -> str:
    return f"botctl.{generation.fleet.id}"


def _stop_s(generation: Generation) -> int:
    return WAIT_S + time_to_stop_s(generation.bots.values())


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _TOLD if os.environ.get(name)}


def _script() -> Path:
    path = Path(sys.executable).parent / "botctl"
    if not path.is_file():
        raise BotctlError(f"{path} is not installed", hint="install botctl in this environment: pip install .")
    return path


def _word(path: Path) -> str:
    """One word of a command line, as systemd reads it: what is in the way was refused, `$` is doubled."""
    return f'"{safe_path(path).replace("$", "$$")}"'
