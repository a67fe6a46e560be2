"""Looks at every account the fleet trades on: is its way out open, are its signer and keys good, may they take
money out, does the venue list its markets, what may it ask, and what does nobody watch? The second half of
`botctl doctor`; it asks each venue a few questions and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.control.desired import load_in_force
from engine.control.finding import Finding, Grade
from engine.control.venue_questions import Counter, ask_account, chain_differences, list_markets, open_counter
from engine.control.ways import shell_secrets
from engine.errors import AuthenticationFailed, BotctlError, ConfigInvalid, VenueError
from engine.exchanges.interface import KeyJudgingVenue, SelfCheckingVenue
from engine.host.accounts import credentials_of
from engine.host.workspace import Workspace
from engine.model.commands import QueryBalances
from engine.runtime.sharing import counts_of
from engine.spec.types import Environment

REQUESTS_PER_MARKET = 20
"""A minute's questions of one leg, and a few requotes."""


def account_checkup(workspace: Workspace) -> Iterator[Finding]:
    """Nothing where the files have errors: the first half says so."""
    try:
        loaded = load_in_force(workspace)
    except ConfigInvalid:
        return
    if loaded.has_errors:
        return
    bots = [bot.spec for bot in loaded.bots.values()]
    for name in sorted({leg.account for bot in bots for leg in bot.legs.values()}):
        yield from _account(open_counter(workspace, name))


def _account(counter: Counter) -> Iterator[Finding]:
    where = f"account {counter.account.name} at {counter.account.venue} ({counter.account.environment})"
    yield from _signer(where, counter)
    try:
        if counter.proxy is not None:
            yield Finding(grade=Grade.OK, what=f"{where} is reached through a proxy")
        yield from _conversation(where, counter)
    except AuthenticationFailed as error:
        words = error.venue_words or error.message
        yield Finding(
            grade=Grade.FAIL, what=f"{where}: its keys are refused: {words}", hint="check the credentials"
        )
    except VenueError as error:
        grade = Grade.WARN if counter.proxy is None else Grade.FAIL
        yield Finding(grade=grade, what=f"{where} cannot be asked: {error.message}", hint=error.hint or "")
    except BotctlError as error:
        yield Finding(grade=Grade.FAIL, what=f"{where}: {error.message}", hint=error.hint or "")
    yield _limit(where, counter)
    yield _left_alone(where, counter)


def _signer(where: str, counter: Counter) -> Iterator[Finding]:
    """A library that signs wrongly would have every order refused, or worse, signed with other numbers."""
    try:
        venue = counter.venue
        if isinstance(venue, SelfCheckingVenue):
            venue.self_check()
            yield Finding(grade=Grade.OK, what=f"{where}: what signs passes its self-check")
    except BotctlError as error:
        yield Finding(grade=Grade.FAIL, what=f"{where}: {error.message}", hint=error.hint or "")


def _conversation(where: str, counter: Counter) -> Iterator[Finding]:
    listed = {instrument.symbol for instrument in list_markets(counter)}
    missing = [market for market in counter.markets if market not in listed]
    yield _markets(where, missing, len(counter.markets))
    differences = chain_differences(counter)
    if differences is not None:
        yield _chain(where, differences)
    yield from _rights(where, counter)
    if len(missing) < len(counter.markets):
        present = next(market for market in counter.markets if market in listed)
        ask_account(counter, present, [QueryBalances(leg="question")])
        yield Finding(grade=Grade.OK, what=f"{where}: its keys are accepted")


def _chain(where: str, differences: tuple[str, ...]) -> Finding:
    if not differences:
        return Finding(grade=Grade.OK, what=f"{where}: the venue's chain is the one we sign for")
    return Finding(
        grade=Grade.FAIL,
        what=f"{where}: the venue's chain is not the one we sign for: {', '.join(differences)}",
        hint="do not trade there with this version of botctl: its signatures are for another chain",
    )


def _rights(where: str, counter: Counter) -> Iterator[Finding]:
    """A simulated account's key has nothing to take out."""
    venue, account = counter.venue, counter.account
    if account.environment is Environment.SIM:
        return
    if not isinstance(venue, KeyJudgingVenue):
        yield Finding(
            grade=Grade.OK,
            what=f"{where}: {account.venue} does not tell whether a key may withdraw; see to it on its website",
        )
        return
    keys = credentials_of(account, venue, fleet_id=counter.fleet.id, secrets=shell_secrets(counter.workspace))
    rights = venue.key_rights(keys, counter.endpoints())
    if rights.can_withdraw:
        yield Finding(grade=Grade.WARN, what=f"{where}: its key may withdraw", hint=rights.why)
    else:
        yield Finding(grade=Grade.OK, what=f"{where}: {rights.why}")


def _markets(where: str, missing: list[str], wanted: int) -> Finding:
    if missing:
        names = ", ".join(missing)
        return Finding(grade=Grade.FAIL, what=f"{where}: no market {names}", hint="botctl market list")
    return Finding(grade=Grade.OK, what=f"{where}: all {wanted} markets of its bots are listed")


def _limit(where: str, counter: Counter) -> Finding:
    counts = counts_of(counter.venue.facts, counter.fleet.requests_per_minute)
    bots = len(counter.markets)
    listed = ", ".join(f"{one.per_minute} {one.name}" for one in counts)
    grade = Grade.WARN if min(one.per_minute for one in counts) < REQUESTS_PER_MARKET * bots else Grade.OK
    return Finding(
        grade=grade,
        what=f"{where}: {listed} a minute for {bots} markets",
        hint="fewer bots on this account, or a higher tier at the venue; requotes will be slow",
    )


def _left_alone(where: str, counter: Counter) -> Finding:
    """What no check can make good is said, so that nobody counts on it."""
    account, facts = counter.account, counter.venue.facts
    has_switch = facts.dead_mans_switch
    if has_switch and account.exclusive and account.dead_mans_switch_s:
        covered = f"when this host is lost, its orders are cancelled after {account.dead_mans_switch_s} s"
        return Finding(grade=Grade.OK, what=f"{where}: {covered}")
    if facts.cancels_on_disconnect:
        covered = "when this host is lost, the venue cancels what its bots placed on the sockets that go with it"
        return Finding(
            grade=Grade.OK,
            what=f"{where}: {covered}; not covered: what was placed by REST or on an earlier socket",
        )
    why = "the account has no dead man's switch set" if has_switch else f"{account.venue} has no dead man's switch"
    if facts.cancels_on_disconnect is False:
        why += ", and its cancel_on_disconnect is off"
    return Finding(
        grade=Grade.OK, what=f"{where}: not covered: when this host is lost, its orders go on resting; {why}"
    )
