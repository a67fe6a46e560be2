"""Why two legs cannot hedge each other, said before they start: rules between the legs, and between their markets.

Pure: `rules` asks, and reports what it hears at the place of the field in question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from engine.model.instrument import Instrument, plain
from engine.spec.complaints import Complaint
from engine.spec.types import BotSpec

KIND = "maker_taker_hedge"
_LEGS = ("maker", "hedge")
_HEDGE = ("exchange", "legs", "hedge")


def legs_complaints(spec: BotSpec) -> Iterator[Complaint]:
    """What no venue has to be asked for."""
    if spec.strategy.kind != KIND:
        return
    maker, hedge = (spec.legs[name] for name in _LEGS)
    if (maker.account, maker.market) == (hedge.account, hedge.market):
        yield Complaint(
            code="hedges-itself",
            field=(*_HEDGE, "market"),
            message=f"both legs trade {hedge.market} on account {hedge.account}: the hedge would undo every fill",
            hint="another market of the same asset, or another account",
        )
    elif (maker.venue, maker.market) == (hedge.venue, hedge.market):
        yield Complaint(
            code="hedges-in-its-own-book",
            field=(*_HEDGE, "market"),
            message=f"both legs trade {hedge.market} at {hedge.venue}: a hedge may meet the bot's own quotes",
            hint="another market of the same asset, or another venue",
            is_warning=True,
        )
    environments = [spec.accounts[leg.account].environment for leg in (maker, hedge)]
    if environments[0] is not environments[1]:
        yield Complaint(
            code="mixed-environments",
            field=(*_HEDGE, "account"),
            message=f"the maker leg is on {environments[0]} and the hedge leg on {environments[1]}: "
            "what one of them does is no hedge of the other",
            hint="two accounts of one environment",
        )
    yield from _leverage(spec)
    yield from _sizes(spec)


def _leverage(spec: BotSpec) -> Iterator[Complaint]:
    """One of the two would be wrong: what the account allows counts for all its bots together."""
    account, taken = spec.accounts[spec.legs["hedge"].account], _number(spec, "hedge_leverage")
    if account.max_leverage is not None and taken > account.max_leverage:
        yield Complaint(
            code="leverage-beyond-account",
            field=("strategy", "hedge_leverage"),
            message=f"account {account.name} is taken to carry {plain(taken)} times its collateral, and its "
            f"max_leverage allows {plain(account.max_leverage)} times its equity",
            hint=f"at most {plain(account.max_leverage)} here, or another max_leverage in fleet.yaml",
        )


def _sizes(spec: BotSpec) -> Iterator[Complaint]:
    size, limit = _number(spec, "order_size"), spec.risk.max_position
    if limit is not None and size > limit:
        yield Complaint(
            code="beyond-limit",
            field=("strategy", "order_size"),
            message=f"order_size {plain(size)} is more than risk.max_position {plain(limit)}",
            hint="what the limit leaves is quoted",
            is_warning=True,
        )


def pair_complaints(spec: BotSpec, instruments: Mapping[str, Instrument]) -> Iterator[Complaint]:
    """What the two markets have against each other; nothing while one of them is not known."""
    if spec.strategy.kind != KIND or not instruments.keys() >= set(_LEGS):
        return
    maker, hedge = (instruments[name] for name in _LEGS)
    if maker.base != hedge.base:
        yield Complaint(
            code="different-assets",
            field=(*_HEDGE, "market"),
            message=f"{maker.symbol} trades {maker.base} and {hedge.symbol} trades {hedge.base}: "
            "neither hedges the other",
        )
        return
    size, most_open = _number(spec, "order_size"), _number(spec, "max_unhedged")
    least = hedge.size(hedge.min_lots(0))
    if most_open < least:
        yield Complaint(
            code="hedge-too-small",
            field=("strategy", "max_unhedged"),
            message=f"max_unhedged {plain(most_open)} is less than the smallest hedge {plain(least)}: "
            "what is too little to hedge would stop the quoting",
            hint=f"at least {plain(least)}",
        )
    elif size < least:
        yield Complaint(
            code="hedge-too-small",
            field=("strategy", "order_size"),
            message=f"order_size {plain(size)} is less than the smallest hedge {plain(least)}: "
            "fills wait until they add up to it",
            is_warning=True,
        )


def _number(spec: BotSpec, parameter: str) -> Decimal:
    return Decimal(str(spec.strategy.parameters[parameter]))
