"""`botctl status`: every bot on one line, or as JSON; it can also wait until the fleet trades."""

from __future__ import annotations

import json
import time
from typing import Annotated

import msgspec
import typer

from engine.commands.options import Directory, Json
from engine.commands.table import table
from engine.control.fleet import Fleet, open_fleet
from engine.control.keys import key_words
from engine.control.observe import observe
from engine.control.status import BotStatus, env_words, fleet_status, monitor_words, sentinel_words, watch_words
from engine.errors import BotctlError
from engine.plan.observed import Hedge, Leg, Observed, Risk

DIFFERENCES = 2
POLL_S = 0.25
BESIDE = (env_words, sentinel_words, watch_words, monitor_words)
HEAD = (
    "NAME",
    "STATE",
    "VENUE",
    "ACCOUNT",
    "MARKET",
    "STRATEGY",
    "ORDERS",
    "FILLS",
    "POSITION",
    "BID",
    "ASK",
    "PNL",
    "FUNDING",
    "BUDGET",
)


def command(
    directory: Directory = None,
    as_json: Json = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="exit with 2 when a bot needs somebody")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="until every bot that should run has orders resting and a fill")
    ] = False,
    timeout_s: Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="how long to wait")] = 60,
) -> int:
    """Show every applied bot: its state, its orders, its fills."""
    fleet = open_fleet(directory, verb="status")
    observed = _wait(fleet, timeout_s) if wait else observe(fleet)
    bots = fleet_status(observed)
    if as_json:
        print(json.dumps(msgspec.to_builtins(bots), indent=2))
    else:
        print(_text(bots) if bots else _nothing(observed))
        beside = (*key_words(fleet.workspace, observed), *(say(fleet.workspace) for say in BESIDE if bots))
        for words in filter(None, beside):
            print(words)
    lacking = [bot.name for bot in bots if wait and not _trades(bot)]
    if lacking:
        raise BotctlError(
            f"not trading: {', '.join(lacking)} (waited up to {timeout_s:g} s)", hint=f"botctl logs {lacking[0]}"
        )
    return DIFFERENCES if exit_code and any(not bot.is_calm for bot in bots) else 0


def _nothing(observed: Observed) -> str:
    """What runs although no generation is in force: the state directory was removed under it."""
    words = "nothing is applied here; `botctl plan` shows what would be"
    if not observed.engines:
        return words
    running = ", ".join(sorted(observed.engines))
    return (
        f"{words}\nstill running, although nothing says why: {running}; `botctl down` ends it, apply takes it over"
    )


def _wait(fleet: Fleet, timeout_s: float) -> Observed:
    deadline = time.monotonic() + timeout_s
    while True:
        observed = observe(fleet)
        bots = fleet_status(observed)
        is_hopeless = any(bot.state == "failed" for bot in bots)
        if is_hopeless or all(_trades(bot) for bot in bots) or time.monotonic() > deadline:
            return observed
        time.sleep(POLL_S)


def _trades(bot: BotStatus) -> bool:
    """Bots that are not meant to run are not waited for."""
    if bot.state in ("held", "finished", "disabled"):
        return True
    rests = any(leg.bid or leg.ask for leg in bot.legs.values())
    return bot.state == "running" and rests and bool(bot.fills)


def _text(bots: tuple[BotStatus, ...]) -> str:
    lines = [table(HEAD, [row for bot in bots for row in _rows(bot)])]
    lines += [f"{bot.name}: {bot.why}{_look(bot)}" for bot in bots if bot.why]
    lines += [f"{bot.name}: {_hedging(bot.hedge)}" for bot in bots if bot.hedge]
    lines += [f"{bot.name}: {words}" for bot in bots if bot.risk and (words := _standing(bot.risk))]
    lines += [f"{bot.name}: {words}" for bot in bots for words in _missing(bot)]
    shared = {name: figures for bot in bots if bot.risk for name, figures in bot.risk.budgets.items()}
    lines += [f"budget of the {name}: {_use(figures)}" for name, figures in sorted(shared.items())]
    return "\n".join(lines)


def _look(bot: BotStatus) -> str:
    """Where a person finds out more."""
    return f"; `botctl logs {bot.name}`" if bot.state == "failed" else ""


def _use(figures: dict[str, str | None]) -> str:
    """How much of a shared budget is used, of what there is."""
    used = (("net", "max_net_exposure_usd"), ("gross", "max_gross_exposure_usd"), ("today", "max_daily_loss_usd"))
    keys = {"net": "net", "gross": "gross", "today": "day_pnl"}
    return ", ".join(f"{word} {figures[keys[word]]} of {figures[limit]}" for word, limit in used if figures[limit])


def _missing(bot: BotStatus) -> list[str]:
    """Where funding may be missing from the books, and why."""
    legs = bot.legs.items()
    return [f"funding on {name} may be missing: {leg.funding_why_not}" for name, leg in legs if leg.funding_why_not]


def _standing(risk: Risk) -> str:
    """Against its stops; nothing where none is followed."""
    if risk.day_pnl is None:
        return ""
    fallen = "" if risk.drawdown_pct is None else f", {risk.drawdown_pct} % below the peak"
    return f"net {risk.net_pnl}, today {risk.day_pnl}{fallen}"


def _rows(bot: BotStatus) -> list[tuple[str, ...]]:
    """One line for the bot and its first leg, and one more for each other leg."""
    head = (bot.name, bot.state, bot.venue, bot.account, bot.market, bot.strategy)
    if not bot.legs:
        return [(*head, *_figures(bot.orders, bot.fills), *_money(None))]
    rows: list[tuple[str, ...]] = []
    for name, leg in bot.legs.items():
        place = ("", "", leg.venue, leg.account, leg.market, name) if rows else head
        rows.append((*place, *_figures(leg.orders, leg.fills), *_money(leg)))
    return rows


def _figures(*figures: int | None) -> tuple[str, ...]:
    return tuple("?" if figure is None else str(figure) for figure in figures)


def _money(leg: Leg | None) -> tuple[str, ...]:
    money = (leg.position, leg.bid, leg.ask, leg.realised_pnl, leg.funding) if leg else (None,) * 5
    return (*(figure or "-" for figure in money), _budget(leg) if leg else "-")


def _budget(leg: Leg) -> str:
    """The count of the venue that is nearest to its limit, and how near; `!` where the venue asked for patience."""
    shares = {name: use.used_per_minute / use.limit_per_minute for name, use in leg.budget.items()}
    if not shares:
        return "-"
    fullest = max(shares, key=lambda name: shares[name])
    return f"{shares[fullest]:.0%} {fullest}" + ("!" if leg.budget[fullest].pace < 1 else "")


def _hedging(hedge: Hedge) -> str:
    taken = hedge.time_to_hedge
    times = (
        f"median {taken['p50_ms']:g} ms, longest {taken['longest_ms']:g} ms" if taken["count"] else "none timed yet"
    )
    return f"residual {hedge.residual}; {taken['count']} hedges, {times}"
