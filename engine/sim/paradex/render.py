"""What the exchange knows, as Paradex writes it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from engine.clock import NS_PER_MS
from engine.exchanges.paradex import wire
from engine.exchanges.paradex.reasons import USER_CANCELED
from engine.model.instrument import plain
from engine.model.order import OrderStatus, Side
from engine.sim import admission
from engine.sim.exchange import Exchange
from engine.sim.funding import Payment
from engine.sim.ledger import ZERO, Account, PerpPosition
from engine.sim.orders import ExchangeFill, Expiry, Refusal, SelfTrade, Trade
from engine.sim.paradex.errors import ApiRefusal
from engine.sim.paradex.markets import SETTLEMENT
from engine.sim.paradex.state import Paper, ParadexState
from engine.sim.venue_market import VenueMarket

SIDES = {Side.BUY: "BUY", Side.SELL: "SELL"}
SELF_TRADES = {
    SelfTrade.REJECT_TAKER: "EXPIRE_TAKER",
    SelfTrade.REJECT_MAKER: "EXPIRE_MAKER",
    SelfTrade.REJECT_BOTH: "EXPIRE_BOTH",
}
REFUSALS = {
    Refusal.WOULD_CROSS: "POST_ONLY_WOULD_CROSS",
    Refusal.PRICE_OUT_OF_BAND: "PRICE_BAND_EXCEEDED",
    Refusal.INSUFFICIENT_FUNDS: "NOT_ENOUGH_MARGIN",
    Refusal.INSUFFICIENT_MARGIN: "NOT_ENOUGH_MARGIN",
    Refusal.NOT_REDUCING: "REDUCE_ONLY_WILL_INCREASE",
}
EXPIRIES = {
    Expiry.IMMEDIATE_OR_CANCEL: "IMMEDIATE_OR_CANCEL",
    Expiry.FILL_OR_KILL: "IMMEDIATE_OR_CANCEL",
    Expiry.SELF_TRADE: "SELF_TRADE",
    Expiry.NO_LONGER_REDUCES: "REDUCE_ONLY_WILL_INCREASE",
    Expiry.NO_LIQUIDITY: "NOT_ENOUGH_LIQUIDITY",
    Expiry.PRICE_IMPACT: "NOT_ENOUGH_LIQUIDITY",
}
"""The words for bands, unfilled rests and empty books are guesses; the others were seen."""


def order(paper: Paper, state: ParadexState) -> wire.Order:
    """An order as it stands, wherever it is shown."""
    inner, at = paper.order, state.exchange.markets[paper.order.symbol]
    instrument, reason = at.market.instrument, cancel_reason(paper)
    remaining = 0 if reason and state.settings.clears_remaining else inner.open_lots
    changed_ns = max(paper.changed_ns, inner.updated_ns, paper.received_ns)
    return wire.Order(
        id=paper.order_id,
        account=hex(paper.address),
        client_id=paper.client_id,
        market=inner.symbol,
        side=SIDES[inner.side],
        type="MARKET" if inner.is_market else "LIMIT",
        size=instrument.size_text(inner.lots),
        remaining_size=instrument.size_text(remaining),
        price="0" if inner.is_market else instrument.price_text(inner.ticks),
        status=status(paper),
        cancel_reason=reason,
        created_at=paper.received_ns // NS_PER_MS,
        last_updated_at=changed_ns // NS_PER_MS,
        timestamp=paper.signature_ms,
        seq_no=paper.seq_no,
        instruction=paper.instruction,
        avg_fill_price=_average(inner.executed_value, inner.executed_lots, at),
        stp=paper.stp,
        received_at=paper.received_ns // NS_PER_MS,
        published_at=changed_ns // NS_PER_MS,
        flags=paper.flags,
        trigger_price="0",
    )


def batch(outcomes: Iterable[Paper | ApiRefusal], state: ParadexState) -> wire.BatchAnswer:
    """What became of many orders at once, as REST tells it: errors apart, and without a name."""
    listed = tuple(outcomes)
    return wire.BatchAnswer(
        orders=tuple(order(one, state) for one in listed if isinstance(one, Paper)),
        errors=tuple(one.body for one in listed if isinstance(one, ApiRefusal)),
    )


def placed(paper: Paper, state: ParadexState) -> dict[str, object]:
    """A queued order, as the WebSocket tells it."""
    received_ns = paper.received_ns
    return {"order": order(paper, state), "created_at": received_ns // NS_PER_MS, "received_at": received_ns}


def status(paper: Paper) -> str:
    if paper.is_open:
        return "NEW" if paper.is_queued else "OPEN"
    return "CLOSED"


def cancel_reason(paper: Paper) -> str:
    if paper.cancel_reason:
        return paper.cancel_reason
    if paper.order.expiry is not None:
        return EXPIRIES[paper.order.expiry]
    return USER_CANCELED if paper.order.status is OrderStatus.CANCELED else ""


def funding_payment(payment: Payment, address: int) -> dict[str, object]:
    """What an account was paid; the index counts nothing here but the rate."""
    return {
        "id": str(payment.number),
        "market": payment.symbol,
        "payment": plain(payment.received),
        "index": plain(payment.rate),
        "fill_id": "",
        "account": hex(address),
        "created_at": payment.at_ms,
    }


def fill(one: ExchangeFill, state: ParadexState) -> wire.Fill:
    """One side of a trade, as its account sees it."""
    at, paper = state.exchange.markets[one.symbol], state.papers.get(one.order_id)
    instrument = at.market.instrument
    return wire.Fill(
        id=f"{one.trade_id}{one.order_id:011d}",
        order_id=paper.order_id if paper else str(one.order_id),
        client_id=paper.client_id if paper else "",
        account=hex(paper.address) if paper else "",
        market=one.symbol,
        side=SIDES[one.side],
        liquidity="MAKER" if one.is_maker else "TAKER",
        price=instrument.price_text(one.ticks),
        size=instrument.size_text(one.lots),
        remaining_size=instrument.size_text(paper.order.open_lots if paper else 0),
        fee=plain(one.fee),
        fee_currency=one.fee_asset,
        realized_pnl="0",
        realized_funding="0",
        underlying_price=plain(at.index),
        fill_type="FILL",
        flags=(),
        orderbook_seq_no=at.update_id,
        created_at=one.at_ns // NS_PER_MS,
    )


def position(held: PerpPosition, at: VenueMarket, address: int, seq_no: int, now_ns: int) -> wire.Position:
    """A position; its size carries the sign."""
    now_ms, symbol = now_ns // NS_PER_MS, at.market.symbol
    return wire.Position(
        id=f"{hex(address)}-{symbol}",
        account=hex(address),
        market=symbol,
        side="SHORT" if held.lots < 0 else "LONG",
        size=at.market.instrument.size_text(held.lots),
        status="OPEN" if held.lots else "CLOSED",
        average_entry_price=_rounded(held.entry_price(at.market)),
        cost=plain(held.cost),
        unrealized_pnl=plain(held.unrealised(at.market, at.mark)),
        unrealized_funding_pnl="0",
        realized_positional_pnl=plain(held.realised),
        realized_positional_funding_pnl=plain(held.funding),
        cached_funding_index="0",
        liquidation_price="",
        leverage="",
        last_fill_id="",
        seq_no=seq_no,
        created_at=now_ms,
        closed_at=0 if held.lots else now_ms,
        last_updated_at=now_ms,
    )


def account(held: Account, exchange: Exchange, address: int, seq_no: int, now_ns: int) -> wire.Account:
    """The account's margin, in its one settlement asset."""
    equity = admission.equity(held, SETTLEMENT, exchange.markets)
    orders = exchange.open_orders(held.name)
    required = admission.required_margin(held, SETTLEMENT, orders, exchange.markets)
    return wire.Account(
        account=hex(address),
        account_value=plain(equity),
        total_collateral=plain(held.total[SETTLEMENT]),
        free_collateral=plain(max(ZERO, equity - required)),
        initial_margin_requirement=plain(required),
        maintenance_margin_requirement=plain(required / 2),
        margin_cushion=plain(equity - required / 2),
        settlement_asset=SETTLEMENT,
        status="ACTIVE",
        seq_no=seq_no,
        updated_at=now_ns // NS_PER_MS,
    )


