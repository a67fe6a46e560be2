"""The data of every stream frame, from what the exchange knows. Prices are padded to the tick here, unlike REST.

Frames the client speaks too are its wire types; the others are plain dictionaries.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET

from engine.clock import NS_PER_MS, NS_PER_US
from engine.exchanges.backpack import wire_streams
from engine.exchanges.backpack.wire import PriceLevel
from engine.model.instrument import plain
from engine.model.order import Side
from engine.sim.backpack import render
from engine.sim.backpack.public import day_ticker, kline_time
from engine.sim.exchange import OrderChange
from engine.sim.ledger import Account, PerpPosition
from engine.sim.matching import Level
from engine.sim.orders import ExchangeFill, Order, Trade
from engine.sim.tape import Candle
from engine.sim.venue_market import VenueMarket

ORDER_EVENTS = {
    OrderChange.ACCEPTED: "orderAccepted",
    OrderChange.FILLED: "orderFill",
    OrderChange.MODIFIED: "orderModified",
    OrderChange.CANCELED: "orderCancelled",
    OrderChange.EXPIRED: "orderExpired",
}


def depth(
    at: VenueMarket, bids: Sequence[Level], asks: Sequence[Level], *, first_id: int, now_ns: int
) -> wire_streams.DepthUpdate:
    """The levels changed since update `first_id`, with what stands there now."""
    return wire_streams.DepthUpdate(
        sent_us=now_ns // NS_PER_US,
        symbol=at.market.symbol,
        asks=_levels(at, asks),
        bids=_levels(at, bids),
        first_id=first_id,
        last_id=at.update_id,
        engine_us=now_ns // NS_PER_US,
    )


def book_ticker(at: VenueMarket, now_ns: int) -> wire_streams.BookTicker:
    bid, ask = at.book.best(Side.BUY), at.book.best(Side.SELL)
    return wire_streams.BookTicker(
        sent_us=now_ns // NS_PER_US,
        symbol=at.market.symbol,
        ask=None if ask is None else render.padded_price(at, ask),
        ask_size=None if ask is None else render.size(at, at.book.lots_at(Side.SELL, ask)),
        bid=None if bid is None else render.padded_price(at, bid),
        bid_size=None if bid is None else render.size(at, at.book.lots_at(Side.BUY, bid)),
        update_id=at.update_id,
        engine_us=now_ns // NS_PER_US,
    )


def trade(at: VenueMarket, trade: Trade) -> wire_streams.Trade:
    return wire_streams.Trade(
        sent_us=trade.at_ns // NS_PER_US,
        symbol=trade.symbol,
        price=render.padded_price(at, trade.ticks),
        quantity=render.size(at, trade.lots),
        buyer_order_id=render.order_id(trade.buy_order_id),
        seller_order_id=render.order_id(trade.sell_order_id),
        trade_id=trade.trade_id,
        engine_us=trade.at_ns // NS_PER_US,
        buyer_is_maker=trade.buyer_is_maker,
    )


def mark_price(at: VenueMarket, next_funding_ns: int, now_ns: int) -> wire_streams.MarkPriceUpdate:
    return wire_streams.MarkPriceUpdate(
        sent_us=now_ns // NS_PER_US,
        symbol=at.market.symbol,
        mark_price=plain(at.mark),
        funding_rate=plain(at.funding_rate),
        index_price=plain(at.index),
        next_funding_ms=next_funding_ns // NS_PER_MS,
        engine_us=now_ns // NS_PER_US,
    )


def ticker(at: VenueMarket, now_ns: int) -> dict[str, object]:
    day = day_ticker(at, now_ns)
    return {
        "e": "ticker",
        "E": now_ns // NS_PER_US,
        "s": at.market.symbol,
        "o": day["firstPrice"],
        "c": day["lastPrice"],
        "h": day["high"],
        "l": day["low"],
        "v": day["volume"],
        "V": day["quoteVolume"],
        "n": int(str(day["trades"])),
    }


def kline(at: VenueMarket, candle: Candle, interval_ns: int, now_ns: int) -> dict[str, object]:
    """The running candle; `X` says whether it is complete."""
    return {
        "e": "kline",
        "E": now_ns // NS_PER_US,
        "s": at.market.symbol,
        "t": kline_time(candle.start_ns).replace(" ", "T"),
        "T": kline_time(candle.start_ns + interval_ns).replace(" ", "T"),
        "o": render.price(at, candle.open),
        "c": render.price(at, candle.close),
        "h": render.price(at, candle.high),
        "l": render.price(at, candle.low),
        "v": render.size(at, candle.lots),
        "n": candle.trades,
        "X": now_ns >= candle.start_ns + interval_ns,
    }


def open_interest(at: VenueMarket, lots: int, now_ns: int) -> dict[str, object]:
    return {"e": "openInterest", "E": now_ns // NS_PER_US, "s": at.market.symbol, "o": render.size(at, lots)}


def order_update(
    order: Order, at: VenueMarket, change: OrderChange, fill: ExchangeFill | None
) -> wire_streams.OrderUpdate:
    """One thing that happened to an order, and how the order stands now."""
    is_market, us = order.is_market, order.updated_ns // NS_PER_US
    reason = render.EXPIRY_REASONS[order.expiry] if order.expiry else UNSET
    return wire_streams.OrderUpdate(
        event=ORDER_EVENTS[change],
        sent_us=us,
        symbol=order.symbol,
        client_id=UNSET if order.client_id is None else order.client_id,
        side=render.SIDES[order.side],
        order_type="MARKET" if is_market else "LIMIT",
        time_in_force=render.TIMES_IN_FORCE[order.time_in_force],
        quantity=render.quantity(order, at) or UNSET,
        quote_quantity=render.quote_quantity(order, at) if is_market else UNSET,
        price=UNSET if is_market else render.price(at, order.ticks),
        status=render.status(order),
        expiry_reason=reason,
        order_id=render.order_id(order.order_id),
        executed_quantity=render.size(at, order.executed_lots),
        executed_quote_quantity=render.value(at, order.executed_value),
        self_trade_prevention=render.SELF_TRADES[order.self_trade],
        engine_us=us,
        reduce_only=order.reduce_only,
        post_only=UNSET if is_market else order.post_only,
        trade_id=fill.trade_id if fill else None,
        fill_quantity=render.size(at, fill.lots) if fill else UNSET,
        fill_price=render.price(at, fill.ticks) if fill else UNSET,
        is_maker=fill.is_maker if fill else UNSET,
        fee=plain(fill.fee) if fill else UNSET,
        fee_symbol=fill.fee_asset if fill else UNSET,
    )


def position_update(
    position: PerpPosition, at: VenueMarket, event: str | None, now_ns: int
) -> wire_streams.PositionUpdate:
    """A position as it stands; `event` None is the snapshot on subscribing."""
    shown = render.position(position, at, user_id=0)
    return wire_streams.PositionUpdate(
        event=UNSET if event is None else event,
        sent_us=now_ns // NS_PER_US,
        symbol=at.market.symbol,
        break_even_price=shown.break_even_price,
        entry_price=shown.entry_price,
        liquidation_price=shown.est_liquidation_price,
        imf=shown.imf,
        mark_price=shown.mark_price,
        mmf=shown.mmf,
        net_quantity=shown.net_quantity,
        net_exposure_quantity=shown.net_exposure_quantity,
        net_exposure_notional=shown.net_exposure_notional,
        position_id=int(shown.position_id),
        pnl_realized=shown.pnl_realized,
        pnl_unrealized=shown.pnl_unrealized,
        engine_us=now_ns // NS_PER_US,
    )


def balance_update(account: Account, asset: str, now_ns: int) -> wire_streams.BalanceUpdate:
    held = render.balance(account, asset)
    return wire_streams.BalanceUpdate(
        asset=asset, available=held.available, locked=held.locked, sent_us=now_ns // NS_PER_US
    )


def _levels(at: VenueMarket, levels: Sequence[Level]) -> tuple[PriceLevel, ...]:
    return tuple((render.padded_price(at, ticks), render.size(at, lots)) for ticks, lots in levels)
