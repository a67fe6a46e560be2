"""Looks at every account the fleet trades on: are its keys good, does the venue list its markets, how does its
request budget stand? The second half of `botctl doctor`; it asks each venue three questions and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.control.checkup import Finding, Grade
from engine.control.desired import load_workspace
from engine.control.venue_questions import Counter, ask_account, list_markets, open_counter
from engine.errors import AuthenticationFailed, BotctlError, ConfigInvalid, VenueError
from engine.host.workspace import Workspace
from engine.model.commands import QueryBalances
from engine.runtime.sharing import counts_of


def account_checkup(workspace: Workspace) -> Iterator[Finding]:
    """Nothing where the files have errors: the first half says so."""
    try:
        loaded = load_workspace(workspace)
    except ConfigInvalid:
        return
    if loaded.has_errors:
        return
    bots = [bot.spec for bot in loaded.bots.values()]
    for name in sorted({leg.account for bot in bots for leg in bot.legs.values()}):
        yield from _account(open_counter(workspace, name))


def _account(counter: Counter) -> Iterator[Finding]:
    where = f"account {counter.account.name} at {counter.account.venue} ({counter.account.environment})"
    try:
        listed = {instrument.symbol for instrument in list_markets(counter)}
        missing = [market for market in counter.markets if market not in listed]
        yield _markets(where, missing, len(counter.markets))
        if len(missing) < len(counter.markets):
            present = next(market for market in counter.markets if market in listed)
            ask_account(counter, present, [QueryBalances(leg="question")])
            yield Finding(grade=Grade.OK, what=f"{where}: its keys are accepted")
    except AuthenticationFailed as error:
        words = error.venue_words or error.message
        yield Finding(
            grade=Grade.FAIL, what=f"{where}: its keys are refused: {words}", hint="check the credentials"
        )
    except VenueError as error:
        yield Finding(grade=Grade.WARN, what=f"{where} cannot be asked: {error.message}", hint=error.hint or "")
    except BotctlError as error:
        yield Finding(grade=Grade.FAIL, what=f"{where}: {error.message}", hint=error.hint or "")
    yield _limit(where, counter)


def _markets(where: str, missing: list[str], wanted: int) -> Finding:
    if missing:
        names = ", ".join(missing)
        return Finding(grade=Grade.FAIL, what=f"{where}: no market {names}", hint="botctl market list")
    return Finding(grade=Grade.OK, what=f"{where}: all {wanted} markets of its bots are listed")


def _limit(where: str, counter: Counter) -> Finding:
    counts = counts_of(counter.venue.facts, counter.fleet.requests_per_minute)
    bots = len(counter.markets)
    listed = ", ".join(f"{one.per_minute} {one.name}" for one in counts)
    grade = Grade.WARN if min(one.per_minute for one in counts) < 20 * bots else Grade.OK
    return Finding(
        grade=grade,
        what=f"{where}: {listed} a minute for {bots} markets",
        hint="fewer bots on this account, or a higher tier at the venue; requotes will be slow",
    )
