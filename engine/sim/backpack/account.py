"""The account routes: balances, collateral, positions, settings, limits, histories."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import TypeVar

import msgspec
from msgspec import UNSET

from engine.clock import NS_PER_MS
from engine.exchanges.backpack import wire
from engine.exchanges.decimals import exact
from engine.exchanges.messages import HttpResponse
from engine.model.instrument import plain
from engine.model.order import Side
from engine.sim import admission
from engine.sim.backpack import render
from engine.sim.backpack.calls import Call
from engine.sim.backpack.errors import invalid_request, unparsable_parameter
from engine.sim.backpack.markets import PERP_FEES, SPOT_FEES
from engine.sim.backpack.render import iso_text
from engine.sim.backpack.trading import market_type
from engine.sim.ledger import ZERO, Account
from engine.sim.past import orders_as_of
from engine.sim.venue_market import VenueMarket

T = TypeVar("T")

COLLATERAL_ASSET = "USDC"
"""The only asset that counts as collateral here; the real venue also counts others, with haircuts."""

_SORTED = frozenset({"Asc", "Desc"})
_SIDES = {word: side for side, word in render.SIDES.items()}


def balances(call: Call) -> dict[str, wire.Balance]:
    """GET /api/v1/capital."""
    account = call.state.exchange.account(call.account)
    return {asset: render.balance(account, asset) for asset in sorted(account.total)}


def collateral(call: Call) -> wire.Collateral:
    """GET /api/v1/capital/collateral."""
    account, markets = call.state.exchange.account(call.account), call.state.exchange.markets
    orders = call.state.exchange.open_orders(call.account)
    total = account.total[COLLATERAL_ASSET]
    equity = admission.equity(account, COLLATERAL_ASSET, markets)
    required = admission.required_margin(account, COLLATERAL_ASSET, orders, markets)
    held = [(position, markets[symbol]) for symbol, position in account.positions.items() if position.lots]
    unrealised = sum((position.unrealised(at.market, at.mark) for position, at in held), ZERO)
    exposure = sum((abs(at.market.instrument.size(position.lots)) * at.mark for position, at in held), ZERO)
    return wire.Collateral(
        assets_value=plain(total),
        borrow_liability="0",
        collateral=tuple(_collateral_asset(call, account, asset) for asset in sorted(account.total)),
        imf=plain(required / exposure if exposure else ZERO),
        unsettled_equity=plain(unrealised),
        liabilities_value="0",
        margin_fraction=plain(equity / exposure) if exposure else None,
        mmf=plain(max((render.mmf(position, at) for position, at in held), default=ZERO)),
        net_equity=plain(total + unrealised),
        net_equity_available=plain(max(ZERO, equity - required)),
        net_equity_locked=plain(total + unrealised - max(ZERO, equity - required)),
        net_exposure_futures=plain(exposure),
        pnl_unrealized=plain(unrealised),
    )


def deposit_address(call: Call) -> wire.DepositAddress:
    """GET /wapi/v1/capital/deposit/address: one that nobody could send to by mistake."""
    blockchain = call.query.get("blockchain")
    if not blockchain:
        raise unparsable_parameter("blockchain", "it is missing")
    return wire.DepositAddress(address=f"simulated-{blockchain}-{call.state.user_id(call.account)}")


def positions(call: Call) -> list[wire.Position]:
    """GET /api/v1/position."""
    symbol, kind = call.query.get("symbol"), call.query.get("marketType", "PERP")
    if symbol is not None:
        call.market()
    account, markets = call.state.exchange.account(call.account), call.state.exchange.markets
    user_id = call.state.user_id(call.account)
    return [
        render.position(position, markets[held], user_id)
        for held, position in account.positions.items()
        if position.lots and symbol in (None, held) and kind == "PERP"
    ]


def settings(call: Call) -> wire.Account:
    """GET /api/v1/account."""
    preferences = call.state.preferences.get(call.account, wire.AccountPatch())
    account = call.state.exchange.account(call.account)
    return wire.Account(
        auto_borrow_settlements=preferences.auto_borrow_settlements is True,
        auto_lend=preferences.auto_lend is True,
        auto_realize_pnl=True,
        auto_repay_borrows=preferences.auto_repay_borrows is True,
        borrow_limit="0",
        futures_maker_fee=_basis_points(PERP_FEES[0]),
        futures_taker_fee=_basis_points(PERP_FEES[1]),
        spot_maker_fee=_basis_points(SPOT_FEES[0]),
        spot_taker_fee=_basis_points(SPOT_FEES[1]),
        leverage_limit=plain(account.leverage_limit),
        limit_orders=len(call.state.exchange.open_orders(call.account)),
        trigger_orders=0,
        liquidating=False,
        position_limit="100000000",
    )


def change_settings(call: Call) -> HttpResponse:
    """PATCH /api/v1/account: 200 without a body."""
    patch = call.decode(wire.AccountPatch)
    if patch.leverage_limit is not UNSET:
        try:
            leverage = exact(patch.leverage_limit)
        except ValueError:
            leverage = ZERO
        if leverage < 1:
            raise invalid_request("Invalid leverage limit")
        call.state.exchange.account(call.account).leverage_limit = leverage
    known = call.state.preferences.get(call.account, wire.AccountPatch())
    said = {name: getattr(patch, name) for name in patch.__struct_fields__ if getattr(patch, name) is not UNSET}
    call.state.preferences[call.account] = msgspec.structs.replace(known, **said)
    return HttpResponse(status=200)


def withdraw(call: Call) -> dict[str, object]:
    """POST /wapi/v1/capital/withdrawals: confirmed at once, free of charge, to nobody."""
    asked = call.decode(wire.Withdrawal)
    account = call.state.exchange.account(call.account)
    try:
        quantity = exact(asked.quantity)
    except ValueError:
        quantity = ZERO
    if not ZERO < quantity <= account.available(asked.symbol):
        raise invalid_request("Invalid quantity")
    call.state.exchange.withdraw(call.account, asked.symbol, quantity)
    return {
        "id": call.now_ns // NS_PER_MS,
        "blockchain": asked.blockchain,
        "quantity": plain(quantity),
        "fee": "0",
        "symbol": asked.symbol,
        "status": "confirmed",
        "toAddress": asked.address,
        "createdAt": iso_text(call.now_ns),
        "isInternal": False,
    }


def order_limit(call: Call) -> dict[str, object]:
    """GET /api/v1/account/limits/order: about how much more could be bought or sold."""
    at = call.market()
    side = _SIDES.get(call.text("side"))
    if side is None:
        raise unparsable_parameter("side", 'failed to parse "Side": Expect a valid enumeration value.')
    price = _price(call, at)
    most = _affordable(call, at, side, price)
    lots = int((most / at.market.instrument.lot_size).to_integral_value(ROUND_FLOOR))
    return {
        "symbol": at.market.symbol,
        "side": render.SIDES[side],
        "maxOrderQuantity": render.size(at, max(0, lots)),
        "price": call.query.get("price"),
        "reduceOnly": call.query.get("reduceOnly", "false").lower() == "true" or None,
        "autoBorrow": None,
        "autoBorrowRepay": None,
        "autoLendRedeem": None,
    }


def fills(call: Call) -> list[wire.Fill]:
    """GET /wapi/v1/history/fills, newest first unless asked otherwise."""
    query, markets = call.query, call.state.exchange.markets
    since_ns = call.number("from", 0) * NS_PER_MS
    until_ns = call.number("to", call.now_ns // NS_PER_MS + 1) * NS_PER_MS + NS_PER_MS - 1
    number = render.order_number(query["orderId"]) if "orderId" in query else None
    found = [
        fill
        for fill in call.state.exchange.fills(call.account)
        if since_ns <= fill.at_ns <= min(until_ns, call.seen_ns)
        and number in (None, fill.order_id)
        and _is_asked(call, markets[fill.symbol])
        and query.get("fillType", "User") == "User"
    ]
    return [render.fill(fill, markets[fill.symbol]) for fill in call.page(_sorted(call, found))]


def orders(call: Call) -> list[wire.Order]:
    """GET /wapi/v1/history/orders: open and closed ones, newest first unless asked otherwise."""
    query, markets = call.query, call.state.exchange.markets
    number = render.order_number(query["orderId"]) if "orderId" in query else None
    found = [
        order
        for order in orders_as_of(call.state.exchange, call.account, call.seen_ns)
        if number in (None, order.order_id) and _is_asked(call, markets[order.symbol])
    ]
    return [render.past_order(order, markets[order.symbol]) for order in call.page(_sorted(call, found))]


def funding(call: Call) -> list[dict[str, object]]:
    """GET /wapi/v1/history/funding, newest first."""
    symbol = call.query.get("symbol")
    user_id = call.state.user_id(call.account)
    rows: list[dict[str, object]] = [
        {
            "userId": user_id,
            "subaccountId": 0,
            "symbol": payment.symbol,
            "quantity": plain(payment.received),
            "intervalEndTimestamp": iso_text(payment.at_ns)[:-4],
            "fundingRate": plain(payment.rate),
        }
        for payment in call.state.funding.paid_to(call.account)
        if symbol in (None, payment.symbol)
    ]
    return call.page(rows)


def nothing(_: Call) -> list[object]:
    """A history of something that never happens here: deposits, withdrawals, loans, settlements."""
    return []


def _collateral_asset(call: Call, account: Account, asset: str) -> wire.CollateralAsset:
    total = account.total[asset]
    mark = _usd_price(call, asset)
    weight = 1 if asset == COLLATERAL_ASSET else 0
    return wire.CollateralAsset(
        symbol=asset,
        asset_mark_price=plain(mark),
        total_quantity=plain(total),
        balance_notional=plain(total * mark),
        collateral_weight=str(weight),
        collateral_value=plain(total * mark * weight),
        open_order_quantity=plain(account.locked[asset]),
        lend_quantity="0",
        available_quantity=plain(account.available(asset)),
    )


def _usd_price(call: Call, asset: str) -> Decimal:
    spot = call.state.exchange.markets.get(f"{asset}_{COLLATERAL_ASSET}")
    return spot.mark if spot else Decimal(1)


def _price(call: Call, at: VenueMarket) -> Decimal:
    try:
        price = exact(call.query["price"]) if "price" in call.query else at.mark
    except ValueError:
        price = ZERO
    if price <= 0:
        raise unparsable_parameter("price", 'failed to parse "Decimal"')
    return price


def _affordable(call: Call, at: VenueMarket, side: Side, price: Decimal) -> Decimal:
    account, markets = call.state.exchange.account(call.account), call.state.exchange.markets
    orders = call.state.exchange.open_orders(call.account)
    held = at.market.instrument.size(account.lots(at.market.symbol)) * side.sign
    if call.query.get("reduceOnly", "false").lower() == "true":
        return max(ZERO, -held)
    if not at.market.is_perp:
        if side is Side.SELL:
            return account.available(at.market.instrument.base)
        return admission.spendable(account, at.quote, orders, markets) / price
    free = admission.equity(account, at.quote, markets) - admission.required_margin(
        account, at.quote, orders, markets
    )
    fraction = admission.margin_fraction(account, at.market.initial_margin, max(ZERO, free))
    return max(ZERO, free / (price * fraction) + 2 * max(ZERO, -held))


def _is_asked(call: Call, at: VenueMarket) -> bool:
    symbol, kind = call.query.get("symbol"), call.query.get("marketType")
    return symbol in (None, at.market.symbol) and kind in (None, market_type(at))


def _sorted(call: Call, rows: list[T]) -> list[T]:
    return rows[::-1] if call.choice("sortDirection", _SORTED, "Desc") == "Asc" else rows


def _basis_points(rate: Decimal) -> str:
    return plain(rate * 10_000)
