"""The account routes: balances, positions, trades, income, settings, listenKeys."""

from __future__ import annotations

from decimal import Decimal

from engine.clock import NS_PER_MS
from engine.exchanges.aster import wire
from engine.model.instrument import plain
from engine.sim import admission
from engine.sim.aster import render
from engine.sim.aster.calls import Call
from engine.sim.aster.errors import ApiRefusal, invalid
from engine.sim.aster.markets import MAINTENANCE, QUOTE

LEVERAGE_MOST = 125


def futures_balances(call: Call) -> list[wire.FuturesBalance]:
    """GET balance: only the quote asset is margin."""
    account, markets = call.state.exchange.account(call.account), call.state.exchange.markets
    orders = call.state.exchange.open_orders(call.account)
    total, available = account.total[QUOTE], admission.spendable(account, QUOTE, orders, markets)
    unrealised = admission.equity(account, QUOTE, markets) - account.available(QUOTE)
    return [
        wire.FuturesBalance(
            account_alias="sim",
            asset=QUOTE,
            balance=plain(total),
            cross_wallet_balance=plain(total),
            cross_un_pnl=plain(unrealised),
            available_balance=plain(available),
            max_withdraw_amount=plain(available),
            update_time=call.now_ns // NS_PER_MS,
        )
    ]


def futures_account(call: Call) -> dict[str, object]:
    """GET accountWithJoinMargin, and v1's account."""
    (held,) = futures_balances(call)
    return {
        "feeTier": 0,
        "canTrade": True,
        "totalWalletBalance": held.balance,
        "totalUnrealizedProfit": held.cross_un_pnl,
        "availableBalance": held.available_balance,
        "assets": [
            {"asset": held.asset, "walletBalance": held.balance, "availableBalance": held.available_balance}
        ],
        "positions": positions(call),
    }


def spot_account(call: Call) -> wire.SpotAccount:
    """GET account on spot. `updateTime` was captured in nanoseconds."""
    account = call.state.exchange.account(call.account)
    balances = tuple(render.spot_balance(account, asset) for asset in sorted(account.total))
    return wire.SpotAccount(balances=balances, update_time=call.now_ns)


def positions(call: Call) -> list[wire.Position]:
    """GET positionRisk: a row for every market, flat ones too."""
    account, symbol = call.state.exchange.account(call.account), call.parameters.get("symbol")
    if symbol:
        call.market()
    return [
        render.position(account.positions.get(name), at, account.leverage_limit, call.now_ns)
        for name, at in call.state.exchange.markets.items()
        if symbol in (None, "", name)
    ]


def trades(call: Call) -> list[wire.UserTrade]:
    """GET userTrades: the newest page, oldest first."""
    at = call.market()
    order = render.order_number(call.parameters["orderId"]) if call.parameters.get("orderId") else None
    least = call.number("fromId", 0)
    found = [
        fill
        for fill in call.state.exchange.fills(call.account)
        if fill.symbol == at.market.symbol
        and order in (None, fill.order_id)
        and fill.trade_id >= least
        and call.within(fill.at_ns // NS_PER_MS)
    ]
    is_reversed = call.state.settings.costs_are_negative
    return [render.trade(fill, at, costs_are_negative=is_reversed) for fill in reversed(found[: call.limit()])]


def income(call: Call) -> list[dict[str, object]]:
    """GET income: funding only."""
    symbol = call.parameters.get("symbol")
    return [
        {
            "symbol": row.symbol,
            "incomeType": "FUNDING_FEE",
            "income": plain(row.received),
            "asset": QUOTE,
            "info": "FUNDING_FEE",
            "time": row.at_ms,
            "tranId": row.number,
            "tradeId": "",
        }
        for row in reversed(list(call.state.funding.paid_to(call.account)))
        if symbol in (None, "", row.symbol) and call.within(row.at_ms)
    ][-call.limit() :]


def commission_rate(call: Call) -> dict[str, str]:
    instrument = call.market().market.instrument
    return {
        "symbol": instrument.symbol,
        "makerCommissionRate": plain(instrument.maker_fee),
        "takerCommissionRate": plain(instrument.taker_fee),
    }


def set_leverage(call: Call) -> dict[str, object]:
    """POST leverage. One limit for the whole account, unlike the real venue's one per market."""
    symbol, leverage = call.market().market.symbol, call.number("leverage", 0)
    if not 1 <= leverage <= LEVERAGE_MOST:
        raise ApiRefusal(-4028, f"Leverage {leverage} is not valid.")
    call.state.exchange.account(call.account).leverage_limit = Decimal(leverage)
    return {"leverage": leverage, "maxNotionalValue": "20000000", "symbol": symbol}


def set_margin_type(call: Call) -> dict[str, object]:
    """POST marginType: the simulator has cross margin only."""
    call.market()
    if call.text("marginType") == "CROSSED":
        raise ApiRefusal(-4046, "No need to change margin type.")
    raise invalid("marginType")


def position_mode(_: Call) -> dict[str, object]:
    """GET positionSide/dual: one-way."""
    return {"dualSidePosition": False}


def leverage_brackets(call: Call) -> list[dict[str, object]]:
    bracket = {
        "bracket": 1,
        "initialLeverage": LEVERAGE_MOST,
        "notionalCap": 20_000_000,
        "notionalFloor": 0,
        "maintMarginRatio": float(MAINTENANCE),
        "cum": 0.0,
    }
    return [{"symbol": symbol, "brackets": [bracket]} for symbol in call.state.exchange.markets]


def open_listen_key(call: Call) -> wire.ListenKey:
    """POST listenKey: the live key, prolonged, or a new one."""
    return wire.ListenKey(listen_key=call.state.listen_key(call.account, call.now_ns))


def keep_listen_key(call: Call) -> dict[str, object]:
    """PUT listenKey."""
    if call.state.live_key(call.account, call.now_ns) is None:
        raise ApiRefusal(-1125, "This listenKey does not exist.")
    call.state.listen_key(call.account, call.now_ns)
    return {}


def close_listen_key(call: Call) -> dict[str, object]:
    """DELETE listenKey: the account's streams go silent for everybody."""
    call.state.listen_keys.pop(call.account, None)
    return {}


def nothing(_: Call) -> list[object]:
    """A list of something that never happens here: builders, margin changes."""
    return []
