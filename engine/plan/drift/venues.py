"""Drift at the venues: orders, position, leverage and collateral that the fleet did not make so."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from msgspec.structs import replace

from engine.model.instrument import plain
from engine.plan.drift.evidence import AccountLook, Evidence, MarketLook, RestingOrder, SetLeverage
from engine.plan.drift.findings import NOTED, Finding, Kind, Means, Unlooked, Way
from engine.plan.observed import Engine, Leg, Unknown
from engine.plan.view import view
from engine.spec.types import AccountSpec, BotSpec, LegSpec

Found = Iterator[Finding | Unlooked]

ITS_ENGINE = "its engine"
NOT_OURS = Means(
    words="an order is a bot's own by its client id, which no venue lets one change; others' are never cancelled",
    is_possible=False,
    instead="cancel it where it was placed",
)


def of_bot(evidence: Evidence, spec: BotSpec) -> Found:
    """Every leg of one applied bot."""
    for name, leg in spec.legs.items():
        look = evidence.markets.get((leg.account, leg.market))
        if isinstance(look, MarketLook):
            yield from _orders(evidence, spec, leg, look)
            yield from _leverage(evidence, spec, leg, look)
        else:
            why = look.why if look else "nobody asked"
            yield Unlooked(whose=spec.name, what=f"{leg.market} at {leg.venue}", why=why)
        yield from _position(evidence, spec, name, look if isinstance(look, MarketLook) else None)


def of_account(evidence: Evidence, account: AccountSpec) -> Found:
    """What of its balances nothing explains."""
    look = evidence.accounts.get(account.name)
    whose, what = f"account {account.name}", "its collateral"
    if not isinstance(look, AccountLook):
        yield Unlooked(whose=whose, what=what, why=look.why if look else "nobody asked")
    elif look.why_not:
        yield Unlooked(whose=whose, what=what, why=look.why_not, is_failure=False)
    elif moved := {asset: size for asset, size in look.unexplained.items() if size}:
        yield Finding(
            kind=Kind.COLLATERAL,
            account=account.name,
            expected=f"what fills and funding made of it since {look.since}",
            found=", ".join(f"{_signed(size)} {asset}" for asset, size in sorted(moved.items())),
            source=account.venue,
            needs_person=True,
            means={
                Way.ADOPT: Means(words="counts as it is now: the next look compares with this"),
                Way.REVERT: Means(
                    words="botctl moves no money", is_possible=False, instead="transfer it back at the venue"
                ),
                Way.IGNORE: NOTED,
            },
        )


def _signed(size: Decimal) -> str:
    return f"+{plain(size)}" if size > 0 else plain(size)


def _orders(evidence: Evidence, spec: BotSpec, leg: LegSpec, look: MarketLook) -> Found:
    for order in look.orders:
        if not order.owner:
            yield _order(Kind.FOREIGN_ORDER, spec, leg, order, {Way.ADOPT: NOT_OURS, Way.REVERT: NOT_OURS})
        elif order.owner == spec.name and _is_down(evidence, spec.name):
            yield _order(Kind.ORPHAN_ORDER, spec, leg, order, _of_orphan(spec.name))


def _order_words(order: RestingOrder) -> str:
    tagged = f", tagged as of {order.tagged}, whose journal never sent it" if order.tagged else ""
    return f"{order.side} {order.size} at {order.price}, order {order.venue_order_id}{tagged}"


def _order(kind: Kind, spec: BotSpec, leg: LegSpec, order: RestingOrder, means: dict[Way, Means]) -> Finding:
    return Finding(
        kind=kind,
        bot=spec.name,
        account=leg.account,
        market=leg.market,
        subject=order.venue_order_id,
        expected="only orders of bots" if kind is Kind.FOREIGN_ORDER else "no order while its bot does not run",
        found=_order_words(order),
        source=leg.venue,
        needs_person=kind is Kind.FOREIGN_ORDER,
        means={**means, Way.IGNORE: NOTED},
    )


def _of_orphan(bot: str) -> dict[Way, Means]:
    takes = "its bot knows it, and takes it up again when it runs"
    return {
        Way.ADOPT: Means(words=takes, is_possible=False, instead=f"botctl start {bot}"),
        Way.REVERT: Means(words="the bot's own orders are cancelled, as its stop would have done"),
    }


def _leverage(evidence: Evidence, spec: BotSpec, leg: LegSpec, look: MarketLook) -> Found:
    declared, told = spec.accounts[leg.account].leverage, look.leverage
    if declared is None or look.position is None:  # Spot is owned outright.
        return
    if told is None:
        why = f"{leg.venue} does not tell it, although the account declares {plain(declared)}"
        yield Unlooked(whose=f"account {leg.account}", what="its leverage", why=why, is_failure=False)
    elif told.times != declared:
        place = _place_of_leverage(evidence, spec, leg)
        yield Finding(
            kind=Kind.LEVERAGE,
            bot="" if told.is_of_account else spec.name,
            account=leg.account,
            market="" if told.is_of_account else leg.market,
            expected=f"{plain(declared)} times",
            found=f"{plain(told.times)} times",
            source=leg.venue,
            place=place,
            needs_person=True,
            means={
                Way.ADOPT: Means(
                    words="the declaration is a line of a file",
                    is_possible=False,
                    instead=f"write `leverage: {plain(told.times)}` for {leg.account} at {place}, and apply",
                ),
                Way.REVERT: _set_back(told, declared, leg),
                Way.IGNORE: NOTED,
            },
        )


def _set_back(told: SetLeverage, declared: Decimal, leg: LegSpec) -> Means:
    if told.can_change:
        return Means(words=f"{leg.venue} is told to set {plain(declared)} times")
    return Means(
        words=f"botctl cannot set it at {leg.venue}", is_possible=False, instead="set it on the venue's website"
    )


def _place_of_leverage(evidence: Evidence, spec: BotSpec, leg: LegSpec) -> str:
    declared = evidence.declared
    if isinstance(declared, Unknown) or spec.name not in declared.bots:
        return "bots/fleet.yaml"
    return declared.bots[spec.name].place(f"accounts.{leg.account}.leverage")


def _position(evidence: Evidence, spec: BotSpec, name: str, look: MarketLook | None) -> Found:
    """A bot that runs has asked twice and knows; of one that does not, its journal is held against the venue."""
    seen = view(spec.name, evidence.observed)
    missing = _missing(look)
    if isinstance(seen.engine, Engine):
        yield from _of_engine(spec, name, seen.engine.legs.get(name), missing)
    elif missing and _is_down(evidence, spec.name):
        found = f"{plain(missing)} more than its journal explains"
        start = Means(
            words="only a bot that runs can settle it: fills of its last moments may explain it",
            is_possible=False,
            instead=f"botctl start {spec.name}",
        )
        means = {Way.ADOPT: start, Way.IGNORE: NOTED}
        yield _unexplained(spec, name, found, spec.legs[name].venue, means)


def _missing(look: MarketLook | None) -> Decimal:
    """What of the venue's position no journal explains; nothing while that is not certain."""
    if look is None or look.position is None or look.explained is None:
        return Decimal(0)
    return look.position - look.explained


