"""Orders, trades, positions, accounts and markets of the exchange as Lighter writes them."""

from __future__ import annotations

from decimal import Decimal

from engine.clock import NS_PER_MS, NS_PER_S, NS_PER_US
from engine.exchanges.lighter import wire
from engine.model.instrument import plain
from engine.model.order import OrderStatus, Side, TimeInForce
from engine.sim import admission
from engine.sim.funding import Payment
from engine.sim.ledger import Account, PerpPosition
from engine.sim.lighter.markets import COLLATERAL, INITIAL_MARGIN, MAINTENANCE_MARGIN
from engine.sim.lighter.state import ORDER_INDEX_BASE, LighterState, market_index
from engine.sim.orders import Expiry, Order, Trade
from engine.sim.venue_market import VenueMarket

ASSET_ID = 3
_MICRO = Decimal("0.000001")
_EXPIRIES = {
    Expiry.IMMEDIATE_OR_CANCEL: "canceled",
    Expiry.FILL_OR_KILL: "canceled",
    Expiry.SELF_TRADE: "canceled-self-trade",
    Expiry.NO_LONGER_REDUCES: "canceled-reduce-only",
    Expiry.NO_LIQUIDITY: "canceled-not-enough-liquidity",
    Expiry.PRICE_IMPACT: "canceled-too-much-slippage",
}


def price(at: VenueMarket, ticks: int) -> str:
    return format(at.market.instrument.price(ticks), "f")


def size(at: VenueMarket, lots: int) -> str:
    return format(at.market.instrument.size(lots), "f")


def money(amount: Decimal) -> str:
    """Millionths of a dollar."""
    return format(amount.quantize(_MICRO), "f")


def order_index(number: int) -> int:
    return ORDER_INDEX_BASE + number


def order(order: Order, at: VenueMarket, state: LighterState, status: str | None = None) -> wire.Order:
    """An order as it stands; `status` for those the sequencer would not have."""
    terms = state.terms.get(order.order_id)
    number, client = order_index(order.order_id), int(order.client_id or 0)
    return wire.Order(
        order_index=number,
        client_order_index=client,
        order_id=str(number),
        client_order_id=str(client),
        market_index=market_index(at),
        owner_account_index=state.index_of(order.owner),
        initial_base_amount=size(at, order.lots),
        remaining_base_amount=size(at, order.open_lots if order.status is OrderStatus.RESTING else 0),
        filled_base_amount=size(at, order.executed_lots),
        filled_quote_amount=money(at.market.value(order.executed_value)),
        price=price(at, order.ticks),
        base_size=order.lots,
        base_price=order.ticks,
        is_ask=order.side is Side.SELL,
        side="",
        type="market" if terms and terms.is_market else "limit",
        time_in_force=_time_in_force(order),
        reduce_only=order.reduce_only,
        order_expiry=terms.expiry_ms if terms else 0,
        nonce=terms.nonce if terms else 0,
        status=status or order_status(order, state),
        timestamp=order.placed_ns // NS_PER_S,
        created_at=order.placed_ns // NS_PER_S,
        updated_at=order.updated_ns // NS_PER_S,
        transaction_time=order.updated_ns // NS_PER_US,
        market_symbol=at.market.symbol,
    )


def order_status(order: Order, state: LighterState) -> str:
    if order.status is OrderStatus.RESTING:
        return "open"
    if order.status is OrderStatus.FILLED:
        return "filled"
    if order.expiry is not None:
        return _EXPIRIES[order.expiry]
    terms = state.terms.get(order.order_id)
    return "canceled-expired" if terms and terms.is_expired else "canceled"


def trade(trade: Trade, at: VenueMarket, owners: dict[int, tuple[int, int]], house: int) -> wire.Trade:
    """A trade; `owners` gives account and client index of the orders that are somebody's."""
    bid_owner, bid_client = owners.get(trade.buy_order_id, (house, 0))
    ask_owner, ask_client = owners.get(trade.sell_order_id, (house, 0))
    bid, ask = order_index(trade.buy_order_id), order_index(trade.sell_order_id)
    return wire.Trade(
        trade_id=trade.trade_id,
        trade_id_str=str(trade.trade_id),
        tx_hash=f"{trade.trade_id:080x}",
        type="trade",
        market_id=market_index(at),
        size=size(at, trade.lots),
        price=price(at, trade.ticks),
        usd_amount=money(at.market.value(trade.ticks * trade.lots)),
        ask_id=ask,
        bid_id=bid,
        ask_id_str=str(ask),
        bid_id_str=str(bid),
        ask_client_id=ask_client,
        bid_client_id=bid_client,
        ask_client_id_str=str(ask_client),
        bid_client_id_str=str(bid_client),
        ask_account_id=ask_owner,
        bid_account_id=bid_owner,
        is_maker_ask=not trade.buyer_is_maker,
        timestamp=trade.at_ns // NS_PER_MS,
        transaction_time=trade.at_ns // NS_PER_US,
        market_symbol=at.market.symbol,
    )


