"""The public routes: markets, book, trades, candles, tickers, marks, funding, time."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

from engine.clock import NS_PER_MS, NS_PER_S
from engine.exchanges.aster import wire
from engine.model.instrument import plain
from engine.model.order import Side
from engine.sim.aster import render
from engine.sim.aster.calls import Call
from engine.sim.aster.errors import invalid
from engine.sim.aster.markets import exchange_info
from engine.sim.funding import Funding
from engine.sim.tape import Candle
from engine.sim.venue_market import VenueMarket

NS_PER_HOUR = 3_600 * NS_PER_S
DEPTH_LIMITS = (5, 10, 20, 50, 100, 500, 1000)
_UNITS_S = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "M": 2_592_000}
INTERVALS_NS = {
    word: int(word[:-1]) * _UNITS_S[word[-1]] * NS_PER_S
    for word in ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")
}


def ping(_: Call) -> dict[str, object]:
    return {}


def time(call: Call) -> wire.ServerTime:
    return wire.ServerTime(server_time=call.now_ns // NS_PER_MS)


def markets(call: Call) -> dict[str, object]:
    """GET exchangeInfo."""
    every = (at.market for at in call.state.exchange.markets.values())
    return exchange_info(call.state.kind, every, call.now_ns // NS_PER_MS)


def depth(call: Call) -> wire.Depth:
    """GET depth: best first."""
    limit = call.number("limit", 500)
    if limit not in DEPTH_LIMITS:
        raise invalid("limit")
    at, now_ms = call.market(), call.now_ns // NS_PER_MS
    return wire.Depth(
        last_update_id=render.wire_id(at, at.update_id),
        sent_ms=now_ms,
        engine_ms=now_ms,
        bids=render.levels(at, at.book.levels(Side.BUY, limit)),
        asks=render.levels(at, at.book.levels(Side.SELL, limit)),
    )


def trades(call: Call) -> list[dict[str, object]]:
    """GET trades, oldest first."""
    at = call.market()
    return [
        {
            "id": trade.trade_id,
            "price": render.price(at, trade.ticks),
            "qty": render.size(at, trade.lots),
            "quoteQty" if at.market.is_perp else "baseQty": plain(at.market.value(trade.ticks * trade.lots)),
            "time": trade.at_ns // NS_PER_MS,
            "isBuyerMaker": trade.buyer_is_maker,
        }
        for trade in list(at.tape.trades)[-call.limit() :]
    ]


def aggregate_trades(call: Call) -> list[dict[str, object]]:
    """GET aggTrades: every trade for itself, oldest first."""
    at = call.market()
    return [
        {
            "a": trade.trade_id,
            "p": render.price(at, trade.ticks),
            "q": render.size(at, trade.lots),
            "f": trade.trade_id,
            "l": trade.trade_id,
            "T": trade.at_ns // NS_PER_MS,
            "m": trade.buyer_is_maker,
        }
        for trade in list(at.tape.trades)[-call.limit() :]
        if call.within(trade.at_ns // NS_PER_MS)
    ]


def klines(call: Call) -> list[list[object]]:
    """GET klines: arrays. There are none from before the venue started."""
    at, interval_ns = call.market(), INTERVALS_NS.get(call.text("interval"))
    if interval_ns is None:
        raise invalid("interval")
    since_ns = call.number("startTime", 0) * NS_PER_MS
    until_ns = call.number("endTime", call.now_ns // NS_PER_MS) * NS_PER_MS
    candles = at.tape.candles(interval_ns, since_ns, until_ns)[-call.limit() :]
    return [_kline(at, candle, interval_ns) for candle in candles]


def day_tickers(call: Call) -> object:
    """GET ticker/24hr: one market, or all."""
    return _one_or_all(call, day_ticker)


def prices(call: Call) -> object:
    """GET ticker/price."""
    return _one_or_all(call, _price)


def book_tickers(call: Call) -> object:
    """GET ticker/bookTicker."""
    return _one_or_all(call, _book_ticker)


def premium_index(call: Call) -> object:
    """GET premiumIndex."""
    return _one_or_all(call, partial(_premium, call.state.funding))


def funding_info(call: Call) -> object:
    """GET fundingInfo."""
    return _one_or_all(call, partial(_funding, call.state.funding))


def funding_rates(call: Call) -> list[dict[str, object]]:
    """GET fundingRate: the interval that ended last."""
    at, ended_ms = call.market(), call.state.funding.last_ns(call.now_ns) // NS_PER_MS
    row: dict[str, object] = {
        "symbol": at.market.symbol,
        "fundingRate": plain(at.funding_rate),
        "fundingTime": ended_ms,
    }
    return [row]


def day_ticker(at: VenueMarket, now_ns: int) -> dict[str, object]:
    day = at.tape.day(now_ns)
    percent = (Decimal(100 * (day.close - day.open)) / day.open).quantize(Decimal("0.001"))
    return {
        "symbol": at.market.symbol,
        "priceChange": render.price(at, day.close - day.open),
        "priceChangePercent": plain(percent),
        "weightedAvgPrice": render.price(at, day.value // day.lots if day.lots else day.close),
        "lastPrice": render.price(at, day.close),
        "lastQty": render.size(at, at.tape.trades[-1].lots if at.tape.trades else 0),
        "openPrice": render.price(at, day.open),
        "highPrice": render.price(at, day.high),
        "lowPrice": render.price(at, day.low),
        "volume": render.size(at, day.lots),
        "quoteVolume": plain(at.market.value(day.value)),
        "openTime": day.start_ns // NS_PER_MS,
        "closeTime": now_ns // NS_PER_MS,
        "firstId": 1,
        "lastId": at.last_trade_id,
        "count": day.trades,
    }


def _one_or_all(call: Call, render_one: Callable[[VenueMarket, int], dict[str, object]]) -> object:
    if call.parameters.get("symbol"):
        return render_one(call.market(), call.now_ns)
    return [render_one(at, call.now_ns) for at in call.state.exchange.markets.values()]


def _price(at: VenueMarket, now_ns: int) -> dict[str, object]:
    price = render.price(at, at.tape.last_ticks)
    return {"symbol": at.market.symbol, "price": price, "time": now_ns // NS_PER_MS}


def _book_ticker(at: VenueMarket, now_ns: int) -> dict[str, object]:
    bid, ask = at.book.best(Side.BUY) or 0, at.book.best(Side.SELL) or 0
    return {
        "symbol": at.market.symbol,
        "bidPrice": render.price(at, bid),
        "bidQty": render.size(at, at.book.lots_at(Side.BUY, bid)),
        "askPrice": render.price(at, ask),
        "askQty": render.size(at, at.book.lots_at(Side.SELL, ask)),
        "time": now_ns // NS_PER_MS,
    }


def _premium(funding: Funding, at: VenueMarket, now_ns: int) -> dict[str, object]:
    return {
        "symbol": at.market.symbol,
        "markPrice": plain(at.mark),
        "indexPrice": plain(at.index),
        "estimatedSettlePrice": plain(at.index),
        "lastFundingRate": plain(at.funding_rate),
        "nextFundingTime": funding.next_ns(now_ns) // NS_PER_MS,
        "interestRate": "0.00010000",
        "time": now_ns // NS_PER_MS,
    }


def _funding(funding: Funding, at: VenueMarket, now_ns: int) -> dict[str, object]:
    """The venue tells whole hours, so a shorter interval shows as one."""
    return {
        "symbol": at.market.symbol,
        "interestRate": "0.00010000",
        "time": now_ns // NS_PER_MS,
        "fundingIntervalHours": max(1, funding.interval_ns // NS_PER_HOUR),
        "fundingFeeCap": "0.03",
        "fundingFeeFloor": "-0.03",
    }


def _kline(at: VenueMarket, candle: Candle, interval_ns: int) -> list[object]:
    start_ms = candle.start_ns // NS_PER_MS
    return [
        start_ms,
        render.price(at, candle.open),
        render.price(at, candle.high),
        render.price(at, candle.low),
        render.price(at, candle.close),
        render.size(at, candle.lots),
        start_ms + interval_ns // NS_PER_MS - 1,
        plain(at.market.value(candle.value)),
        candle.trades,
        "0",
        "0",
        "0",
    ]
