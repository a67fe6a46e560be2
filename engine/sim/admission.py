"""Whether an exchange takes an order: price bands, funds, margin, reduce-only. Changes nothing.

The margin model is simple on purpose: cross margin over the account's quote balance. Collateral is what of the
balance is not locked by spot orders, plus unrealised results. Required is, for every perp market, the larger
exposure that could come about if all buys or all sells were filled, at mark, times the market's initial
margin fraction or the inverse of the account's leverage limit, whichever is larger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from engine.model.order import Side
from engine.sim.ledger import ZERO, Account
from engine.sim.market import MarginFunction, Market
from engine.sim.orders import Order, Refusal
from engine.sim.venue_market import VenueMarket


def refusal(
    order: Order, account: Account, open_orders: Iterable[Order], markets: Mapping[str, VenueMarket]
) -> Refusal | None:
    """Why the order must not be taken; None when it may."""
    at = markets[order.symbol]
    if order.reduce_only and reducible_lots(order, account) == 0:
        return Refusal.NOT_REDUCING
    if not order.is_market and not at.in_band(order.ticks):
        return Refusal.PRICE_OUT_OF_BAND
    if order.post_only and at.book.would_cross(order):
        return Refusal.WOULD_CROSS
    if account.is_house or order.reduce_only:
        return None
    return _unpayable(order, account, open_orders, markets)


def _unpayable(
    order: Order, account: Account, open_orders: Iterable[Order], markets: Mapping[str, VenueMarket]
) -> Refusal | None:
    at = markets[order.symbol]
    if at.market.is_perp:
        allowed = margin_allows(order, account, open_orders, markets)
        return None if allowed else Refusal.INSUFFICIENT_MARGIN
    asset, amount = spot_needs(order, at)
    return Refusal.INSUFFICIENT_FUNDS if amount > spendable(account, asset, open_orders, markets) else None


def reducible_lots(order: Order, account: Account) -> int:
    """How much of the account's position the order could close; spot has no position."""
    lots = account.lots(order.symbol)
    return abs(lots) if lots * order.side.sign < 0 else 0


def spot_hold(order: Order, market: Market) -> tuple[str, Decimal]:
    """What the open part of a resting spot order locks."""
    if order.side is Side.BUY:
        return market.instrument.quote, market.value(order.ticks * order.open_lots)
    return market.instrument.base, market.instrument.size(order.open_lots)


def spot_needs(order: Order, at: VenueMarket) -> tuple[str, Decimal]:
    """What must be available for a spot order; a market order needs what it would pay right now."""
    if not order.is_market:
        return spot_hold(order, at.market)
    lots, value = at.book.preview(order)
    if order.side is Side.BUY:
        return at.market.instrument.quote, at.market.value(value)
    return at.market.instrument.base, at.market.instrument.size(lots)


def spendable(
    account: Account, asset: str, open_orders: Iterable[Order], markets: Mapping[str, VenueMarket]
) -> Decimal:
    """What may leave the account: what is available, less what margin needs of it."""
    available = account.available(asset)
    if not account.positions or not any(at.market.is_perp and at.quote == asset for at in markets.values()):
        return available
    free = equity(account, asset, markets) - required_margin(account, asset, open_orders, markets)
    return max(ZERO, min(available, free))


def equity(account: Account, quote: str, markets: Mapping[str, VenueMarket]) -> Decimal:
    """Collateral in one quote asset: unlocked balance plus unrealised results."""
    unrealised = (
        position.unrealised(markets[symbol].market, markets[symbol].mark)
        for symbol, position in account.positions.items()
        if position.lots and markets[symbol].quote == quote
    )
    return account.available(quote) + sum(unrealised, ZERO)


def required_margin(
    account: Account, quote: str, open_orders: Iterable[Order], markets: Mapping[str, VenueMarket]
) -> Decimal:
    """Initial margin over all perp markets settled in one quote asset."""
    waiting: dict[str, list[int]] = {symbol: [0, 0] for symbol in account.positions}
    for order in open_orders:
        if markets[order.symbol].market.is_perp and not order.reduce_only:
            waiting.setdefault(order.symbol, [0, 0])[order.side is Side.SELL] += order.open_lots
    return sum(
        (
            _margin(account, markets[symbol], account.lots(symbol), buys, sells)
            for symbol, (buys, sells) in waiting.items()
            if markets[symbol].quote == quote
        ),
        ZERO,
    )


def margin_allows(
    order: Order, account: Account, open_orders: Iterable[Order], markets: Mapping[str, VenueMarket]
) -> bool:
    """Whether the account can carry the order on top of all it has; orders that add no exposure always pass."""
    at = markets[order.symbol]
    before = list(open_orders)
    needed_before = required_margin(account, at.quote, before, markets)
    needed = required_margin(account, at.quote, [*before, order], markets)
    return needed <= needed_before or needed <= equity(account, at.quote, markets)


def margin_fraction(account: Account, function: MarginFunction | None, notional: Decimal) -> Decimal:
    """The fraction of a notional that must be there as collateral."""
    least = 1 / account.leverage_limit
    return least if function is None else max(least, function.fraction(notional))


def _margin(account: Account, at: VenueMarket, lots: int, buys: int, sells: int) -> Decimal:
    exposure = max(abs(lots + buys), abs(lots - sells))
    notional = at.market.instrument.size(exposure) * at.mark
    return notional * margin_fraction(account, at.market.initial_margin, notional)
