"""What a bot's legs have of a budget, everything that may fill counted as filled, and what it leaves to an order.

A quote of a leg that is hedged will be two positions once it has filled: its hedge is counted from the moment the
quote is sent, so that no budget can run out between the fill and the hedge. `budgets` is the caller.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import ROUND_CEILING, Decimal

from engine.model.budgets import Claim, Share
from engine.risk.guard import Room
from engine.strategies.interface import HedgeRule
from engine.trading.exposure import worst_lots, worth
from engine.trading.leg import Leg

Lots = tuple[int, int]
"""To buy and to sell, or long and short."""
QUOTIENT_USD = Decimal("0.000001")
"""A part of a share is rounded, and what was claimed exactly must fit into it."""


class Claims:
    """Of one bot. `rule` names the pair among its legs, where there is one. No claim (None): a price is missing."""

    def __init__(self, legs: Mapping[str, Leg], rule: HedgeRule | None) -> None:
        self._legs, self._rule = legs, rule

    def of(self, concerned: Collection[str], wanted: Mapping[str, Lots]) -> Claim | None:
        """All legs that a budget is about, with at least so much `wanted` open."""
        claims = [self._open(name, wanted) for name in concerned]
        if self._rule and self._rule.hedge in concerned:
            claims.append(self._reserve(self._rule, concerned, wanted))
        known = [claim for claim in claims if claim is not None]
        return _sum(known) if len(known) == len(claims) else None

    def concern(self, leg: str, concerned: Collection[str]) -> bool:
        """Whether an order of the leg can come to count in a budget that is about some legs."""
        return leg in concerned or (self._rule is not None and self._rule.hedge in concerned)

    def room(self, budget: str, share: Share, concerned: Collection[str]) -> Room | None:
        """What an order may be worth at most: of the one leg that a budget is about, or of one that quotes."""
        rule, has = self._rule, self.of(concerned, {})
        if has is None:
            return None
        if rule is None or rule.hedge not in concerned:
            long_usd, short_usd = _minus(share.long_usd, has.long_usd), _minus(share.short_usd, has.short_usd)
            gross_usd = _minus(share.gross_usd, has.gross_usd)
            return Room(budget=budget, long_usd=long_usd, short_usd=short_usd, gross_usd=gross_usd)
        return self._room_of_pair(budget, rule, share, concerned)

    def _room_of_pair(self, budget: str, rule: HedgeRule, share: Share, concerned: Collection[str]) -> Room | None:
        """For a quote: its own worth and that of its hedge, each at its own price."""
        maker, hedge, coming = self._open(rule.maker, {}), self._open(rule.hedge, {}), self._coming(rule, {})
        if maker is None or hedge is None or coming is None:
            return None
        price, hedge_price = self._price(rule.maker), self._price(rule.hedge)
        if rule.maker not in concerned:
            part = price / hedge_price if hedge_price else Decimal(0)
            return Room(
                budget=budget,
                long_usd=_part(_minus(share.short_usd, coming.short_usd), part),
                short_usd=_part(_minus(share.long_usd, coming.long_usd), part),
                gross_usd=_part(_minus(share.gross_usd, coming.gross_usd), part),
            )
        left_usd = _minus(share.gross_usd, maker.gross_usd)
        gross_usd = _part(
            _minus(left_usd, coming.gross_usd), price / (price + hedge_price) if price else Decimal(0)
        )
        return Room(
            budget=budget,
            long_usd=_minus(share.long_usd, maker.long_usd + hedge.long_usd),
            short_usd=_minus(share.short_usd, maker.short_usd + hedge.short_usd),
            gross_usd=None if gross_usd is None or left_usd is None else min(gross_usd, left_usd - hedge.gross_usd),
        )

    def _open(self, name: str, wanted: Mapping[str, Lots]) -> Claim | None:
        """What one leg has and may come to have by its own orders."""
        return _worth(self._legs[name], self._worst(name, wanted))

    def _reserve(self, rule: HedgeRule, concerned: Collection[str], wanted: Mapping[str, Lots]) -> Claim | None:
        """What the hedges to come add to that. Net, they only take away what the fills before them added."""
        has, coming = self._open(rule.hedge, wanted), self._coming(rule, wanted)
        if has is None or coming is None:
            return None
        gross_usd = max(Decimal(0), coming.gross_usd - has.gross_usd)
        if rule.maker in concerned:
            return Claim(gross_usd=gross_usd)
        return Claim(
            long_usd=max(Decimal(0), coming.long_usd - has.long_usd),
            short_usd=max(Decimal(0), coming.short_usd - has.short_usd),
            gross_usd=gross_usd,
        )

    def _coming(self, rule: HedgeRule, wanted: Mapping[str, Lots]) -> Claim | None:
        """The hedge leg once all is filled and hedged: as short as the maker leg is long then."""
        maker, hedge = self._legs[rule.maker].instrument, self._legs[rule.hedge]
        bought, sold = (_lots(hedge, maker.size(lots)) for lots in self._worst(rule.maker, wanted))
        return _worth(hedge, (sold, bought))

    def _worst(self, name: str, wanted: Mapping[str, Lots]) -> Lots:
        buys, sells = wanted.get(name, (0, 0))
        return worst_lots(self._legs[name], at_least_buys=buys, at_least_sells=sells)

    def _price(self, name: str) -> Decimal:
        """Twice the mid; 0 while there is none."""
        return self._legs[name].instrument.price(self._legs[name].twice_mid_ticks or 0)


def _worth(leg: Leg, lots: Lots) -> Claim | None:
    long_usd, short_usd = worth(leg, lots[0]), worth(leg, lots[1])
    if long_usd is None or short_usd is None:
        return None
    return Claim(long_usd=long_usd, short_usd=short_usd, gross_usd=max(long_usd, short_usd))


def _lots(leg: Leg, size: Decimal) -> int:
    return int((size / leg.instrument.lot_size).to_integral_value(ROUND_CEILING))


def _sum(claims: Collection[Claim]) -> Claim:
    return Claim(
        long_usd=sum((claim.long_usd for claim in claims), Decimal(0)),
        short_usd=sum((claim.short_usd for claim in claims), Decimal(0)),
        gross_usd=sum((claim.gross_usd for claim in claims), Decimal(0)),
    )


def _minus(share_usd: Decimal | None, has_usd: Decimal) -> Decimal | None:
    return None if share_usd is None else share_usd - has_usd


def _part(left_usd: Decimal | None, part: Decimal) -> Decimal | None:
    return None if left_usd is None else left_usd * part + QUOTIENT_USD
