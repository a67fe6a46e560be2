"""`botctl halt`: the kill switch. It never asks, and it needs neither engines nor supervisord."""

from __future__ import annotations

import json
from typing import Annotated

import msgspec
import typer

from engine.commands.options import SELECTORS, Directory, Json, tell
from engine.control.fleet import open_fleet
from engine.control.halt import Halted, halt
from engine.errors import BotctlError, Interrupted

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SELECTOR]…", help=f"bots: {SELECTORS}; all when none is named", show_default=False),
]


def command(
    names: Names = None,
    directory: Directory = None,
    flatten: Annotated[bool, typer.Option("--flatten", help="also take own positions out of the market")] = False,
    timeout_s: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=1, help="how long to go on trying")
    ] = 120,
    why: Annotated[
        str, typer.Option("--why", help="kept with the hold, shown in plan and status")
    ] = "halted by hand",
    as_json: Json = False,
) -> None:
    """Hold bots, end their processes and cancel their orders at the venue, at once and whatever else runs."""
    fleet = open_fleet(directory, verb="halt", progress=tell)
    try:
        done = halt(fleet, list(names or ()), flatten=flatten, timeout_s=timeout_s, why=why)
    except KeyboardInterrupt:
        raise Interrupted(
            "interrupted: the holds stay, orders may still rest", hint="`botctl halt` again goes on from here"
        ) from None
    print(_document(done, flatten) if as_json else "\n".join(_lines(done, flatten)))
    pending = [bot for bot in done if bot.pending]
    if pending:
        words = "; ".join(f"{bot.name}: {bot.pending}" for bot in pending)
        again = f"botctl halt {'--flatten ' * flatten}{' '.join(bot.name for bot in pending)}"
        raise BotctlError(f"still pending: {words}", hint=f"what is held stays held; `{again}` goes on from here")


def _lines(done: tuple[Halted, ...], flatten: bool) -> list[str]:
    state = "flat" if flatten else "no orders"
    lines = [f"{bot.name}: {_state(bot, state)}" for bot in done]
    clear = [bot for bot in done if not bot.pending]
    if len(clear) == len(done):
        return [*lines, f"{state} after {_time_s(done):g} s"]
    return [*lines, f"{len(clear)} of {len(done)} {state} after {_time_s(done):g} s"]


def _state(bot: Halted, state: str) -> str:
    if bot.pending:
        return "pending"
    positions = ", ".join(f"position {position} in {market}" for market, position in bot.positions.items())
    return f"{state} after {bot.took_s:g} s, {positions or 'its simulated venue is gone'}"


def _document(done: tuple[Halted, ...], flatten: bool) -> str:
    whole = {
        "done": not any(bot.pending for bot in done),
        "flatten": flatten,
        "time_to_flat_s": _time_s(done) if not any(bot.pending for bot in done) else None,
        "bots": [msgspec.to_builtins(bot) for bot in done],
    }
    return json.dumps(whole, indent=2)


def _time_s(done: tuple[Halted, ...]) -> float:
    return max((bot.took_s for bot in done if not bot.pending), default=0.0)
