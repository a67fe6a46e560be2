"""`botctl explain NAME [KEY]`: what a bot's settings are, what they mean, and which line made them so."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated

import msgspec
import typer

from engine.commands.options import Directory, Env, Json
from engine.commands.table import table
from engine.control.desired import invalid, load_workspace
from engine.errors import UsageError
from engine.host.workspace import find_workspace
from engine.spec.diagnostics import closest, nearest
from engine.spec.explain import Setting, explain, matching
from engine.spec.load import Loaded, LoadedBot


def command(
    name: Annotated[str, typer.Argument(help="the bot")],
    key: Annotated[
        str | None, typer.Argument(help="a setting, or a part of the file: risk", metavar="[KEY]")
    ] = None,
    directory: Directory = None,
    env: Env = None,
    as_json: Json = False,
) -> int:
    """Show a bot's settings with defaults, template and overlays in, and which file and line decided each."""
    loaded = load_workspace(find_workspace(directory), env)
    bot = _bot(loaded, name)
    settings = explain(bot)
    chosen = _matching(name, settings, key) if key else tuple(one for one in settings if one.source)
    if as_json:
        print(json.dumps(_document(loaded, bot, chosen), indent=2, ensure_ascii=False))
    elif key and len(chosen) == 1:
        print(_details(chosen[0]))
    else:
        print(table(("KEY", "VALUE", "FROM"), [_row(one) for one in chosen]))
    return 0


def _bot(loaded: Loaded, name: str) -> LoadedBot:
    """One bot without errors of its own, whatever is wrong with others."""
    if name in loaded.bots:
        return loaded.bots[name]
    if loaded.has_errors:
        raise invalid(loaded)
    raise UsageError(f"no bot {name!r}", hint=nearest(name, loaded.bots))


def _matching(name: str, settings: tuple[Setting, ...], key: str) -> tuple[Setting, ...]:
    chosen = matching(settings, key.rstrip("."))
    if not chosen:
        paths = {one.path for one in settings}
        words = paths | {path.rpartition(".")[2] for path in paths}
        hint = closest(key, words) or f"botctl explain {name} shows them all"
        raise UsageError(f"{name} has no setting {key!r}", hint=hint)
    return chosen


def _row(one: Setting) -> tuple[str, str, str]:
    return one.path, one.value or "not set", _origin(one)


def _origin(one: Setting) -> str:
    """`bots/a.yaml:3 (bot)`, and behind it what an expression there was made from."""
    if one.place is None:
        return one.source or ""
    steps = "".join(f", {given} {given.place.file}:{given.place.line}" for given in one.given)
    return f"{one.place.file}:{one.place.line} ({one.source}{steps})"


def _details(one: Setting) -> str:
    lines = [
        ("meaning", one.description),
        ("unit", one.unit),
        ("default", one.default),
        ("impact", f"{one.impact}: what a change asks of the running bot"),
    ]
    made = [(str(given), str(given.place)) for given in one.given]
    where = [("set at", f"{one.place} ({one.source})")] if one.place else []
    shown = [f"  {what:<9} {words}" for what, words in _filled([*where, *made, *lines])]
    return "\n".join([f"{one.path}: {one.value or 'not set'}", *shown])


def _filled(lines: Iterable[tuple[str, str | None]]) -> list[tuple[str, str]]:
    return [(what, words) for what, words in lines if words]


def _document(loaded: Loaded, bot: LoadedBot, settings: tuple[Setting, ...]) -> dict[str, object]:
    return {
        "bot": bot.spec.name,
        "file": bot.file,
        "env": loaded.fleet.env if loaded.fleet else None,
        "settings": msgspec.to_builtins(settings),
    }
