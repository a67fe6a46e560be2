"""The hand-written order path against the general one, for every order one could want to send."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.exchanges.backpack.signing import WINDOW_MS, Parameter, Signer, build_request, verify_request
from engine.exchanges.backpack.venue import VENUE
from engine.exchanges.interface import Context
from engine.exchanges.messages import HttpRequest
from engine.model.commands import CancelOrder, SubmitOrder
from engine.model.instrument import MarketKind
from engine.model.order import ApprovedOrder, OrderRequest, Side, TimeInForce
from tests.wire.backpack.support import CODECS, COMMANDS, codec, instrument

KEYS = VENUE.throwaway_credentials("wire tests")
SIGNER = Signer(KEYS["api_key"], KEYS["api_secret"])
NOW_MS = 1_761_955_200_000
NOW = Context(now_ns=NOW_MS * 1_000_000)

orders = st.builds(
    OrderRequest,
    leg=st.just("main"),
    client_id=st.integers(0, 2**32 - 1),
    slot=st.just("bid.0"),
    side=st.sampled_from(Side),
    ticks=st.integers(1, 10**9),
    lots=st.integers(1, 10**9),
    post_only=st.booleans(),
    reduce_only=st.booleans(),
    time_in_force=st.sampled_from(TimeInForce),
)


def as_documented(order: OrderRequest, kind: MarketKind) -> HttpRequest:
    """The order through Decimal, sorting and JSON."""
    market = instrument(kind)
    parameters: dict[str, Parameter] = {
        "symbol": market.symbol,
        "side": "Bid" if order.side is Side.BUY else "Ask",
        "orderType": "Limit",
        "price": market.price_text(order.ticks),
        "quantity": market.size_text(order.lots),
        "clientId": order.client_id,
    }
    if order.post_only:
        parameters["postOnly"] = True
    if order.reduce_only and kind is MarketKind.PERP:
        parameters["reduceOnly"] = True
    if order.time_in_force is not TimeInForce.GTC:
        parameters["timeInForce"] = {TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}[order.time_in_force]
    return build_request(SIGNER, "POST", "/api/v1/order", parameters, NOW_MS)


@given(order=orders, kind=st.sampled_from(MarketKind))
def test_a_submit_is_what_the_general_builder_makes(order: OrderRequest, kind: MarketKind) -> None:
    command = SubmitOrder(leg="main", order=ApprovedOrder(request=order))
    assert CODECS[kind.value].encode(command, NOW) == as_documented(order, kind)


@given(client_id=st.integers(0, 2**32 - 1), venue_order_id=st.none() | st.integers(1, 2**63).map(str))
def test_a_cancel_is_what_the_general_builder_makes(client_id: int, venue_order_id: str | None) -> None:
    command = CancelOrder(leg="main", client_id=client_id, venue_order_id=venue_order_id)
    key: dict[str, Parameter] = {"orderId": venue_order_id} if venue_order_id else {"clientId": client_id}
    expected = build_request(SIGNER, "DELETE", "/api/v1/order", {**key, "symbol": "SOL_USDC"}, NOW_MS)
    assert CODECS["spot"].encode(command, NOW) == expected


def test_a_price_is_never_an_exponent() -> None:
    kind = MarketKind.SPOT
    market = msgspec.structs.replace(instrument(kind), tick_size=Decimal("1E-9"), lot_size=Decimal("1E+3"))
    request = codec(kind, market).encode(COMMANDS["submit"], NOW)
    body = json.loads(request.body)
    assert (body["price"], body["quantity"]) == ("0.00001805", "150000")


def test_every_command_has_a_request_and_the_private_ones_are_signed_for_the_context() -> None:
    for kind in MarketKind:
        for name, command in COMMANDS.items():
            request = CODECS[kind.value].encode(command, NOW)
            is_public = name in ("query_book", "query_instrument")
            assert verify_request(request) is not is_public
            headers = dict(request.headers)
            assert is_public or (headers["X-Timestamp"], headers["X-Window"]) == (str(NOW_MS), str(WINDOW_MS))


def test_history_is_asked_for_in_the_longest_page_and_fills_from_a_moment() -> None:
    history = CODECS["perp"].encode(COMMANDS["query_order_history"], NOW)
    fills = CODECS["perp"].encode(COMMANDS["query_fills"], NOW)
    assert history.target == "/wapi/v1/history/orders?symbol=SOL_USDC_PERP&limit=1000"
    assert fills.target == "/wapi/v1/history/fills?symbol=SOL_USDC_PERP&from=1700000000000&limit=1000"


def test_a_snapshot_is_asked_for_in_full_depth() -> None:
    request = CODECS["perp"].encode(COMMANDS["query_book"], NOW)
    assert request.target == "/api/v1/depth?symbol=SOL_USDC_PERP&limit=1000"
