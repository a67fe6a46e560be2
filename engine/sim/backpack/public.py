"""The public routes: markets, book, trades, candles, tickers, marks, funding, system."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from engine.clock import NS_PER_MS, NS_PER_S, NS_PER_US
from engine.exchanges.backpack import wire_markets
from engine.exchanges.messages import HttpResponse
from engine.model.instrument import plain
from engine.model.order import Side
from engine.sim.backpack import render
from engine.sim.backpack.calls import Call, plain_text
from engine.sim.backpack.errors import invalid_request, unparsable_parameter
from engine.sim.backpack.markets import wire_assets, wire_market
from engine.sim.backpack.trading import market_type
from engine.sim.tape import Candle
from engine.sim.venue_market import VenueMarket

DEPTH_LIMITS = frozenset({"5", "10", "20", "50", "100", "500", "1000"})
MARKET_TYPES = frozenset({"SPOT", "PERP", "IPERP", "DATED", "PREDICTION", "RFQ"})

_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
INTERVALS_NS = {
    word: int(word[:-1]) * _UNITS_S[word[-1]] * NS_PER_S
    for word in ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w")
} | {"1month": 30 * _UNITS_S["d"] * NS_PER_S}
TICKER_DAYS = {"1d": 1, "1w": 7}


def markets(call: Call) -> list[wire_markets.Market]:
    """GET /api/v1/markets."""
    kind = call.query.get("marketType")
    if kind is not None and kind not in MARKET_TYPES:
        raise unparsable_parameter("marketType", 'failed to parse "MarketType": Expect a valid enumeration value.')
    every = call.state.exchange.markets.values()
    return [wire_market(at.market) for at in every if kind in (None, market_type(at))]


def market(call: Call) -> wire_markets.Market:
    """GET /api/v1/market."""
    return wire_market(call.market().market)


def depth(call: Call) -> wire_markets.Depth:
    """GET /api/v1/depth: both sides ascending, so the best bid stands last; prices without padding."""
    if call.query.get("limit", "1000") not in DEPTH_LIMITS:
        raise unparsable_parameter("limit", 'failed to parse "DepthLimit": Expect a valid enumeration value.')
    at, limit = call.market(), int(call.query.get("limit", "1000"))
    asks, bids = at.book.levels(Side.SELL, limit), at.book.levels(Side.BUY, limit)
    return wire_markets.Depth(
        asks=tuple((render.price(at, ticks), render.size(at, lots)) for ticks, lots in asks),
        bids=tuple((render.price(at, ticks), render.size(at, lots)) for ticks, lots in reversed(bids)),
        last_update_id=str(at.update_id),
        timestamp=call.now_ns // NS_PER_US,
    )


def trades(call: Call) -> list[dict[str, object]]:
    """GET /api/v1/trades and /trades/history, newest first."""
    at = call.market()
    return [
        {
            "id": trade.trade_id,
            "price": render.price(at, trade.ticks),
            "quantity": render.size(at, trade.lots),
            "quoteQuantity": render.value(at, trade.ticks * trade.lots),
            "timestamp": trade.at_ns // NS_PER_MS,
            "isBuyerMaker": trade.buyer_is_maker,
        }
        for trade in call.page(list(reversed(at.tape.trades)))
    ]


def klines(call: Call) -> list[dict[str, object]]:
    """GET /api/v1/klines; times in the request are seconds. There are none from before the venue started."""
    at = call.market()
    interval_ns = INTERVALS_NS[call.choice("interval", INTERVALS_NS, "1m")]
    call.text("startTime")
    since_ns = call.number("startTime", 0) * NS_PER_S
    until_ns = call.number("endTime", call.now_ns // NS_PER_S) * NS_PER_S
    candles = at.tape.candles(interval_ns, since_ns, until_ns)
    return [_kline(at, candle, interval_ns) for candle in candles]


def ticker(call: Call) -> dict[str, object]:
    """GET /api/v1/ticker."""
    return day_ticker(call.market(), call.now_ns, _days(call))


def tickers(call: Call) -> list[dict[str, object]]:
    """GET /api/v1/tickers."""
    days = _days(call)
    return [day_ticker(at, call.now_ns, days) for at in call.state.exchange.markets.values()]


def mark_prices(call: Call) -> list[wire_markets.MarkPrice]:
    """GET /api/v1/markPrices."""
    return [
        wire_markets.MarkPrice(
            symbol=at.market.symbol,
            mark_price=plain(at.mark),
            index_price=plain(at.index),
            funding_rate=plain(at.funding_rate),
            next_funding_timestamp=call.state.funding.next_ns(call.now_ns) // NS_PER_MS,
        )
        for at in _perps(call)
    ]


def funding_rates(call: Call) -> list[dict[str, object]]:
    """GET /api/v1/fundingRates: newest first, row 0 is the interval that is still running."""
    at = call.market()
    funding = call.state.funding
    running, past = (funding.next_ns(call.now_ns), at.funding_rate), funding.past_rates(at.market.symbol)
    rows: list[dict[str, object]] = [
        {
            "symbol": at.market.symbol,
            "fundingRate": plain(rate),
            "intervalEndTimestamp": render.iso_text(at_ns)[:-4],
        }
        for at_ns, rate in [running, *past]
    ]
    return call.page(rows)


def open_interest(call: Call) -> list[dict[str, object]]:
    """GET /api/v1/openInterest."""
    return [
        {
            "symbol": at.market.symbol,
            "openInterest": render.size(at, call.state.exchange.open_interest(at.market.symbol)),
            "timestamp": call.now_ns // NS_PER_MS,
        }
        for at in _perps(call)
    ]


def assets(_: Call) -> list[dict[str, object]]:
    """GET /api/v1/assets."""
    return wire_assets()


def collateral_parameters(_: Call) -> list[dict[str, object]]:
    """GET /api/v1/collateral: USDC counts in full and nothing else does."""
    haircut = {"weight": "1", "kind": "identity"}
    return [{"symbol": "USDC", "haircutFunction": haircut, "imfFunction": None, "mmfFunction": None}]


def status(_: Call) -> dict[str, object]:
    return {"status": "Ok", "message": None}


def ping(_: Call) -> HttpResponse:
    return plain_text(200, "pong")


def time(call: Call) -> int:
    """GET /api/v1/time: a bare number of milliseconds."""
    return call.now_ns // NS_PER_MS


def nothing(_: Call) -> list[object]:
    return []


def day_ticker(at: VenueMarket, now_ns: int, days: int = 1) -> dict[str, object]:
    """24 hours of a market; the change in percent is a fraction, as on the wire."""
    day = at.tape.day(now_ns, days)
    change = Decimal(day.close - day.open) / day.open
    return {
        "symbol": at.market.symbol,
        "firstPrice": render.price(at, day.open),
        "lastPrice": render.price(at, day.close),
        "priceChange": plain(at.market.instrument.price(day.close - day.open)),
        "priceChangePercent": plain(change.quantize(Decimal("0.000001"))),
        "high": render.price(at, day.high),
        "low": render.price(at, day.low),
        "volume": render.size(at, day.lots),
        "quoteVolume": render.value(at, day.value),
        "trades": str(day.trades),
    }


def kline_time(at_ns: int) -> str:
    """UTC text of candles: `2025-07-19 13:09:00`."""
    return f"{datetime.fromtimestamp(at_ns // NS_PER_S, UTC):%Y-%m-%d %H:%M:%S}"


def _kline(at: VenueMarket, candle: Candle, interval_ns: int) -> dict[str, object]:
    return {
        "start": kline_time(candle.start_ns),
        "end": kline_time(candle.start_ns + interval_ns),
        "open": render.price(at, candle.open),
        "high": render.price(at, candle.high),
        "low": render.price(at, candle.low),
        "close": render.price(at, candle.close),
        "volume": render.size(at, candle.lots),
        "quoteVolume": render.value(at, candle.value),
        "trades": str(candle.trades),
    }


def _days(call: Call) -> int:
    return TICKER_DAYS[call.choice("interval", TICKER_DAYS, "1d")]


def _perps(call: Call) -> list[VenueMarket]:
    """The perps asked for: one by symbol, or all."""
    symbol = call.query.get("symbol")
    if symbol is not None and symbol not in call.state.exchange.markets:
        raise invalid_request("Symbol not found")
    if symbol is not None:
        call.market()
    every = call.state.exchange.markets.values()
    return [at for at in every if at.market.is_perp and symbol in (None, at.market.symbol)]
