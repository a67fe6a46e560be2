"""What a person, or a tripped limit, took out of the fleet's hands: it survives apply, restart and reboot.

One JSON file per bot in `.botctl/holds/`. Control verbs place and lift holds; engines obey them at start.
"""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
from pathlib import Path

import msgspec

from engine.errors import StateDamaged
from engine.host.files import read_if_present, write_atomic
from engine.host.workspace import Workspace
from engine.model.value import Value


class HoldKind(StrEnum):
    STOP = "stop"
    PAUSE = "pause"
    HALT = "halt"
    TRIP = "trip"


class Hold(Value, frozen=True, kw_only=True):
    """Why a bot does not trade. Under `pause` its process runs without quoting; under the others none runs."""

    bot: str
    kind: HoldKind
    who: str
    since_ns: int
    why: str
    trip: str = ""
    """Why a limit had taken the bot out of trade before a person held it."""

    @property
    def tripped(self) -> str:
        """The trip that only `resume` lifts, whoever held the bot since; empty without one."""
        return self.why if self.kind is HoldKind.TRIP else self.trip


def read_hold(workspace: Workspace, bot: str) -> Hold | None:
    """The bot's hold. A file that cannot be read is StateDamaged: it must not read as `no hold`."""
    file = _file(workspace, bot)
    content = read_if_present(file)
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=Hold)
    except msgspec.MsgspecError as error:
        raise StateDamaged(
            f"hold {file} cannot be read: {error}", hint=f"`botctl start {bot}` or `botctl stop {bot}` replaces it"
        ) from error


def read_holds(workspace: Workspace) -> dict[str, Hold]:
    """All holds by bot name."""
    names = sorted(file.stem for file in workspace.holds.glob("*.json"))
    return {name: hold for name in names if (hold := read_hold(workspace, name))}


def place_hold(workspace: Workspace, hold: Hold) -> None:
    """Place or replace the bot's hold; a trip that it covers stays in it."""
    kept = msgspec.structs.replace(hold, trip=hold.trip or _trip_of(workspace, hold.bot))
    write_atomic(_file(workspace, hold.bot), msgspec.json.encode(kept), durable=True)


def lift_hold(workspace: Workspace, bot: str) -> bool:
    """Remove the bot's hold; False when there was none."""
    file = _file(workspace, bot)
    existed = file.exists()
    file.unlink(missing_ok=True)
    return existed


def _trip_of(workspace: Workspace, bot: str) -> str:
    """Of a hold that cannot be read nothing is known: it is there to be replaced."""
    with suppress(StateDamaged):
        before = read_hold(workspace, bot)
        return before.tripped if before else ""
    return ""


def _file(workspace: Workspace, bot: str) -> Path:
    return workspace.holds / f"{bot}.json"