def position(position: PerpPosition, at: VenueMarket, open_orders: int) -> wire.Position:
    held = at.market.instrument.size(abs(position.lots))
    return wire.Position(
        market_id=market_index(at),
        symbol=at.market.symbol,
        initial_margin_fraction=format(INITIAL_MARGIN * 100, "f"),
        open_order_count=open_orders,
        sign=-1 if position.lots < 0 else 1,
        position=format(held, "f"),
        avg_entry_price=money(position.entry_price(at.market)),
        position_value=money(held * at.mark),
        unrealized_pnl=money(position.unrealised(at.market, at.mark)),
        realized_pnl=money(position.realised),
        total_funding_paid_out=money(-position.funding),
    )


def positions(name: str, state: LighterState) -> list[wire.Position]:
    """All markets the account ever held, as the venue shows them: flat ones too."""
    exchange = state.exchange
    return [
        position(held, exchange.markets[symbol], len(exchange.open_orders(name, symbol)))
        for symbol, held in exchange.account(name).positions.items()
    ]


def collateral(account: Account, state: LighterState) -> tuple[Decimal, Decimal, Decimal]:
    """(collateral, equity, what margin leaves free)."""
    exchange = state.exchange
    equity = admission.equity(account, COLLATERAL, exchange.markets)
    needed = admission.required_margin(account, COLLATERAL, exchange.open_orders(account.name), exchange.markets)
    return account.total[COLLATERAL], equity, max(Decimal(0), equity - needed)


def user_stats(account: Account, state: LighterState) -> dict[str, str]:
    backed, equity, free = collateral(account, state)
    return {
        "collateral": money(backed),
        "portfolio_value": money(equity),
        "available_balance": money(free),
        "leverage": "0.00",
        "margin_usage": "0.00",
        "buying_power": money(free / INITIAL_MARGIN),
    }


def sub_account(name: str, state: LighterState) -> dict[str, object]:
    """An account as accountsByL1Address shows it."""
    backed, _, free = collateral(state.exchange.account(name), state)
    index = state.index_of(name)
    return {
        "code": 0,
        "account_type": 0,
        "account_trading_mode": 0,
        "index": index,
        "l1_address": l1_address(index),
        "cancel_all_time": state.cancel_all_ms.get(index, 0),
        "total_order_count": len(state.exchange.open_orders(name)),
        "total_isolated_order_count": 0,
        "pending_order_count": 0,
        "available_balance": money(free),
        "status": 1,
        "collateral": money(backed),
        "transaction_time": 0,
    }


def account(name: str, state: LighterState) -> dict[str, object]:
    """An account in full."""
    held = state.exchange.account(name)
    _, equity, _ = collateral(held, state)
    balance = money(held.total[COLLATERAL])
    return {
        **sub_account(name, state),
        "account_index": state.index_of(name),
        "name": name,
        "description": "",
        "can_invite": True,
        "referral_points_percentage": "",
        "positions": positions(name, state),
        "assets": [
            {
                "symbol": COLLATERAL,
                "asset_id": ASSET_ID,
                "balance": balance,
                "locked_balance": "0.000000",
                "margin_balance": balance,
                "margin_mode": "enabled",
                "multiplier": "1",
            }
        ],
        "total_asset_value": money(equity),
        "cross_asset_value": money(equity),
        "pool_info": None,
        "shares": [],
        "created_at": 0,
        "pending_unlocks": [],
        "approved_integrators": [],
        "can_rfq": False,
        "can_rfq_market_ids": [],
        "cross_initial_margin_requirement": money(_required(name, state)),
        "cross_maintenance_margin_requirement": money(_required(name, state) * MAINTENANCE_MARGIN / INITIAL_MARGIN),
        "metadata": {"color": ""},
        "agent_enabled": False,
        "bo_positions": [],
    }


def l1_address(account_index: int) -> str:
    return f"0x{account_index:040x}"


def market_short(at: VenueMarket) -> dict[str, object]:
    """A market as orderBooks shows it."""
    instrument = at.market.instrument
    size_decimals, price_decimals = _decimals(instrument.lot_size), _decimals(instrument.tick_size)
    return {
        "symbol": at.market.symbol,
        "market_id": market_index(at),
        "market_type": "perp",
        "base_asset_id": 0,
        "quote_asset_id": 0,
        "status": "active",
        "taker_fee": "0.0000",
        "maker_fee": "0.0000",
        "liquidation_fee": "1.0000",
        "min_base_amount": format(instrument.min_size, "f"),
        "min_quote_amount": money(instrument.min_notional),
        "supported_size_decimals": size_decimals,
        "supported_price_decimals": price_decimals,
        "supported_quote_decimals": 6,
        "order_quote_limit": "281474976.710655",
        "is_maker_fee_enabled": False,
        "is_taker_fee_enabled": False,
        "created_at": "0",
        "multiplier": "1",
        "start_timestamp": 0,
        "end_timestamp": 0,
        "settlement_type": 0,
        "settlement_price": 0,
        "settlement_cap": 0,
        "outcome": 0,
        "default_price": 0,
        "operator_account_index": 0,
        "is_frozen": False,
        "open_interest": "0",
    }


