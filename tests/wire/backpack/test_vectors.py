"""Every request an outside client was seen to send, made again byte for byte, and accepted by our verification."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest

from engine.clock import NS_PER_MS
from engine.exchanges.backpack.signing import (
    Signer,
    build_request,
    request_text,
    signed_parameters,
    subscription_text,
    verify,
    verify_request,
    verify_subscription,
)
from engine.exchanges.backpack.venue import VENUE
from engine.exchanges.interface import Context, Endpoints
from engine.exchanges.messages import HttpRequest
from engine.model.commands import CancelOrder, Command, QueryBalances, QueryOpenOrders, QueryOrder, SubmitOrder
from engine.model.instrument import Instrument, MarketKind
from engine.model.order import ApprovedOrder, OrderRequest, Side, TimeInForce
from tests.wire.backpack.intents import call
from tests.wire.backpack.support import cases

Case = dict[str, Any]

VECTORS = {case["name"]: case for case in cases("vectors.json")}
SIGNED = [case for case in VECTORS.values() if case["keys"] and "method" in case["expect"]]
SUBSCRIPTIONS = [case for case in VECTORS.values() if case["intent"]["op"] == "ws_subscribe_private"]
PUBLIC = [case for case in VECTORS.values() if not case["keys"]]
AUTHENTICATION = ("X-API-Key", "X-Signature", "X-Timestamp", "X-Window")


def named(cases: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case["name"])


def signer(case: Case) -> Signer:
    return Signer(case["keys"]["public_b64"], case["keys"]["seed_b64"])


def as_sent(case: Case) -> HttpRequest:
    """The request exactly as the outside client sent it."""
    expect = case["expect"]
    return HttpRequest(
        method=expect["method"],
        target=expect["url"].removeprefix("https://api.backpack.exchange"),
        headers=tuple(expect["headers"].items()),
        body=(expect["body_text"] or "").encode(),
    )


def test_there_are_42_vectors_and_each_is_tested_once() -> None:
    assert len(VECTORS) == 42
    assert len(SIGNED) + len(SUBSCRIPTIONS) + len(PUBLIC) == 42


@named(SIGNED)
def test_a_signed_request_is_reproduced(case: Case) -> None:
    expect = case["expect"]
    method, path, parameters = call(case["intent"])
    request = build_request(signer(case), method, path, parameters, case["clock_ms"], case["window_ms"])

    text = request_text(request)
    assert f"{text}&timestamp={case['clock_ms']}&window={case['window_ms']}" == expect["sign_payload"]
    headers = dict(request.headers)
    assert headers["X-Signature"] == expect["signature_b64"]
    assert {name: headers[name] for name in AUTHENTICATION} == {n: expect["headers"][n] for n in AUTHENTICATION}
    if not case["source"].startswith("ccxt"):
        assert headers == expect["headers"]
    assert_same_call(request, expect)


def assert_same_call(request: HttpRequest, expect: dict[str, Any]) -> None:
    path, _, query = request.target.partition("?")
    assert (request.method, path) == (expect["method"], expect["path"])
    assert sorted(parse_qsl(query)) == sorted(tuple(pair) for pair in expect["query"])
    assert as_text(json.loads(request.body or b"null")) == as_text(expect["body_json"])


def as_text(body: Any) -> Any:
    """bpx-py writes a cancel's clientId as text where the documentation has a number; both sign alike."""
    return body | {"clientId": str(body["clientId"])} if isinstance(body, dict) and "clientId" in body else body


@named(SIGNED)
def test_what_an_outside_client_sent_is_verified(case: Case) -> None:
    assert verify_request(as_sent(case))


@named(SIGNED)
def test_another_path_query_or_body_is_not_verified(case: Case) -> None:
    sent = as_sent(case)
    other_method = "POST" if sent.method == "DELETE" else "DELETE"
    for changed in (
        HttpRequest(method=sent.method, target=sent.target, headers=sent.headers[:1]),
        HttpRequest(method=other_method, target="/api/v1/order", headers=sent.headers, body=b'{"symbol":"X"}'),
        HttpRequest(method=sent.method, target="/api/v1/nothing", headers=sent.headers, body=sent.body),
        HttpRequest(method=sent.method, target=sent.target, headers=sent.headers, body=b'{"symbol":"X"}'),
        HttpRequest(method=sent.method, target=sent.target, headers=sent.headers, body=b"{"),
    ):
        assert not verify_request(changed)


@named(SUBSCRIPTIONS)
def test_a_private_subscription_is_reproduced_and_verified(case: Case) -> None:
    expect = case["expect"]
    signature = signer(case).subscription(case["clock_ms"], case["window_ms"])
    assert list(signature) == expect["ws_text_json"]["signature"]
    assert subscription_text(signature[2], signature[3]) == expect["sign_payload"]
    assert verify_subscription(expect["ws_text_json"]["signature"])
    assert not verify_subscription([*signature[:2], str(case["clock_ms"] + 1), signature[3]])
    assert not verify_subscription(signature[:3])


