"""What `botctl new` knows of a workspace and its venues, and how it writes the bot that was answered for.

Nothing is written before the loader has accepted the workspace as it would be, and no bot file is ever overwritten.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from contextlib import suppress

from engine.clock import NS_PER_S
from engine.control.desired import invalid, load_in_force, variables
from engine.control.facts import known_facts
from engine.control.venue_questions import Counter, list_markets, market_book, market_candles
from engine.errors import BotctlError, ConfigInvalid, Refused
from engine.host.files import write_atomic
from engine.host.sources import read_sources
from engine.host.workspace import Workspace
from engine.model.instrument import Instrument
from engine.model.value import Value
from engine.sim.hints import own_balances
from engine.sim.venues import start_prices
from engine.spec.diagnostics import Diagnostic
from engine.spec.documents import FLEET_FILE
from engine.spec.drafting import account_lines, with_account
from engine.spec.load import Loaded, load_fleet
from engine.spec.rules import ANY_KIND
from engine.spec.schema import load_schema, strategy_kinds
from engine.spec.types import AccountSpec, Environment, FleetSpec
from engine.strategies.analysis import analyse
from engine.strategies.suggestions import Seen

MINUTES = 60
"""How far back a market is looked at."""


class Ground(Value, frozen=True, kw_only=True):
    """The workspace as it is, with the accounts that are about to be added."""

    workspace: Workspace
    texts: dict[str, str]
    loaded: Loaded
    fleet: FleetSpec
    before: str = ""
    """fleet.yaml as it was, where an account is about to be added to it."""

    @property
    def new(self) -> dict[str, str]:
        """What is written beside the bot."""
        return {FLEET_FILE: self.texts[FLEET_FILE]} if self.before else {}


def open_ground(workspace: Workspace) -> Ground:
    """ConfigInvalid while fleet.yaml cannot be read; what is wrong with other bots stands in nobody's way."""
    loaded = load_in_force(workspace)
    if loaded.fleet is None:
        raise invalid(loaded)
    return Ground(workspace=workspace, texts=read_sources(workspace), loaded=loaded, fleet=loaded.fleet)


def with_simulated_account(ground: Ground, name: str, venue: str) -> Ground:
    """One more account in fleet.yaml, with play money; Refused, with the lines to add, where they fit nowhere."""
    text = with_account(ground.texts[FLEET_FILE], name, venue, own_balances(venue))
    if text is None:
        lines = "\n".join(account_lines(name, venue, own_balances(venue)))
        raise Refused(
            "the accounts of fleet.yaml are not written in lines", hint=f"add these, then try again:\n{lines}"
        )
    loaded = _load(ground.workspace, {**ground.texts, FLEET_FILE: text})
    if loaded.fleet is None or name not in loaded.fleet.accounts:
        raise ConfigInvalid(f"account {name!r} does not fit into fleet.yaml", hint="small letters, digits, dashes")
    return Ground(
        workspace=ground.workspace,
        texts={**ground.texts, FLEET_FILE: text},
        loaded=loaded,
        fleet=loaded.fleet,
        before=ground.before or ground.texts[FLEET_FILE],
    )


def markets_of(ground: Ground, account: AccountSpec) -> tuple[Instrument, ...]:
    """What the venue lists: as it is known here, else as the venue says now."""
    known = known_facts(ground.workspace)(account.venue, account.environment)
    return known.instruments if known else list_markets(_counter(ground, account))


def kinds_of(instrument: Instrument) -> tuple[str, ...]:
    """The strategies that begin on such a market."""
    return tuple(kind for kind in strategy_kinds() if legs_of(kind)[0][1] in (instrument.kind, ANY_KIND))


def legs_of(kind: str) -> tuple[tuple[str, str], ...]:
    """A strategy's legs, each with the kind of market it wants."""
    return tuple(load_schema(f"strategies/{kind}")["x-legs"].items())


def needed_of(kind: str) -> dict[str, str]:
    """The settings a strategy cannot do without, for whoever has no values to suggest."""
    schema = load_schema(f"strategies/{kind}")
    needed = [f"strategy.{key}" for key in schema["required"] if key != "kind"]
    return dict.fromkeys((*needed, *schema.get("x-needs", ())), "")


def look_at(ground: Ground, account: AccountSpec, instrument: Instrument) -> Seen | None:
    """How the market stands, if the venue answers; else where a simulated one begins; else nothing."""
    counter = _counter(ground, account)
    with suppress(BotctlError):  # A suggestion is all that it is looked at for.
        book = market_book(counter, instrument)
        since_ns = time.time_ns() - MINUTES * 60 * NS_PER_S
        closes = [candle.close for candle in market_candles(counter, instrument, since_ns=since_ns) or ()]
        if found := analyse(instrument, book.bids, book.asks, closes):
            return Seen(instrument=instrument, mid=found.mid, analysis=found)
    if account.environment is not Environment.SIM:
        return None
    return Seen(instrument=instrument, mid=start_prices(account.venue)[instrument.symbol])


def taken_by(ground: Ground, account: str, market: str) -> str:
    """The enabled bot that trades this market already; empty where none does."""
    for name, bot in sorted(ground.loaded.bots.items()):
        legs = bot.spec.legs.values()
        if bot.spec.enabled and any((leg.account, leg.market) == (account, market) for leg in legs):
            return name
    return ""


def free_name(ground: Ground, account: str, market: str, kind: str) -> str:
    """The shortest of the names that come to mind which nobody has; empty when all are taken."""
    words = ((market,), (market, kind), (account, market, kind))
    names = [re.sub(r"[^a-z0-9]+", "-", "-".join(some).lower()).strip("-")[:40].rstrip("-") for some in words]
    return next((name for name in names if not name_problem(ground, name)), "")


def name_problem(ground: Ground, name: str) -> str:
    """What is wrong with a name for a new bot; empty when nothing is."""
    form = load_schema("common")["$defs"]["name"]
    if not re.fullmatch(form["pattern"], name):
        return str(form["x-message"])
    if path_of(name) in ground.texts:
        return f"{path_of(name)} is there already"
    return f"a bot is called {name} already" if name in ground.loaded.bots else ""


def path_of(name: str) -> str:
    """The file of a bot, from the workspace's root."""
    return f"bots/{name}.yaml"


def check_new(ground: Ground, name: str, text: str) -> tuple[Diagnostic, ...]:
    """What the loader says of the new files, in the workspace as it would be."""
    files = {**ground.new, path_of(name): text}
    found = _load(ground.workspace, {**ground.texts, **files}).diagnostics
    return tuple(one for one in found if one.place.file in files)


def write_new(ground: Ground, name: str, text: str) -> None:
    """Write the bot, and fleet.yaml where it got an account; Refused when a file has come to be meanwhile, or
    fleet.yaml is another one by now."""
    workspace = ground.workspace
    if ground.new and read_sources(workspace)[FLEET_FILE] != ground.before:
        raise Refused("fleet.yaml was changed meanwhile", hint="nothing was written: try again")
    try:
        with (workspace.root / path_of(name)).open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise Refused(f"{path_of(name)} is there already", hint="give it another name") from error
    for path, changed in ground.new.items():
        write_atomic(workspace.root / path, changed.encode())


def _counter(ground: Ground, account: AccountSpec) -> Counter:
    bots = tuple(bot.spec for bot in ground.loaded.bots.values() if account.name in bot.spec.accounts)
    return Counter(workspace=ground.workspace, fleet=ground.fleet, account=account, bots=bots)


def _load(workspace: Workspace, texts: Mapping[str, str]) -> Loaded:
    return load_fleet(texts, environment=variables(workspace), facts=known_facts(workspace))
