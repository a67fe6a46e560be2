"""A new order as Paradex reads it: from the wire to an order of the exchange with its papers, or a refusal."""

from __future__ import annotations

from decimal import Decimal

from msgspec import UNSET

from engine.clock import NS_PER_MS
from engine.exchanges.decimals import exact
from engine.exchanges.paradex.signing import OrderTerms
from engine.exchanges.paradex.wire import NewOrder
from engine.model.order import Side, TimeInForce
from engine.sim.orders import Order, SelfTrade
from engine.sim.paradex.auth import Caller
from engine.sim.paradex.errors import ApiRefusal, invalid, not_simulated
from engine.sim.paradex.render import SELF_TRADES, SIDES
from engine.sim.paradex.settings import ParadexSettings
from engine.sim.paradex.state import Paper
from engine.sim.venue_market import VenueMarket

CLIENT_ID_MAX = 64
RECV_WINDOW_MS, RECV_WINDOW_MIN_MS = 300_000, 10

_SIDES = {word: side for side, word in SIDES.items()}
_SELF_TRADES = {word: rule for rule, word in SELF_TRADES.items()}
_INSTRUCTIONS = frozenset({"GTC", "POST_ONLY", "IOC"})


def read_order(new: NewOrder, at: VenueMarket, caller: Caller, now_ns: int) -> Paper:
    """The order asked for, on the market's grid; it has no number yet. Raises ApiRefusal."""
    _check_words(new)
    is_market, stp = new.type == "MARKET", new.stp or "EXPIRE_TAKER"
    flags = new.flags or ()
    order = Order(
        order_id=0,
        owner=caller.account,
        symbol=at.market.symbol,
        side=_SIDES[new.side],
        ticks=0 if is_market else _ticks(new, at),
        lots=_lots(new, at),
        placed_ns=now_ns,
        is_market=is_market,
        time_in_force=TimeInForce.IOC if new.instruction == "IOC" else TimeInForce.GTC,
        post_only=new.instruction == "POST_ONLY",
        reduce_only="REDUCE_ONLY" in flags,
        self_trade=_SELF_TRADES.get(stp, SelfTrade.REJECT_TAKER),
    )
    return Paper(
        order=order,
        address=caller.address,
        client_id=new.client_id or "",
        instruction=new.instruction,
        stp=stp,
        flags=tuple(flags),
        signature_ms=new.signature_timestamp,
        received_ns=now_ns,
    )


def terms_of(new: NewOrder) -> OrderTerms:
    """What of an order was signed."""
    return OrderTerms(
        market=new.market,
        side=new.side,
        kind=new.type,
        size=new.size,
        price="0" if "MARKET" in new.type else new.price or "0",
        timestamp_ms=new.signature_timestamp,
    )


def check_window(new: NewOrder, settings: ParadexSettings, now_ns: int) -> None:
    """Whether the order may still, and already, arrive."""
    window_ms = RECV_WINDOW_MS if new.recv_window is None else new.recv_window
    if window_ms < RECV_WINDOW_MIN_MS:
        raise invalid(f"recv_window must be at least {RECV_WINDOW_MIN_MS}")
    age_ms = now_ns // NS_PER_MS - new.signature_timestamp
    if age_ms > window_ms or age_ms < -settings.future_tolerance_ms:
        raise ApiRefusal(400, "INVALID_TIMESTAMP", "signature timestamp is outside the receive window")


def is_below_minimum(paper: Paper, at: VenueMarket) -> bool:
    """Whether the order is worth too little, at mark; what closes a position may be."""
    value = at.market.instrument.size(paper.order.lots) * at.mark
    return value < at.market.instrument.min_notional and not paper.order.reduce_only


def reaches_too_far(paper: Paper, at: VenueMarket) -> bool:
    """Whether an order would take beyond the band around the mark; one that rests may lie anywhere."""
    order = paper.order
    if order.is_market or order.post_only or not at.book.would_cross(order):
        return False
    price, width = at.market.instrument.price(order.ticks), at.market.band.max_impact_multiplier - 1
    return price > at.mark * (1 + width) if order.side is Side.BUY else price < at.mark * (1 - width)


def _check_words(new: NewOrder) -> None:
    if new.side not in _SIDES:
        raise invalid("side must be BUY or SELL")
    if new.type not in ("LIMIT", "MARKET"):
        raise not_simulated(f"order type {new.type}")
    if new.instruction == "RPI":
        raise ApiRefusal(403, "RPI_ACCOUNT_NOT_WHITELISTED", "account may not place RPI orders")
    if new.instruction not in _INSTRUCTIONS:
        raise invalid(f"unknown instruction {new.instruction}")
    if new.stp is not None and new.stp not in _SELF_TRADES:
        raise invalid(f"unknown stp {new.stp}")
    if len(new.client_id or "") > CLIENT_ID_MAX:
        raise invalid(f"client_id is longer than {CLIENT_ID_MAX}")


def _ticks(new: NewOrder, at: VenueMarket) -> int:
    price = _decimal(None if new.price is UNSET else new.price, "price")
    try:
        return at.market.instrument.ticks_exact(price)
    except ValueError:
        raise invalid("price is not a multiple of price_tick_size") from None


def _lots(new: NewOrder, at: VenueMarket) -> int:
    size = _decimal(new.size, "size")
    try:
        return at.market.instrument.lots_exact(size)
    except ValueError:
        raise ApiRefusal(400, "INVALID_ORDER_SIZE", "size is not a multiple of order_size_increment") from None


def _decimal(text: str | None, name: str) -> Decimal:
    try:
        number = exact(text or "")
    except ValueError:
        raise invalid(f"invalid {name}") from None
    if number <= 0:
        raise invalid(f"{name} must be above zero")
    return number
