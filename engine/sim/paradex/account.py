"""The private routes: orders, balances, positions, fills, funding, margin."""

from __future__ import annotations

from engine.clock import NS_PER_MS
from engine.exchanges.paradex import wire
from engine.model.instrument import plain
from engine.sim.paradex import render
from engine.sim.paradex.calls import Call
from engine.sim.paradex.errors import ApiRefusal
from engine.sim.paradex.markets import FEES
from engine.sim.paradex.state import Paper


def place(call: Call) -> wire.Order:
    """POST /orders."""
    paper = call.venue.trading.place(call.caller, call.decode(wire.NewOrder), call.now_ns)
    return render.order(paper, call.state)


def place_many(call: Call) -> wire.BatchAnswer:
    """POST /orders/batch."""
    orders = call.decode(tuple[wire.NewOrder, ...])
    return render.batch(call.venue.trading.place_many(call.caller, orders, call.now_ns), call.state)


def find(call: Call) -> wire.Order:
    """GET /orders/{id}."""
    return render.order(call.state.by_id(call.caller.account, call.part), call.state)


def find_by_client_id(call: Call) -> wire.Order:
    """GET /orders/by_client_id/{client_id}: open or closed."""
    return render.order(_by_client_id(call), call.state)


def find_all(call: Call) -> wire.Page[wire.Order]:
    """GET /orders: the open ones."""
    papers = call.state.papers_of(call.caller.account)
    asked = call.asked_market
    rows = [paper for paper in papers if paper.is_open and asked in (None, paper.order.symbol)]
    return wire.Page(results=tuple(render.order(paper, call.state) for paper in rows))


def history(call: Call) -> wire.Page[wire.Order]:
    """GET /orders-history: newest first, open ones too."""
    query, asked = call.query, call.asked_market
    rows = [
        paper
        for paper in call.state.papers_of(call.caller.account)
        if asked in (None, paper.order.symbol)
        and query.get("client_id") in (None, "", paper.client_id)
        and query.get("side") in (None, "", render.SIDES[paper.order.side])
        and query.get("status") in (None, "", "ALL", render.status(paper))
        and call.within(paper.received_ns)
    ]
    page = call.page(rows)
    shown = tuple(render.order(paper, call.state) for paper in page.results)
    return wire.Page(results=shown, next=page.next)


def cancel(call: Call) -> None:
    """DELETE /orders/{id}: 204, and the rest on the stream."""
    call.venue.trading.cancel(call.caller, call.state.by_id(call.caller.account, call.part), call.now_ns)


def cancel_by_client_id(call: Call) -> None:
    """DELETE /orders/by_client_id/{client_id}."""
    call.venue.trading.cancel(call.caller, _by_client_id(call), call.now_ns)


def cancel_all(call: Call) -> dict[str, object]:
    """DELETE /orders."""
    call.venue.trading.cancel_all(call.caller, call.asked_market, call.now_ns)
    return {}


def cancel_many(call: Call) -> dict[str, object]:
    """DELETE /orders/batch."""
    which = call.decode(wire.CancelBatch)
    asked = [(order_id, "") for order_id in which.order_ids or ()]
    asked += [("", client_id) for client_id in which.client_order_ids or ()]
    return {"results": [_cancel_one(call, order_id, client_id) for order_id, client_id in asked]}


def modify(_: Call) -> None:
    """PUT /orders/{id}."""
    raise ApiRefusal(400, "INVALID_REQUEST_PARAMETER", "modifying orders is not simulated")


def overview(call: Call) -> wire.Account:
    """GET /account."""
    exchange, caller = call.state.exchange, call.caller
    seq_no = call.state.next_seq_no(call.now_ns)
    return render.account(exchange.account(caller.account), exchange, caller.address, seq_no, call.now_ns)


def information(call: Call) -> dict[str, object]:
    """GET /account/info."""
    maker, taker = (plain(rate) for rate in FEES)
    fees = {"maker_rate": maker, "taker_rate": taker}
    return {"account": hex(call.caller.address), "kind": "main", "username": "", "fees": fees}


def balances(call: Call) -> wire.Page[wire.Balance]:
    """GET /balance."""
    held = call.state.exchange.account(call.caller.account).total
    now_ms = call.now_ns // NS_PER_MS
    rows = [wire.Balance(token=token, size=plain(size), last_updated_at=now_ms) for token, size in held.items()]
    return wire.Page(results=tuple(rows))


def positions(call: Call) -> wire.Page[wire.Position]:
    """GET /positions: what is held now."""
    exchange, caller = call.state.exchange, call.caller
    rows = tuple(
        render.position(
            held,
            exchange.markets[symbol],
            caller.address,
            call.state.next_seq_no(call.now_ns),
            call.now_ns,
        )
        for symbol, held in exchange.account(caller.account).positions.items()
        if held.lots
    )
    return wire.Page(results=rows)


def fills(call: Call) -> wire.Page[wire.Fill]:
    """GET /fills, newest first."""
    asked = call.asked_market
    found = call.state.exchange.fills(call.caller.account)
    rows = [one for one in found if asked in (None, one.symbol) and call.within(one.at_ns)]
    page = call.page(rows)
    return wire.Page(results=tuple(render.fill(one, call.state) for one in page.results), next=page.next)


def funding_payments(call: Call) -> wire.Page[dict[str, object]]:
    """GET /funding/payments, newest first."""
    asked = call.asked_market
    return call.page(
        [
            render.funding_payment(one, call.caller.address)
            for one in call.state.funding.paid_to(call.caller.account)
            if asked in (None, one.symbol) and call.within(one.at_ns)
        ]
    )


def margins(call: Call) -> dict[str, object]:
    """GET /account/margin: cross, with the account's leverage."""
    leverage = int(call.state.exchange.account(call.caller.account).leverage_limit)
    markets = [call.asked_market] if call.asked_market else list(call.state.exchange.markets)
    configs = [{"market": symbol, "leverage": leverage, "margin_type": "CROSS"} for symbol in markets]
    return {"account": hex(call.caller.address), "configs": configs, "margin_methodology": "cross_margin"}


def nothing(_: Call) -> wire.Page[dict[str, object]]:
    """A history of something that never happens here: transfers, liquidations."""
    return wire.Page(results=())


def _by_client_id(call: Call) -> Paper:
    return call.state.by_client_id(call.caller.account, call.part, call.asked_market)


def _cancel_one(call: Call, order_id: str, client_id: str) -> dict[str, object]:
    account = call.caller.account
    shown: dict[str, object] = {"id": order_id, "client_id": client_id, "account": hex(call.caller.address)}
    try:
        paper = (
            call.state.by_id(account, order_id) if order_id else call.state.by_client_id(account, client_id, None)
        )
    except ApiRefusal:
        return shown | {"market": "", "status": "NOT_FOUND"}
    shown |= {"id": paper.order_id, "client_id": paper.client_id, "market": paper.order.symbol}
    if not paper.is_open:
        return shown | {"status": "ALREADY_CLOSED"}
    call.venue.trading.cancel(call.caller, paper, call.now_ns)
    return shown | {"status": "QUEUED_FOR_CANCELLATION"}
