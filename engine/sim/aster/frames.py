"""The data of every stream frame, from what the exchange knows. Frames the client speaks too are its wire types;
the others are plain dictionaries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from engine.clock import NS_PER_MS
from engine.exchanges.aster import wire_streams as wire
from engine.exchanges.aster.translate import SIDE_WORDS
from engine.model.instrument import plain
from engine.model.order import Side
from engine.sim.aster import render
from engine.sim.aster.public import day_ticker
from engine.sim.exchange import OrderChange
from engine.sim.funding import Payment
from engine.sim.ledger import Account, PerpPosition
from engine.sim.matching import Level
from engine.sim.orders import ExchangeFill, Order, Trade
from engine.sim.tape import Candle
from engine.sim.venue_market import VenueMarket

EXECUTIONS = {
    OrderChange.ACCEPTED: "NEW",
    OrderChange.FILLED: "TRADE",
    OrderChange.MODIFIED: "NEW",
    OrderChange.CANCELED: "CANCELED",
    OrderChange.EXPIRED: "EXPIRED",
}


def depth(
    at: VenueMarket, bids: Sequence[Level], asks: Sequence[Level], *, first_id: int, now_ns: int
) -> wire.DepthUpdate:
    """The levels changed since update `first_id`, with what stands there now."""
    now_ms = now_ns // NS_PER_MS
    return wire.DepthUpdate(
        sent_ms=now_ms,
        engine_ms=now_ms,
        symbol=at.market.symbol,
        first_id=render.wire_id(at, first_id),
        last_id=render.wire_id(at, at.update_id),
        previous_id=render.wire_id(at, first_id - 1),
        bids=render.levels(at, bids),
        asks=render.levels(at, asks),
    )


def partial_depth(at: VenueMarket, count: int, now_ns: int) -> object:
    """The best levels, whole; spot spells the sides out."""
    bids = render.levels(at, at.book.levels(Side.BUY, count))
    asks = render.levels(at, at.book.levels(Side.SELL, count))
    first = depth(at, (), (), first_id=at.update_id, now_ns=now_ns)
    if at.market.is_perp:
        return wire.DepthUpdate(
            **{name: getattr(first, name) for name in first.__struct_fields__} | {"bids": bids, "asks": asks}
        )
    return {
        "e": "depthUpdate",
        "E": first.sent_ms,
        "T": first.engine_ms,
        "s": first.symbol,
        "lastUpdateId": first.last_id,
        "bids": bids,
        "asks": asks,
        "b": bids,
        "a": asks,
    }


def book_ticker(at: VenueMarket, now_ns: int) -> dict[str, object]:
    bid, ask, now_ms = at.book.best(Side.BUY) or 0, at.book.best(Side.SELL) or 0, now_ns // NS_PER_MS
    return {
        "e": "bookTicker",
        "u": render.wire_id(at, at.update_id),
        "s": at.market.symbol,
        "b": render.price(at, bid),
        "B": render.size(at, at.book.lots_at(Side.BUY, bid)),
        "a": render.price(at, ask),
        "A": render.size(at, at.book.lots_at(Side.SELL, ask)),
        "T": now_ms,
        "E": now_ms,
    }


def aggregate_trade(at: VenueMarket, trade: Trade) -> dict[str, object]:
    at_ms = trade.at_ns // NS_PER_MS
    return {
        "e": "aggTrade",
        "E": at_ms,
        "s": trade.symbol,
        "a": trade.trade_id,
        "p": render.price(at, trade.ticks),
        "q": render.size(at, trade.lots),
        "f": trade.trade_id,
        "l": trade.trade_id,
        "T": at_ms,
        "m": trade.buyer_is_maker,
    }


def mark_price(at: VenueMarket, next_funding_ns: int, now_ns: int) -> wire.MarkPriceUpdate:
    return wire.MarkPriceUpdate(
        sent_ms=now_ns // NS_PER_MS,
        symbol=at.market.symbol,
        mark_price=plain(at.mark),
        settle_price=plain(at.index),
        index_price=plain(at.index),
        funding_rate=plain(at.funding_rate),
        next_funding_ms=next_funding_ns // NS_PER_MS,
    )


def ticker(at: VenueMarket, now_ns: int) -> dict[str, object]:
    day = day_ticker(at, now_ns)
    keys = {
        "p": "priceChange",
        "P": "priceChangePercent",
        "w": "weightedAvgPrice",
        "c": "lastPrice",
        "Q": "lastQty",
        "o": "openPrice",
        "h": "highPrice",
        "l": "lowPrice",
        "v": "volume",
        "q": "quoteVolume",
        "O": "openTime",
        "C": "closeTime",
        "F": "firstId",
        "L": "lastId",
        "n": "count",
    }
    told = {key: day[word] for key, word in keys.items()}
    return {"e": "24hrTicker", "E": now_ns // NS_PER_MS, "s": at.market.symbol, **told}


def kline(at: VenueMarket, candle: Candle, interval: str, interval_ns: int, now_ns: int) -> dict[str, object]:
    start_ms = candle.start_ns // NS_PER_MS
    inner: dict[str, object] = {
        "t": start_ms,
        "T": start_ms + interval_ns // NS_PER_MS - 1,
        "s": at.market.symbol,
        "i": interval,
        "f": 1,
        "L": at.last_trade_id,
        "o": render.price(at, candle.open),
        "c": render.price(at, candle.close),
        "h": render.price(at, candle.high),
        "l": render.price(at, candle.low),
        "v": render.size(at, candle.lots),
        "n": candle.trades,
        "x": now_ns >= candle.start_ns + interval_ns,
        "q": plain(at.market.value(candle.value)),
        "V": "0",
        "Q": "0",
        "B": "0",
    }
    return {"e": "kline", "E": now_ns // NS_PER_MS, "s": at.market.symbol, "k": inner}


def order_update(
    order: Order, at: VenueMarket, change: OrderChange, fill: ExchangeFill | None, now_ns: int
) -> wire.OrderTradeUpdate | wire.ExecutionReport:
    """ORDER_TRADE_UPDATE for perps, executionReport for spot."""
    fields = _order_fields(order, at, change, fill)
    now_ms = now_ns // NS_PER_MS
    if at.market.is_perp:
        perp = wire.OrderUpdate(
            **fields,
            reduce_only=order.reduce_only,
            working_type="CONTRACT_PRICE",
            original_type=render.order_type(order),
            position_side="BOTH",
            close_position=False,
            realized_profit="0",
        )
        return wire.OrderTradeUpdate(sent_ms=now_ms, engine_ms=order.updated_ns // NS_PER_MS, order=perp)
    return wire.ExecutionReport(
        **fields,
        sent_ms=now_ms,
        created_ms=order.placed_ns // NS_PER_MS,
        executed_quote=plain(at.market.value(order.executed_value)),
    )


def account_update(account: Account, at: VenueMarket, position: PerpPosition, now_ns: int) -> wire.AccountUpdate:
    """A trade changed the position, and with it the quote balance."""
    return _account_update("ORDER", _wallet(account, at, "0"), (_position_change(position, at),), now_ns)


def funding_update(account: Account, at: VenueMarket, payment: Payment, now_ns: int) -> wire.AccountUpdate:
    """Cross margin's funding carries the balance alone, and not of which market it is."""
    return _account_update(wire.FUNDING_FEE, _wallet(account, at, plain(payment.received)), (), now_ns)