@named(PUBLIC)
def test_a_public_request_is_reproduced_unsigned(case: Case) -> None:
    method, path, parameters = call(case["intent"])
    request = build_request(None, method, path, parameters, 0)
    assert f"https://api.backpack.exchange{request.target}" == case["expect"]["url"]
    assert request.headers == ()
    assert not verify_request(request)


# The vectors our commands can express, through the codec itself ---------------------------------------------


def spot(symbol: str) -> Instrument:
    return market(symbol, MarketKind.SPOT)


def perp(symbol: str) -> Instrument:
    return market(symbol, MarketKind.PERP)


def market(symbol: str, kind: MarketKind) -> Instrument:
    return Instrument(
        venue="backpack",
        symbol=symbol,
        kind=kind,
        base=symbol.split("_")[0],
        quote="USDC",
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.001"),
        min_size=Decimal("0.001"),
    )


def submit(side: Side, ticks: int, lots: int, client_id: int, **flags: Any) -> SubmitOrder:
    request = OrderRequest(leg="main", client_id=client_id, slot="x", side=side, ticks=ticks, lots=lots, **flags)
    return SubmitOrder(leg="main", order=ApprovedOrder(request=request))


IOC = TimeInForce.IOC
THROUGH_THE_CODEC: dict[str, tuple[Instrument, Command]] = {
    "place_post_only_client_id": (spot("SOL_USDC"), submit(Side.SELL, 19999, 3000, 1001, post_only=True)),
    "place_reduce_only_ioc": (
        perp("BTC_USDC_PERP"),
        submit(Side.SELL, 8600000, 15, 77, reduce_only=True, time_in_force=IOC),
    ),
    "cancel_by_id": (perp("SOL_USDC_PERP"), CancelOrder(leg="main", client_id=1, venue_order_id="2233445566")),
    "ccxt_cancel": (spot("ETH_USDC"), CancelOrder(leg="main", client_id=1, venue_order_id="8284661092")),
    "cancel_by_client_id": (spot("SOL_USDC"), CancelOrder(leg="main", client_id=31337, venue_order_id=None)),
    "open_order_by_client_id": (perp("SOL_USDC_PERP"), QueryOrder(leg="main", client_id=4294967295)),
    "open_orders_symbol": (perp("SOL_USDC_PERP"), QueryOpenOrders(leg="main")),
    "balances": (spot("SOL_USDC"), QueryBalances(leg="main")),
    "collateral": (perp("SOL_USDC_PERP"), QueryBalances(leg="main")),
}


@pytest.mark.parametrize("name", THROUGH_THE_CODEC)
def test_a_command_becomes_the_request_an_outside_client_sends(name: str) -> None:
    case = VECTORS[name]
    instrument, command = THROUGH_THE_CODEC[name]
    codec = VENUE.codec(
        leg="main",
        instrument=instrument,
        credentials={"api_key": case["keys"]["public_b64"], "api_secret": case["keys"]["seed_b64"]},
        endpoints=Endpoints(rest_url="", ws_url=""),
    )
    request = codec.encode(command, Context(now_ns=case["clock_ms"] * NS_PER_MS + 999_999))
    headers = dict(request.headers)
    assert {n: headers[n] for n in AUTHENTICATION} == {n: case["expect"]["headers"][n] for n in AUTHENTICATION}
    assert_same_call(request, case["expect"])


# Signing itself ----------------------------------------------------------------------------------------------


def test_values_are_signed_as_they_read_and_not_percent_encoded() -> None:
    text = signed_parameters("withdraw", {"quantity": "1.10", "address": "a+b c/é", "flag": False, "n": 3})
    assert text == "instruction=withdraw&address=a+b c/é&flag=false&n=3&quantity=1.10"


def test_numbers_in_a_body_are_verified_as_they_were_written() -> None:
    request = HttpRequest(
        method="POST", target="/api/v1/order", body=b'{"quantity": 1.10, "clientId": 7, "postOnly": true}'
    )
    assert request_text(request) == "instruction=orderExecute&clientId=7&postOnly=true&quantity=1.10"


def test_a_boolean_query_in_python_words_is_verified_as_json() -> None:
    request = HttpRequest(method="GET", target="/api/v1/account/limits/order?reduceOnly=True&symbol=X")
    assert request_text(request) == "instruction=maxOrderQuantity&reduceOnly=true&symbol=X"


@pytest.mark.parametrize("body", [b"{", b"7", b"[7]", b"\xff", b"[" * 100_000, b'{"a":' * 100_000])
def test_a_body_that_cannot_be_signed_is_never_verified(body: bytes) -> None:
    signed = as_sent(VECTORS["place_limit_gtc"])
    harmed = HttpRequest(method="POST", target="/api/v1/order", headers=signed.headers, body=body)
    assert request_text(harmed) is None
    assert not verify_request(harmed)


@pytest.mark.parametrize("key", ["", "!", "AAAA", "42njOjm93byZ5mNDkjjKZ1Ng75ee5imu07GISZhHXag=", "é"])
@pytest.mark.parametrize("signature", ["", "!", "AAAA", "é", "A" * 88])
def test_nonsense_is_never_verified(key: str, signature: str) -> None:
    assert not verify(key, signature, "instruction=orderQueryAll&timestamp=1&window=1")