def market(at: VenueMarket, open_interest: int, now_ns: int) -> dict[str, object]:
    """A market as orderBookDetails shows it."""
    instrument, day = at.market.instrument, at.tape.day(now_ns)
    return {
        **market_short(at),
        "size_decimals": _decimals(instrument.lot_size),
        "price_decimals": _decimals(instrument.tick_size),
        "quote_multiplier": 1,
        "default_initial_margin_fraction": int(INITIAL_MARGIN * 10_000),
        "min_initial_margin_fraction": int(INITIAL_MARGIN * 10_000),
        "maintenance_margin_fraction": int(MAINTENANCE_MARGIN * 10_000),
        "closeout_margin_fraction": int(MAINTENANCE_MARGIN * 10_000) // 2,
        "last_trade_price": float(instrument.price(at.tape.last_ticks)),
        "daily_trades_count": day.trades,
        "daily_base_token_volume": float(instrument.size(day.lots)),
        "daily_quote_token_volume": float(at.market.value(day.value)),
        "daily_price_low": float(instrument.price(day.low)),
        "daily_price_high": float(instrument.price(day.high)),
        "daily_price_change": float(Decimal(day.close - day.open) * 100 / day.open),
        "open_interest": float(instrument.size(open_interest)),
        "daily_chart": {},
        "market_config": {
            "market_margin_mode": 0,
            "insurance_fund_account_index": 0,
            "liquidation_mode": 0,
            "force_reduce_only": False,
            "funding_fee_discounts_enabled": False,
            "trading_hours": "",
            "hidden": False,
            "rfq_enabled": False,
        },
        "strategy_index": 0,
        "funding_clamp_small": "0.0500",
        "funding_clamp_big": "4.0000",
        "base_interest_rate": "0.0100",
        "mark_price": money(at.mark),
        "index_price": money(at.index),
        "market_flags": 0,
        "funding_premium_multiplier": 1,
    }


def funding(payment: Payment, at: VenueMarket) -> dict[str, object]:
    """What an account was paid at the end of an interval, as positionFunding shows it."""
    return {
        "timestamp": payment.at_ns // NS_PER_S,
        "market_id": market_index(at),
        "funding_id": payment.number,
        "change": plain(payment.received),
        "discount": "0.000000",
        "rate": plain(payment.rate),
        "position_size": size(at, abs(payment.lots)),
        "position_side": "short" if payment.lots < 0 else "long",
    }


def market_stats(at: VenueMarket, open_interest: int, *, funding_ns: int, now_ns: int) -> dict[str, object]:
    """What the channel market_stats tells; funding in percent, `funding_ns` when an interval ended last."""
    day = at.tape.day(now_ns)
    rate = format(at.funding_rate * 100, "f")
    return {
        "symbol": at.market.symbol,
        "market_id": market_index(at),
        "index_price": money(at.index),
        "mark_price": money(at.mark),
        "open_interest": size(at, open_interest),
        "last_trade_price": price(at, at.tape.last_ticks),
        "current_funding_rate": rate,
        "funding_rate": rate,
        "funding_timestamp": funding_ns // NS_PER_MS,
        "daily_base_token_volume": float(at.market.instrument.size(day.lots)),
        "daily_quote_token_volume": float(at.market.value(day.value)),
        "daily_price_low": float(at.market.instrument.price(day.low)),
        "daily_price_high": float(at.market.instrument.price(day.high)),
        "daily_price_change": float(Decimal(day.close - day.open) * 100 / day.open),
    }


def levels(at: VenueMarket, changed: list[tuple[int, int]]) -> tuple[wire.PriceLevel, ...]:
    return tuple(wire.PriceLevel(price=price(at, ticks), size=size(at, lots)) for ticks, lots in changed)


def _required(name: str, state: LighterState) -> Decimal:
    exchange = state.exchange
    return admission.required_margin(
        exchange.account(name), COLLATERAL, exchange.open_orders(name), exchange.markets
    )


def _time_in_force(order: Order) -> str:
    if order.time_in_force is TimeInForce.IOC:
        return "immediate-or-cancel"
    return "post-only" if order.post_only else "good-till-time"


def _decimals(step: Decimal) -> int:
    exponent = step.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
