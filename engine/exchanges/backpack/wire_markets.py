"""What Backpack's REST says of its markets, public to everybody. Rules as in `wire`."""

# No `from __future__ import annotations`: msgspec would have to compile every text among them when a bot starts.

from engine.exchanges.backpack.wire import Id, MarginFunction, PriceLevel, WireObject


# {"minPrice":"0.01","maxPrice":"1000","tickSize":"0.01","maxMultiplier":"1.25","minMultiplier":"0.75",
#  "maxImpactMultiplier":"1.05","minImpactMultiplier":"0.95","meanMarkPriceBand":{…},…} · Markets: Get markets
class PriceFilterView(WireObject, frozen=True, kw_only=True):
    tick_size: str


class PriceFilter(PriceFilterView, frozen=True, kw_only=True):
    min_price: str
    max_price: str | None = None
    max_multiplier: str | None = None
    min_multiplier: str | None = None
    max_impact_multiplier: str | None = None
    min_impact_multiplier: str | None = None
    mean_mark_price_band: dict[str, str | None] | None = None
    mean_premium_band: dict[str, str | None] | None = None
    borrow_entry_fee_max_multiplier: str | None = None
    borrow_entry_fee_min_multiplier: str | None = None
    max_price_update_multiplier: str | None = None
    min_price_update_multiplier: str | None = None


# {"minQuantity":"0.01","maxQuantity":null,"stepSize":"0.01"} · Markets: Get markets
class QuantityFilterView(WireObject, frozen=True, kw_only=True):
    min_quantity: str
    step_size: str


class QuantityFilter(QuantityFilterView, frozen=True, kw_only=True):
    max_quantity: str | None = None


class FiltersView(WireObject, frozen=True, kw_only=True):
    price: PriceFilterView
    quantity: QuantityFilterView


class MarketFilters(FiltersView, frozen=True, kw_only=True):
    price: PriceFilter
    quantity: QuantityFilter


# {"symbol":"SOL_USDC_PERP","baseSymbol":"SOL","quoteSymbol":"USDC","marketType":"PERP","filters":{…},
#  "imfFunction":{…},"mmfFunction":{…},"fundingInterval":3600000,"fundingRateUpperBound":"100",
#  "fundingRateLowerBound":"-100","openInterestLimit":"4000000","orderBookState":"Open",
#  "createdAt":"2025-01-21T06:34:54.691858","visible":true,"positionLimitWeight":"1","rwaMarketType":null}
# · Markets: Get markets, Get market
class MarketView(WireObject, frozen=True, kw_only=True):
    symbol: str
    base_symbol: str
    quote_symbol: str
    market_type: str
    filters: FiltersView
    order_book_state: str
    visible: bool = True


class Market(MarketView, frozen=True, kw_only=True):
    filters: MarketFilters
    imf_function: MarginFunction | None = None
    mmf_function: MarginFunction | None = None
    funding_interval: int | None = None
    funding_rate_upper_bound: str | None = None
    funding_rate_lower_bound: str | None = None
    open_interest_limit: str | None = None
    created_at: str
    position_limit_weight: str | None = None
    rwa_market_type: str | None = None


# {"asks":[["21.9","500.1"]],"bids":[["20.1","2.5"]],"lastUpdateId":"6729962806","timestamp":1684026955123000}
# · Markets: Get depth. Both sides ascending: the best bid is the last one. The time is in microseconds.
class Depth(WireObject, frozen=True, kw_only=True):
    asks: tuple[PriceLevel, ...]
    bids: tuple[PriceLevel, ...]
    last_update_id: Id
    timestamp: int


# {"symbol":"SOL_USDC_PERP","markPrice":"141.02","indexPrice":"141.05","fundingRate":"0.0000125",
#  "nextFundingTimestamp":1735689600000} · Markets: Get all mark prices
class MarkPrice(WireObject, frozen=True, kw_only=True):
    symbol: str
    mark_price: str
    index_price: str
    funding_rate: str
    next_funding_timestamp: int


# {"start":"2025-07-19 13:09:00","end":"2025-07-19 13:10:00","open":"180.5","high":"181","low":"180",
#  "close":"180.7","volume":"12.5","quoteVolume":"2258.1","trades":"12"} · Markets: K-lines; null prices where
# nothing was traded
class Kline(WireObject, frozen=True, kw_only=True):
    start: str
    open: str | None
    high: str | None
    low: str | None
    close: str | None
    volume: str