def _of_engine(spec: BotSpec, name: str, leg: Leg | None, missing: Decimal) -> Found:
    if leg is None:
        yield Unlooked(whose=spec.name, what=f"its position on leg {name}", why="its engine does not speak of it")
    elif Decimal(leg.unexplained):
        entry = f" at {leg.adoption_price}" if leg.adoption_price else ""
        means = {
            Way.ADOPT: Means(words=f"enters its books{entry}, and is managed like all that it traded"),
            Way.IGNORE: Means(words="is none of its business from now on; it trades beside it"),
        }
        shown = _unexplained(spec, name, f"{leg.unexplained} that no own fill explains", ITS_ENGINE, means)
        yield replace(shown, subject=leg.unexplained)
    elif not leg.ready:
        why = leg.why_not or "its engine is not ready yet"
        yield Unlooked(whose=spec.name, what=f"its position in {leg.market}", why=why)
    elif missing:
        why = f"{plain(missing)} more than own fills explain; its engine asks twice a minute, and has not said yet"
        yield Unlooked(whose=spec.name, what=f"its position in {leg.market}", why=why)


def _unexplained(spec: BotSpec, name: str, found: str, source: str, means: dict[Way, Means]) -> Finding:
    leg = spec.legs[name]
    not_ours = Means(
        words="botctl trades nothing that is not a bot's own",
        is_possible=False,
        instead=f"close it where it was opened; or adopt it, then botctl halt {spec.name} --flatten",
    )
    return Finding(
        kind=Kind.POSITION,
        bot=spec.name,
        leg=name,
        account=leg.account,
        market=leg.market,
        expected="all of it from own fills",
        found=found,
        source=source,
        needs_person=source == ITS_ENGINE,
        means={**means, Way.REVERT: not_ours},
    )


def _is_down(evidence: Evidence, bot: str) -> bool:
    """Certainly: whoever does not answer may still run."""
    seen = view(bot, evidence.observed)
    return not seen.process_unknown and not seen.is_up and seen.engine is None
