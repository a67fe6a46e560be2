"""Why bots cannot stand beside each other although each is right by itself. Nothing a venue has to be asked for.

Pure: `rules` asks, and reports what it hears at the place of the field in question.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from engine.spec.complaints import Complaint
from engine.spec.types import AccountSpec, BotSpec

_LEVERAGE = "hedge_leverage"

Clash = tuple[int, Complaint]
"""Which of the bots is told, by its place among them, and what another one has against it."""


def clashes(specs: Sequence[BotSpec | None]) -> Iterator[Clash]:
    """Everything that enabled bots have against each other; the later one of two is told. None: not readable."""
    enabled = [(at, spec) for at, spec in enumerate(specs) if spec is not None and spec.enabled]
    yield from _self_trades(enabled)
    yield from _leverages(enabled)


def _self_trades(specs: Iterable[tuple[int, BotSpec]]) -> Iterator[Clash]:
    """An exchange calls it wash trading when one owner's accounts trade with each other."""
    first: dict[tuple[str, ...], tuple[str, str]] = {}
    for at, spec in specs:
        for name, leg in spec.legs.items():
            account = spec.accounts[leg.account]
            if account.owner is None:
                continue
            book = (account.owner, leg.venue, account.environment, leg.market)
            bot, others = first.setdefault(book, (spec.name, account.name))
            if others != account.name:
                whose = "its own other leg" if bot == spec.name else f"bot {bot}"
                yield at, _self_trade(spec, name, account, f"{whose} trades {leg.market} on account {others}")


def _self_trade(spec: BotSpec, leg: str, account: AccountSpec, other: str) -> Complaint:
    return Complaint(
        code="self-trade",
        field=_market_of(spec, leg),
        message=f"{other}, which belongs to {account.owner} as {account.name} does: "
        "their orders may trade with each other",
        hint="another market, or one bot for both accounts' capital",
    )


def _leverages(specs: Iterable[tuple[int, BotSpec]]) -> Iterator[Clash]:
    """Collateral is the account's: what one bot takes it to carry, another cannot take for less."""
    first: dict[str, tuple[str, Decimal]] = {}
    for at, spec in specs:
        written, hedge = spec.strategy.parameters.get(_LEVERAGE), spec.legs.get("hedge")
        if written is None or hedge is None:
            continue
        leverage = Decimal(str(written))
        other, said = first.setdefault(hedge.account, (spec.name, leverage))
        if said != leverage:
            message = (
                f"bot {other} takes account {hedge.account} to carry {said} times its collateral, "
                f"this one {leverage} times"
            )
            hint = "say the same in both: they share the collateral"
            yield at, Complaint(code="leverage-differs", field=("strategy", _LEVERAGE), message=message, hint=hint)


def _market_of(spec: BotSpec, leg: str) -> tuple[str, ...]:
    return ("exchange", "market") if len(spec.legs) == 1 else ("exchange", "legs", leg, "market")
