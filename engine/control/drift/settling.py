"""Does what a person said about findings of drift: adopt, revert or ignore, exactly what he was shown.

What a way comes to, the finding says (`engine.plan.drift`); here it is done, under the writer's lock and in the
audit log. What another verb does is left to that verb.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.control.adoption import Difference, Settling, settle
from engine.control.audit import recorded
from engine.control.baselines import keep_baseline
from engine.control.drift.ignoring import note_ignored
from engine.control.drift.looking import Looked
from engine.control.drift.venues import counters_of
from engine.control.fleet import Fleet
from engine.control.lifecycle import applied_generation, restart
from engine.control.lock import writer_lock
from engine.control.observe import observe
from engine.control.remains import clear_remains, remains_of
from engine.control.venue_questions import Counter
from engine.control.venue_settings import set_leverage
from engine.errors import BotctlError, Conflict, Refused, UsageError
from engine.model.value import Value
from engine.plan.drift.findings import ID_CHARS_MIN, NOTED, Drift, Finding, Kind, Way
from engine.plan.observed import Engine, Leg

VERB = "drift"


class Said(Value, frozen=True, kw_only=True):
    """What a person said. `price` is for position that is adopted."""

    way: Way
    why: str = ""
    price: str | None = None


def chosen(drift: Drift, ids: Sequence[str]) -> tuple[Finding, ...]:
    """The findings named by their ids, or the beginnings of these. Conflict for one that is not there: another
    figure is another finding, and nobody has looked at that yet."""
    known = {one.id: one for one in (*drift.findings, *(finding for finding, _ in drift.noted))}
    found = {}
    for said in ids:
        matching = [one for key, one in known.items() if len(said) >= ID_CHARS_MIN and key.startswith(said)]
        if len(matching) > 1:
            raise UsageError(f"{said} begins several findings", hint=", ".join(one.id for one in matching))
        if not matching:
            raise Conflict(
                f"there is no finding {said} now: it is settled, or its figures are others by now",
                hint="look again: botctl drift",
            )
        found[matching[0].id] = matching[0]
    return tuple(found.values())


def require_possible(findings: Sequence[Finding], said: Said) -> None:
    """Refused, before anything is done, with what a person can do instead."""
    for finding in findings:
        means = finding.means[said.way]
        if not means.is_possible:
            raise Refused(f"{finding.id} is not for `{said.way}`: {means.words}", hint=means.instead or None)
    if said.way is Way.IGNORE and not said.why.strip():
        raise UsageError("a finding is ignored for a reason", hint="--why REASON")
    if said.price is not None and [one.kind for one in findings] != [Kind.POSITION]:
        raise UsageError("--price is for one position that is adopted", hint="name that finding alone")


def carry_out(fleet: Fleet, looked: Looked, finding: Finding, said: Said) -> None:
    """One finding. What is under way elsewhere is Locked; what changed since it was shown is a Conflict."""
    if finding.kind is Kind.FINGERPRINT and said.way is Way.REVERT:
        restart(fleet, [finding.bot], why=said.why)  # It takes the lock, and writes the record.
        return
    with writer_lock(fleet.workspace, VERB) as lock:
        lock.carries(f"{said.way} {finding.whose}: {finding.kind}")
        if finding.kind is Kind.POSITION and finding.means[said.way] is not NOTED:
            _settle_position(fleet, finding, said)
            return
        what, about = f"{VERB} {said.way}", finding.whose
        with recorded(fleet.workspace, what, finding=finding.id, about=about, found=finding.words, why=said.why):
            _do(fleet, looked, finding, said)


def _do(fleet: Fleet, looked: Looked, finding: Finding, said: Said) -> None:
    if said.way is Way.IGNORE:
        note_ignored(fleet.workspace, finding, why=said.why)
    elif finding.kind is Kind.ORPHAN_ORDER:
        _cancel_orphans(fleet, finding)
    elif finding.kind is Kind.LEVERAGE:
        _set_leverage(fleet, finding)
    elif finding.kind is Kind.COLLATERAL:
        keep_baseline(_counter(fleet, finding.account), looked.standing.get(finding.account))
    else:
        raise Refused(f"{finding.kind} is not for `{said.way}`")


def _settle_position(fleet: Fleet, finding: Finding, said: Said) -> None:
    """The engine settles exactly this difference, or says that it is another one by now."""
    leg = _leg(fleet, finding)
    difference = Difference(
        bot=finding.bot,
        leg=finding.leg,
        account=finding.account,
        market=finding.market,
        size=finding.subject,
        price=leg.adoption_price,
        position=leg.position,
        ignored=leg.ignored,
    )
    settle(fleet, difference, Settling(said.way), price=said.price, why=said.why)


def _leg(fleet: Fleet, finding: Finding) -> Leg:
    engine = observe(fleet).engines.get(finding.bot)
    if not isinstance(engine, Engine) or finding.leg not in engine.legs:
        raise Conflict(f"{finding.bot} does not run any more", hint=f"botctl start {finding.bot}")
    return engine.legs[finding.leg]


def _cancel_orphans(fleet: Fleet, finding: Finding) -> None:
    """As the sentinel would: in a process of its own, which leaves a bot alone that runs again."""
    generation = applied_generation(fleet)
    clear_remains(fleet.workspace, [finding.bot])
    left = remains_of(fleet.workspace, generation.fleet.id, [generation.bots[finding.bot]])
    if left:
        raise BotctlError(f"{finding.bot}: {left[finding.bot]}", hint=f"botctl logs {finding.bot}; botctl halt")


def _set_leverage(fleet: Fleet, finding: Finding) -> None:
    counter = _counter(fleet, finding.account)
    declared = counter.account.leverage
    if declared is None or not counter.markets:
        raise Conflict("no leverage is declared for the account any more", hint="look again: botctl drift")
    set_leverage(counter, finding.market or counter.markets[0], declared)


def _counter(fleet: Fleet, account: str) -> Counter:
    counters = counters_of(fleet.workspace, observe(fleet).applied)
    if account not in counters:
        raise Conflict(f"no bot trades on {account} any more", hint="look again: botctl drift")
    return counters[account]
