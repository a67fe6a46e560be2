"""The simulated Paradex's markets, with grids and margins as the documentation's samples have them."""

from __future__ import annotations

from decimal import Decimal

from engine.exchanges.paradex import wire
from engine.model.instrument import Instrument, MarketKind, plain
from engine.sim.market import MarginFunction, Market, PriceBand

SETTLEMENT = "USDC"
FEES = (Decimal("0"), Decimal("0.00045"))
"""(maker, taker) of the first Pro tier."""
BAND_WIDTH = Decimal("0.05")
"""How far beyond the mark an order may reach into the book; passive orders may lie anywhere."""
FUNDING_HOURS = 8
OPENED_MS = 1_696_000_000_000

_ANYWHERE = PriceBand(
    min_multiplier=Decimal(0),
    max_multiplier=Decimal(1_000),
    min_impact_multiplier=1 - BAND_WIDTH,
    max_impact_multiplier=1 + BAND_WIDTH,
)


def _perp(base: str, *, tick: str, step: str, price: str) -> Market:
    return Market(
        instrument=Instrument(
            venue="paradex",
            symbol=f"{base}-USD-PERP",
            kind=MarketKind.PERP,
            base=base,
            quote=SETTLEMENT,
            tick_size=Decimal(tick),
            lot_size=Decimal(step),
            min_size=Decimal(step),
            min_notional=Decimal(10),
            maker_fee=FEES[0],
            taker_fee=FEES[1],
        ),
        start_price=Decimal(price),
        band=_ANYWHERE,
        initial_margin=MarginFunction(base=Decimal("0.02"), factor=Decimal("0.00006")),
        maintenance_margin=MarginFunction(base=Decimal("0.01"), factor=Decimal("0.00003")),
    )


MARKETS = (
    _perp("SOL", tick="0.001", step="0.01", price="142.317"),
    _perp("ETH", tick="0.01", step="0.001", price="3021.55"),
    _perp("BTC", tick="0.1", step="0.0001", price="98765.4"),
    _perp("kPEPE", tick="0.0000001", step="100", price="0.0123456"),
)


def wire_market(market: Market) -> wire.Market:
    """A market as GET /markets shows it."""
    instrument = market.instrument
    fees = wire.FeePair(maker_fee=_fee(FEES[0]), taker_fee=_fee(FEES[1]))
    return wire.Market(
        symbol=market.symbol,
        base_currency=instrument.base,
        quote_currency="USD",
        settlement_currency=SETTLEMENT,
        asset_kind="PERP",
        market_kind="cross",
        price_tick_size=plain(instrument.tick_size),
        order_size_increment=plain(instrument.lot_size),
        min_notional=plain(instrument.min_notional),
        trading_mode="STANDARD",
        fee_config=wire.FeeConfig(api_fee=fees),
        max_order_size="10000000",
        max_open_orders=150,
        position_limit="100000000",
        price_bands_width=plain(BAND_WIDTH),
        max_slippage="0.05",
        funding_period_hours=FUNDING_HOURS,
        max_funding_rate="0.02",
        delta1_cross_margin_params=_margin_parameters(market),
        open_at=OPENED_MS,
        expiry_at=0,
        oracle_ewma_factor="0.2",
        price_feed_id="",
    )


def _margin_parameters(market: Market) -> dict[str, str]:
    initial = market.initial_margin
    assert initial is not None, "every market here is a perp"
    return {
        "imf_base": plain(initial.base),
        "imf_shift": "0",
        "imf_factor": plain(initial.factor),
        "mmf_factor": "0.5",
    }


def _fee(rate: Decimal) -> wire.Fee:
    return wire.Fee(fee=plain(rate), fee_cap=plain(rate), fee_floor="0")
