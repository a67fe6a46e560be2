"""`botctl new`: a bot file from a few answers. Every question has a flag, so it works without a terminal too."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from functools import partial
from typing import Annotated

import typer

from engine.commands.asking import Asker
from engine.commands.new_legs import Leg, Said, choose_leg
from engine.commands.options import Directory, Yes, read_settings, tell
from engine.control.newcomer import (
    Ground,
    check_new,
    free_name,
    kinds_of,
    legs_of,
    look_at,
    name_problem,
    needed_of,
    open_ground,
    path_of,
    write_new,
)
from engine.errors import ConfigInvalid, Refused, UsageError
from engine.host.workspace import find_workspace
from engine.spec.diagnostics import render
from engine.spec.drafting import bot_text, remarks
from engine.spec.writing import text_scalar
from engine.strategies.suggestions import suggestions

TRIES = 5
"""Rounds of the settings, until they fit."""
Text = str | None


def command(
    name: Annotated[Text, typer.Argument(metavar="[NAME]", help="what the bot is called")] = None,
    exchange: Annotated[Text, typer.Option(help="the venue")] = None,
    account: Annotated[Text, typer.Option(help="an account of fleet.yaml")] = None,
    add_account: Annotated[
        bool, typer.Option("--add-account", help="add --account to fleet.yaml, simulated, with play money")
    ] = False,
    symbol: Annotated[Text, typer.Option(help="the market, as the venue writes it")] = None,
    strategy: Annotated[Text, typer.Option(help="the strategy's kind")] = None,
    hedge_account: Annotated[Text, typer.Option(help="of a strategy that hedges: the account it hedges on")] = None,
    hedge_symbol: Annotated[Text, typer.Option(help="and the market")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="a setting: strategy.spread_bps=8")
    ] = None,
    yes: Yes = False,
    directory: Directory = None,
) -> None:
    """Write a bot file from a few answers, each with a suggestion. Overwrites no bot; Ctrl-C writes nothing."""
    asker = Asker(can_ask=sys.stdin.isatty() and not yes)
    ground = open_ground(find_workspace(directory))
    said = read_settings(settings or [], example="strategy.spread_bps=8")
    _require_said({"--exchange": exchange or account, "--symbol": symbol, "--strategy": strategy}, asker, yes=yes)
    if name and (problem := name_problem(ground, name)):
        raise Refused(problem, hint="give it another name")
    first = Said(exchange=exchange, account=account, symbol=symbol, adds_account=add_account)
    hedge = Said(account=hedge_account, symbol=hedge_symbol, prefix="--hedge-")
    ground, kind, legs = _decide(asker, ground, (first, hedge), strategy)
    leg = next(iter(legs.values()))
    suggested = free_name(ground, leg.account, leg.market, kind)
    name = name or asker.ask("name", suggested, partial(name_problem, ground))
    head = {"metadata.name": text_scalar(name), **_exchange(legs), "strategy.kind": kind}
    text = _text(asker, ground, name, head, {**_beginning(ground, leg, kind), **said}, said)
    print(text, end="")
    if not asker.agrees(f"Write {path_of(name)}?"):
        raise Refused("declined", hint="nothing was written")
    write_new(ground, name, text)
    tell(f"written: {', '.join([path_of(name), *ground.new])}; `botctl plan` shows what it would do")


def _decide(
    asker: Asker, ground: Ground, said: tuple[Said, Said], strategy: Text
) -> tuple[Ground, str, dict[str, Leg]]:
    """What is traded, how, and for a strategy with two legs where it hedges."""
    ground, leg = choose_leg(asker, ground, said[0])
    question = f"strategy for a {leg.instrument.kind} market"
    kind = asker.choose(question, "--strategy", strategy, kinds_of(leg.instrument))
    (first, _), *others = legs_of(kind)
    legs = {first: leg}
    for other, _ in others:
        ground, legs[other] = choose_leg(asker, ground, said[1])
    return ground, kind, legs


def _beginning(ground: Ground, leg: Leg, kind: str) -> dict[str, str]:
    """The settings to ask for, with what is suggested for them."""
    seen = look_at(ground, ground.fleet.accounts[leg.account], leg.instrument)
    return (suggestions(kind, seen) if seen else {}) or needed_of(kind)


def _require_said(needed: Mapping[str, Text], asker: Asker, *, yes: bool) -> None:
    """All that is missing at once, where nobody can be asked."""
    missing = [flag for flag, said in {**needed, "--yes": "said" if yes else None}.items() if said is None]
    if missing and not asker.can_ask:
        raise UsageError(
            f"nobody can be asked here, and {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing",
            hint="botctl new NAME --exchange … --symbol … --strategy … --yes",
        )


def _exchange(legs: Mapping[str, Leg]) -> dict[str, str]:
    """Where the bot trades, as its file says it."""
    written: dict[str, str] = {}
    for leg_name, leg in legs.items():
        path = "exchange" if len(legs) == 1 else f"exchange.legs.{leg_name}"
        written |= {f"{path}.account": text_scalar(leg.account), f"{path}.market": text_scalar(leg.market)}
    return written


def _text(
    asker: Asker, ground: Ground, name: str, head: dict[str, str], first: dict[str, str], said: Collection[str]
) -> str:
    """The file, its settings asked for again until the loader has nothing against it."""
    for _ in range(TRIES):
        answers = {
            path: value if path in said else _answer(asker, head, path, value) for path, value in first.items()
        }
        text = bot_text({**head, **answers})
        found = check_new(ground, name, text)
        for one in found:
            tell(render(one))
        if not any(one.is_error for one in found):
            return text
        if not asker.can_ask:
            break
        first = answers
    raise ConfigInvalid("nothing was written: this would not be valid", hint="--set KEY=VALUE gives what is wrong")


def _answer(asker: Asker, head: Mapping[str, str], path: str, value: str) -> str:
    if asker.can_ask and (remark := remarks({**head, path: value}).get(path)):
        tell(f"# {remark}")
    return asker.ask(path, value)