def summary(at: VenueMarket, open_interest_lots: int, now_ns: int) -> wire.Summary:
    """A market at a glance."""
    instrument, day = at.market.instrument, at.tape.day(now_ns)
    bid, ask = at.book.best(Side.BUY), at.book.best(Side.SELL)
    change = Decimal(day.close - day.open) / day.open if day.open else ZERO
    volume = plain(at.market.value(day.value))
    return wire.Summary(
        symbol=at.market.symbol,
        mark_price=plain(at.mark),
        underlying_price=plain(at.index),
        funding_rate=plain(at.funding_rate),
        last_traded_price=instrument.price_text(at.tape.last_ticks),
        bid=instrument.price_text(bid) if bid else "",
        ask=instrument.price_text(ask) if ask else "",
        bid_size=instrument.size_text(at.book.lots_at(Side.BUY, bid)) if bid else "",
        ask_size=instrument.size_text(at.book.lots_at(Side.SELL, ask)) if ask else "",
        volume_24h=volume,
        total_volume=volume,
        open_interest=instrument.size_text(open_interest_lots),
        price_change_rate_24h=_rounded(change),
        created_at=now_ns // NS_PER_MS,
    )


def bbo(at: VenueMarket, now_ns: int) -> dict[str, object]:
    """The best of both sides."""
    instrument = at.market.instrument
    shown: dict[str, object] = {
        "market": at.market.symbol,
        "seq_no": at.update_id,
        "last_updated_at": now_ns // NS_PER_MS,
    }
    for side, name in ((Side.BUY, "bid"), (Side.SELL, "ask")):
        ticks = at.book.best(side)
        shown[name] = "" if ticks is None else instrument.price_text(ticks)
        shown[f"{name}_size"] = "" if ticks is None else instrument.size_text(at.book.lots_at(side, ticks))
    return shown


def trade(one: Trade, at: VenueMarket) -> dict[str, object]:
    """A trade as everybody sees it; the side is the taker's."""
    instrument = at.market.instrument
    return {
        "id": str(one.trade_id),
        "market": one.symbol,
        "side": "SELL" if one.buyer_is_maker else "BUY",
        "price": instrument.price_text(one.ticks),
        "size": instrument.size_text(one.lots),
        "trade_type": "FILL",
        "created_at": one.at_ns // NS_PER_MS,
    }


def level(at: VenueMarket, ticks: int, lots: int) -> wire.PriceLevel:
    return at.market.instrument.price_text(ticks), at.market.instrument.size_text(lots)


def _average(value: int, lots: int, at: VenueMarket) -> str:
    return _rounded(at.market.instrument.tick_size * Decimal(value) / lots) if lots else ""


def _rounded(number: Decimal) -> str:
    return plain(round(number, 12))
