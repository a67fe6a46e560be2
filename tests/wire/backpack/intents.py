"""The neutral intents of `vectors.json` as Backpack requests, written from the documentation alone: nothing here
looks at what a case expects.
"""

from __future__ import annotations

from typing import Any

from engine.exchanges.backpack.signing import Parameter, Parameters

Intent = dict[str, Any]
Call = tuple[str, str, Parameters | list[Parameters]]

SIDES = {"buy": "Bid", "sell": "Ask"}

CALLS = {
    "get_account_settings": ("GET", "/api/v1/account"),
    "set_account_leverage": ("PATCH", "/api/v1/account"),
    "set_account_flags": ("PATCH", "/api/v1/account"),
    "get_balances": ("GET", "/api/v1/capital"),
    "get_collateral": ("GET", "/api/v1/capital/collateral"),
    "get_positions": ("GET", "/api/v1/position"),
    "get_borrow_lend_positions": ("GET", "/api/v1/borrowLend/positions"),
    "get_open_orders": ("GET", "/api/v1/orders"),
    "get_order": ("GET", "/api/v1/order"),
    "place_order": ("POST", "/api/v1/order"),
    "place_batch": ("POST", "/api/v1/orders"),
    "cancel_order": ("DELETE", "/api/v1/order"),
    "cancel_all": ("DELETE", "/api/v1/orders"),
    "get_fills": ("GET", "/wapi/v1/history/fills"),
    "get_funding_payments": ("GET", "/wapi/v1/history/funding"),
    "get_order_history": ("GET", "/wapi/v1/history/orders"),
    "get_max_order_quantity": ("GET", "/api/v1/account/limits/order"),
    "get_depth": ("GET", "/api/v1/depth"),
    "get_markets": ("GET", "/api/v1/markets"),
    "get_klines": ("GET", "/api/v1/klines"),
    "get_open_interest": ("GET", "/api/v1/openInterest"),
}

NAMES = {
    "auto_borrow": "autoBorrow",
    "auto_borrow_repay": "autoBorrowRepay",
    "auto_borrow_settlements": "autoBorrowSettlements",
    "auto_lend": "autoLend",
    "auto_lend_redeem": "autoLendRedeem",
    "client_id": "clientId",
    "end_ms": "to",
    "end_s": "endTime",
    "fill_type": "fillType",
    "leverage": "leverageLimit",
    "market_type": "marketType",
    "order_id": "orderId",
    "post_only": "postOnly",
    "quote_quantity": "quoteQuantity",
    "reduce_only": "reduceOnly",
    "start_ms": "from",
    "start_s": "startTime",
    "stp": "selfTradePrevention",
    "subaccount": "subaccountId",
    "tif": "timeInForce",
    "type": "orderType",
}

BRACKETS = {"stop_loss": "stopLoss", "take_profit": "takeProfit"}
BRACKET_FIELDS = {"trigger": "TriggerPrice", "limit": "LimitPrice", "by": "TriggerBy"}


def call(intent: Intent) -> Call:
    """Method, path and parameters that carry out an intent."""
    method, path = CALLS[intent["op"]]
    if intent["op"] == "place_batch":
        return method, path, [parameters(order) for order in intent["orders"]]
    return method, path, parameters(intent)


def parameters(intent: Intent) -> Parameters:
    found: dict[str, Parameter] = {}
    for name, value in intent.items():
        if name in BRACKETS:
            found |= {BRACKETS[name] + BRACKET_FIELDS[field]: text for field, text in value.items()}
        elif name != "op":
            found[NAMES.get(name, name)] = _value(name, value)
    return found


def _value(name: str, value: Parameter) -> Parameter:
    if name == "side":
        return SIDES[str(value)]
    return str(value).capitalize() if name == "type" else value