def _wallet(account: Account, at: VenueMarket, change: str) -> wire.WalletChange:
    total = plain(account.total[at.quote])
    return wire.WalletChange(asset=at.quote, wallet=total, cross_wallet=total, change=change)


def _account_update(
    reason: str, wallet: wire.WalletChange, positions: tuple[wire.PositionChange, ...], now_ns: int
) -> wire.AccountUpdate:
    now_ms = now_ns // NS_PER_MS
    change = wire.AccountChange(reason=reason, balances=(wallet,), positions=positions)
    return wire.AccountUpdate(sent_ms=now_ms, engine_ms=now_ms, account=change)


def spot_account_update(account: Account, asset: str, now_ns: int) -> wire.SpotAccountUpdate:
    held = render.spot_balance(account, asset)
    now_ms = now_ns // NS_PER_MS
    changed = wire.SpotWalletChange(asset=asset, free=held.free, locked=held.locked)
    return wire.SpotAccountUpdate(sent_ms=now_ms, engine_ms=now_ms, balances=(changed,))


def _position_change(position: PerpPosition, at: VenueMarket) -> wire.PositionChange:
    return wire.PositionChange(
        symbol=at.market.symbol,
        amount=render.size(at, position.lots),
        entry_price=plain(position.entry_price(at.market).quantize(render.GRAIN)),
        realized=plain(position.realised),
        unrealized=plain(position.unrealised(at.market, at.mark).quantize(render.GRAIN)),
    )


def _order_fields(order: Order, at: VenueMarket, change: OrderChange, fill: ExchangeFill | None) -> dict[str, Any]:
    return {
        "symbol": order.symbol,
        "client_order_id": str(order.client_id or ""),
        "side": SIDE_WORDS[order.side],
        "order_type": render.order_type(order),
        "time_in_force": render.time_in_force(order),
        "quantity": render.size(at, order.lots),
        "price": render.limit_price(order, at),
        "average_price": render.average_price(order, at),
        "stop_price": "0",
        "execution": EXECUTIONS[change],
        "status": render.status(order),
        "order_id": render.order_id(order.order_id),
        "fill_quantity": render.size(at, fill.lots) if fill else "0",
        "executed_quantity": render.size(at, order.executed_lots),
        "fill_price": render.price(at, fill.ticks) if fill else "0",
        "commission_asset": fill.fee_asset if fill else UNSET,
        "commission": plain(fill.fee) if fill else UNSET,
        "engine_ms": order.updated_ns // NS_PER_MS,
        "trade_id": fill.trade_id if fill else 0,
        "is_maker": fill is not None and fill.is_maker,
    }
