"""The simulated Aster's markets and their exchange information. Grids and filters as in captures where there is one
(ASTERUSDT), else in their style.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from engine.exchanges.aster.apis import VENUE_NAMES
from engine.exchanges.aster.instruments import FEES, PERPETUAL, TRADING
from engine.exchanges.aster.wire import Filter
from engine.model.instrument import Instrument, MarketKind, plain
from engine.sim.market import MarginFunction, Market, PriceBand

QUOTE = "USDT"
MIN_NOTIONAL = Decimal(5)
MULTIPLIER_UP, MULTIPLIER_DOWN = Decimal("1.05"), Decimal("0.95")
"""A bid may lie at most so far above the mark price, an ask so far below."""
NO_BAND = PriceBand(min_multiplier=Decimal(0), max_multiplier=Decimal(1_000))
"""The exchange's own band is symmetric; Aster's is not, and is checked where orders are read."""
INITIAL, MAINTENANCE = Decimal("0.02"), Decimal("0.01")


def _market(kind: MarketKind, base: str, tick: str, step: str, price: str) -> Market:
    maker_fee, taker_fee = FEES[kind]
    is_perp = kind is MarketKind.PERP
    return Market(
        instrument=Instrument(
            venue=VENUE_NAMES[kind],
            symbol=f"{base}{QUOTE}",
            kind=kind,
            base=base,
            quote=QUOTE,
            tick_size=Decimal(tick),
            lot_size=Decimal(step),
            min_size=Decimal(step),
            min_notional=MIN_NOTIONAL,
            maker_fee=maker_fee,
            taker_fee=taker_fee,
            reduces_any_notional=is_perp,
        ),
        start_price=Decimal(price),
        band=NO_BAND,
        initial_margin=MarginFunction(base=INITIAL, factor=Decimal(0)) if is_perp else None,
        maintenance_margin=MarginFunction(base=MAINTENANCE, factor=Decimal(0)) if is_perp else None,
    )


MARKETS = {
    MarketKind.PERP: (
        _market(MarketKind.PERP, "BTC", "0.1", "0.001", "86720.0"),
        _market(MarketKind.PERP, "ETH", "0.01", "0.001", "3801.00"),
        _market(MarketKind.PERP, "SOL", "0.01", "0.01", "180.60"),
        _market(MarketKind.PERP, "ASTER", "0.00010", "0.01", "1.0850"),
    ),
    MarketKind.SPOT: (
        _market(MarketKind.SPOT, "BTC", "0.1", "0.00001", "86700.0"),
        _market(MarketKind.SPOT, "ETH", "0.01", "0.0001", "3800.00"),
        _market(MarketKind.SPOT, "SOL", "0.01", "0.01", "180.50"),
        _market(MarketKind.SPOT, "ASTER", "0.0001", "0.1", "1.0845"),
    ),
}


def exchange_info(kind: MarketKind, markets: Iterable[Market], now_ms: int) -> dict[str, object]:
    """GET exchangeInfo."""
    listed = list(markets)
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2_400},
            {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1_200},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300},
        ],
        "exchangeFilters": [],
        "assets": [_asset(asset) for asset in sorted({a for m in listed for a in _assets(m)})],
        "symbols": [_symbol(kind, market) for market in listed],
    }


def _assets(market: Market) -> tuple[str, str]:
    return market.instrument.base, market.instrument.quote


def _asset(asset: str) -> dict[str, object]:
    return {"asset": asset, "marginAvailable": asset == QUOTE, "autoAssetExchange": None}


def _symbol(kind: MarketKind, market: Market) -> dict[str, object]:
    instrument = market.instrument
    common: dict[str, object] = {
        "symbol": market.symbol,
        "status": TRADING,
        "baseAsset": instrument.base,
        "quoteAsset": instrument.quote,
        "pricePrecision": 8,
        "quantityPrecision": 8,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "filters": _filters(kind, market),
        "orderTypes": ["LIMIT", "MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }
    if kind is MarketKind.SPOT:
        return common | {"ocoAllowed": False, "listingTime": 1_756_289_680_210}
    return common | {
        "pair": market.symbol,
        "contractType": PERPETUAL,
        "deliveryDate": 4_133_404_800_000,
        "onboardDate": 1_758_178_800_000,
        "maintMarginPercent": "1.0000",
        "requiredMarginPercent": "2.0000",
        "marginAsset": instrument.quote,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "settlePlan": 0,
        "triggerProtect": "0.1500",
        "liquidationFee": "0.025000",
        "marketTakeBound": "0.05",
    }


def _filters(kind: MarketKind, market: Market) -> tuple[Filter, ...]:
    instrument = market.instrument
    step, least, tick = plain(instrument.lot_size), plain(instrument.min_size), plain(instrument.tick_size)
    notional = plain(MIN_NOTIONAL)
    min_notional = (
        Filter(filter_type="MIN_NOTIONAL", notional=notional)
        if kind is MarketKind.PERP
        else Filter(filter_type="MIN_NOTIONAL", min_notional=notional)
    )
    return (
        Filter(filter_type="PRICE_FILTER", min_price=tick, max_price="10000000", tick_size=tick),
        Filter(filter_type="LOT_SIZE", min_qty=least, max_qty="2000000", step_size=step),
        Filter(filter_type="MARKET_LOT_SIZE", min_qty=least, max_qty="200000", step_size=step),
        Filter(filter_type="MAX_NUM_ORDERS", limit=200),
        min_notional,
        Filter(
            filter_type="PERCENT_PRICE",
            multiplier_up=plain(MULTIPLIER_UP),
            multiplier_down=plain(MULTIPLIER_DOWN),
            multiplier_decimal="4",
        ),
    )
