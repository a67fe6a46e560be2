"""A simulated exchange without a wire: accounts place and cancel orders, orders match, money moves.

Deterministic and venue-neutral: a venue's machine (`backpack.venue`) turns requests into `place` and `cancel`, and
what is told to the `Listener` into its own stream frames. Market flow (`flow`, `recording`) trades here through
house accounts, of which nobody is told and no history is kept.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from engine.model.order import OrderStatus, Side, TimeInForce
from engine.sim import admission
from engine.sim.ledger import Account, Ledger
from engine.sim.market import Market
from engine.sim.matching import Match, Prevented
from engine.sim.orders import ExchangeFill, Expiry, Order, OrderRefused, Refusal, Trade
from engine.sim.venue_market import VenueMarket

FILLS_KEPT = 20_000
ORDERS_KEPT = 20_000
"""Per account; older ones are forgotten, as real venues do."""


class OrderChange(StrEnum):
    ACCEPTED = "accepted"
    FILLED = "filled"
    MODIFIED = "modified"
    CANCELED = "canceled"
    EXPIRED = "expired"


class Listener(Protocol):
    """Is told of everything as it happens, house accounts left out; must not call back into the exchange."""

    def order_changed(self, order: Order, change: OrderChange, fill: ExchangeFill | None) -> None: ...

    def balance_changed(self, account: Account, asset: str) -> None: ...

    def position_changed(self, account: Account, symbol: str, lots_before: int) -> None: ...

    def traded(self, trade: Trade) -> None: ...


class Exchange:
    """All markets and accounts of one simulated venue."""

    def __init__(self, markets: Iterable[Market], listener: Listener) -> None:
        self.markets = {market.symbol: VenueMarket(market) for market in markets}
        self.ledger = Ledger()
        self.crossing_post_only_expires = False
        """Whether a post-only order that would cross is taken and ends at once, instead of being refused."""
        self.listener = listener
        """May be put behind one that overhears."""
        self._order_ids = 0
        self._open: dict[str, dict[int, Order]] = defaultdict(dict)
        self._orders: dict[str, dict[int, Order]] = defaultdict(dict)
        self._fills: dict[str, deque[ExchangeFill]] = defaultdict(lambda: deque(maxlen=FILLS_KEPT))

    # What is there -------------------------------------------------------------------------------------

    def account(self, name: str) -> Account:
        return self.ledger.accounts[name]

    def open_orders(self, account: str, symbol: str | None = None) -> list[Order]:
        """Orders that rest now, oldest first."""
        return [order for order in self._open[account].values() if symbol in (None, order.symbol)]

    def open_order(self, account: str, order_id: int) -> Order | None:
        return self._open[account].get(order_id)

    def order_history(self, account: str) -> list[Order]:
        """Every order the account ever placed, open ones too, newest first."""
        return list(reversed(self._orders[account].values()))

    def fills(self, account: str) -> list[ExchangeFill]:
        """Newest first."""
        return list(reversed(self._fills[account]))

    def open_interest(self, symbol: str) -> int:
        """Lots held long by anybody, which is what others hold short."""
        return sum(max(0, account.lots(symbol)) for account in self.ledger.accounts.values())

    def next_order_id(self) -> int:
        self._order_ids += 1
        return self._order_ids

    # What can be done ----------------------------------------------------------------------------------

    def open_account(self, name: str, balances: Mapping[str, Decimal]) -> Account:
        return self.ledger.open_account(name, balances)

    def withdraw(self, account: str, asset: str, amount: Decimal) -> None:
        """Money leaves the venue: by its owner's will, and for good."""
        self.ledger.withdraw(self.account(account), asset, amount)
        self._money_moved(self.account(account), asset)

    def place(self, order: Order) -> None:
        """Take an order and match it. Raises OrderRefused, and then nothing has happened."""
        account, at = self.account(order.owner), self.markets[order.symbol]
        if order.is_market:
            order.ticks = at.impact_limit(order.side)
        refusal = admission.refusal(order, account, self._open[order.owner].values(), self.markets)
        if refusal is Refusal.WOULD_CROSS and self.crossing_post_only_expires:
            self._take(order, account)
            self._close(order, OrderStatus.EXPIRED, order.placed_ns, Expiry.WOULD_CROSS)
            return
        if refusal is not None:
            raise OrderRefused(refusal)
        if order.reduce_only:
            order.lots = min(order.lots, admission.reducible_lots(order, account))
        self._take(order, account)
        if order.time_in_force is TimeInForce.FOK and at.book.preview(order)[0] < order.lots:
            self._close(order, OrderStatus.EXPIRED, order.placed_ns, Expiry.FILL_OR_KILL)
        else:
            self._match(order, at, order.placed_ns)

    def cancel(self, order: Order, now_ns: int) -> None:
        """Take an open order out; one that is closed already is left alone."""
        self.markets[order.symbol].book.withdraw(order)
        self._close(order, OrderStatus.CANCELED, now_ns)

    def amend(self, order: Order, *, ticks: int, lots: int, now_ns: int) -> None:
        """Give an open order another price and whole size. Raises OrderRefused, and then it stays as it was.

        One that only shrinks keeps its place in the queue; any other goes to the end of it, and may trade at once.
        A size that is executed already ends the order.
        """
        if lots <= order.executed_lots:
            self.cancel(order, now_ns)
            return
        changed = replace(order, ticks=ticks, lots=lots)
        refusal = self._refusal_of_change(order, changed)
        if refusal is Refusal.WOULD_CROSS and self.crossing_post_only_expires:
            self.markets[order.symbol].book.withdraw(order)
            self._close(order, OrderStatus.EXPIRED, now_ns, Expiry.WOULD_CROSS)
        elif refusal is not None:
            raise OrderRefused(refusal)
        else:
            self._change(order, changed, now_ns)

    def pay_funding(self, symbol: str) -> dict[str, Decimal]:
        """Settle one funding interval; gives what each account with a position received."""
        at = self.markets[symbol]
        received = {}
        for account in self.ledger.accounts.values():
            if account.lots(symbol):
                received[account.name] = self.ledger.pay_funding(account, at.market, at.mark, at.funding_rate)
                self._money_moved(account, at.quote)
        return received

    # How it happens ------------------------------------------------------------------------------------

    def _take(self, order: Order, account: Account) -> None:
        order.updated_ns = order.placed_ns
        self._open[order.owner][order.order_id] = order
        if not account.is_house:
            self._remember(order)
        self._hold(order, account, 1)
        self._tell(order, OrderChange.ACCEPTED)

    def _refusal_of_change(self, order: Order, changed: Order) -> Refusal | None:
        """Why an open order must not become another one; what it holds now counts as free."""
        account = self.account(order.owner)
        others = [other for other in self._open[order.owner].values() if other is not order]
        self._hold(order, account, -1)
        refusal = admission.refusal(changed, account, others, self.markets)
        self._hold(order, account, 1)
        return refusal

    def _change(self, order: Order, changed: Order, now_ns: int) -> None:
        account, at = self.account(order.owner), self.markets[order.symbol]
        shrinks = changed.ticks == order.ticks and changed.lots <= order.lots
        self._hold(order, account, -1)
        if shrinks:
            at.book.shrink(order, changed.open_lots)
        else:
            at.book.withdraw(order)
        order.ticks, order.lots, order.updated_ns = changed.ticks, changed.lots, now_ns
        self._hold(order, account, 1)
        self._tell(order, OrderChange.MODIFIED)
        if not shrinks:
            self._match(order, at, now_ns)

    def _remember(self, order: Order) -> None:
        orders = self._orders[order.owner]
        orders[order.order_id] = order
        if len(orders) > ORDERS_KEPT:
            oldest_closed = next(key for key, kept in orders.items() if kept.status is not OrderStatus.RESTING)
            del orders[oldest_closed]

    def _match(self, taker: Order, at: VenueMarket, now_ns: int) -> None:
        prevented = False
        for event in at.book.match(taker):
            if isinstance(event, Match):
                self._settle(event, taker, at, now_ns)
            else:
                prevented = self._prevent(event, now_ns) or prevented
        if taker.status is not OrderStatus.RESTING:
            return
        if prevented:
            self._close(taker, OrderStatus.EXPIRED, now_ns, Expiry.SELF_TRADE)
        elif taker.may_rest:
            at.book.rest(taker)
        else:
            self._expire_rest(taker, at, now_ns)

    def _prevent(self, event: Prevented, now_ns: int) -> bool:
        if event.maker_leaves is not None:
            self._close(event.maker_leaves, OrderStatus.EXPIRED, now_ns, Expiry.SELF_TRADE)
        return event.taker_leaves

    def _expire_rest(self, taker: Order, at: VenueMarket, now_ns: int) -> None:
        """What of an order was not matched and cannot rest ends."""
        why = Expiry.IMMEDIATE_OR_CANCEL
        if taker.is_market:
            has_more = at.book.best(taker.side.opposite) is not None
            why = Expiry.PRICE_IMPACT if has_more else Expiry.NO_LIQUIDITY
        self._close(taker, OrderStatus.EXPIRED, now_ns, why)

    def _settle(self, match: Match, taker: Order, at: VenueMarket, now_ns: int) -> None:
        maker = match.maker
        at.last_trade_id += 1
        buyer, seller = (maker, taker) if maker.side is Side.BUY else (taker, maker)
        trade = Trade(
            trade_id=at.last_trade_id,
            symbol=taker.symbol,
            ticks=match.ticks,
            lots=match.lots,
            buy_order_id=buyer.order_id,
            sell_order_id=seller.order_id,
            buyer_is_maker=buyer is maker,
            at_ns=now_ns,
        )
        at.tape.record(trade)
        for order in (maker, taker):
            self._book_side(trade, order, at.market, is_maker=order is maker)
        self.listener.traded(trade)
        if at.market.is_perp:
            self._review_reducing(maker.owner, at, now_ns)
            self._review_reducing(taker.owner, at, now_ns)

    def _book_side(self, trade: Trade, order: Order, market: Market, *, is_maker: bool) -> None:
        """One account's side of a trade: money, fill, order state, and telling."""
        account, instrument = self.account(order.owner), market.instrument
        lots_before = account.lots(order.symbol)
        self._release_filled(order, account, market, trade.lots)
        fee_rate = instrument.maker_fee if is_maker else instrument.taker_fee
        fee, fee_asset = self.ledger.trade(account, market, order.side, trade.ticks, trade.lots, fee_rate=fee_rate)
        order.updated_ns = trade.at_ns
        if order.open_lots == 0:
            order.status = OrderStatus.FILLED
            del self._open[order.owner][order.order_id]
        if account.is_house:
            return
        fill = ExchangeFill(
            trade_id=trade.trade_id,
            order_id=order.order_id,
            client_id=order.client_id,
            symbol=order.symbol,
            side=order.side,
            ticks=trade.ticks,
            lots=trade.lots,
            fee=fee,
            fee_asset=fee_asset,
            is_maker=is_maker,
            at_ns=trade.at_ns,
        )
        self._fills[order.owner].append(fill)
        self._tell(order, OrderChange.FILLED, fill)
        if market.is_perp:
            self.listener.position_changed(account, order.symbol, lots_before)
            self._money_moved(account, instrument.quote)
        else:
            self._money_moved(account, instrument.base, instrument.quote)

    def _review_reducing(self, owner: str, at: VenueMarket, now_ns: int) -> None:
        """A reduce-only order never exceeds what is left to reduce: it shrinks with the position, or ends."""
        account = self.account(owner)
        if account.is_house:
            return
        for order in [o for o in self.open_orders(owner, at.market.symbol) if o.reduce_only]:
            left = admission.reducible_lots(order, account)
            if left == 0:
                at.book.withdraw(order)
                self._close(order, OrderStatus.EXPIRED, now_ns, Expiry.NO_LONGER_REDUCES)
            elif order.open_lots > left:
                at.book.shrink(order, left)
                self._tell(order, OrderChange.MODIFIED)

    def _close(self, order: Order, status: OrderStatus, now_ns: int, why: Expiry | None = None) -> None:
        if self._open[order.owner].pop(order.order_id, None) is None:
            return
        self._hold(order, self.account(order.owner), -1)
        order.status, order.expiry, order.updated_ns = status, why, now_ns
        self._tell(order, OrderChange.CANCELED if status is OrderStatus.CANCELED else OrderChange.EXPIRED)

    def _hold(self, order: Order, account: Account, sign: int) -> None:
        """Lock (1) or release (-1) what the open part of a spot limit order needs."""
        market = self.markets[order.symbol].market
        if market.is_perp or order.is_market or account.is_house:
            return
        asset, amount = admission.spot_hold(order, market)
        account.locked[asset] += sign * amount
        self._money_moved(account, asset)

    def _release_filled(self, order: Order, account: Account, market: Market, lots: int) -> None:
        if market.is_perp or order.is_market or account.is_house:
            return
        if order.side is Side.BUY:
            account.locked[market.instrument.quote] -= market.value(order.ticks * lots)
        else:
            account.locked[market.instrument.base] -= market.instrument.size(lots)

    def _tell(self, order: Order, change: OrderChange, fill: ExchangeFill | None = None) -> None:
        if not self.account(order.owner).is_house:
            self.listener.order_changed(order, change, fill)

    def _money_moved(self, account: Account, *assets: str) -> None:
        if not account.is_house:
            for asset in assets:
                self.listener.balance_changed(account, asset)
