"""Golden frames and replies, and what the codec says of itself."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest

from engine.clock import NS_PER_S
from engine.errors import ConfigInvalid, ProtocolError, Unavailable
from engine.exchanges.interface import BookSource, Context, NonceRule
from engine.exchanges.lighter.options import LighterOptions, Tier
from engine.exchanges.lighter.venue import VENUE, Lighter, chain_of
from engine.exchanges.messages import HttpResponse
from engine.exchanges.registry import configured_venue
from tests.exchanges.samples import submit
from tests.wire.lighter.support import cases, codec, credentials, outcome_of_frame, outcome_of_reply

NOW = Context(now_ns=1_790_000_000 * NS_PER_S, nonce=1)


def outcome(case: dict[str, Any]) -> dict[str, Any]:
    return {key: case[key] for key in ("events", "raises") if key in case}


@pytest.mark.parametrize("case", cases("frames.json"), ids=lambda case: case["name"])
def test_a_golden_frame_becomes_its_events(case: dict[str, Any]) -> None:
    assert outcome_of_frame(case) == outcome(case)


@pytest.mark.parametrize("case", cases("replies.json"), ids=lambda case: f"{case['command']}: {case['name']}")
def test_a_golden_reply_becomes_its_events(case: dict[str, Any]) -> None:
    assert outcome_of_reply(case) == outcome(case)


def test_the_facts_name_nonces_and_stream_snapshots() -> None:
    facts = VENUE.facts
    assert (facts.nonces, facts.book_source) == (NonceRule.SEQUENCE, BookSource.STREAM)
    assert (facts.requests_per_minute, Lighter(LighterOptions(tier=Tier.PREMIUM)).facts.requests_per_minute) == (
        60,
        4_000,
    )
    assert facts.send_lifetime_ns == 600 * NS_PER_S
    assert Lighter(LighterOptions(tx_lifetime_s=15)).facts.send_lifetime_ns == 16 * NS_PER_S


def test_a_ping_is_answered_and_nothing_else_is() -> None:
    assert codec().answer_frame('{"type": "ping"}') == '{"type":"pong"}'
    assert codec().answer_frame(b'{"type":"ping"}') == '{"type":"pong"}'
    assert codec().answer_frame('{"type":"pong"}') is None
    assert codec().answer_frame('{"type":"update/order_book","channel":"order_book:0"}') is None


def test_both_sockets_beat_and_only_the_accounts_shows_a_token() -> None:
    account, market = codec().streams(NOW)
    assert account.private and not market.private
    assert account.heartbeat == market.heartbeat == '{"type":"ping"}'
    assert all("auth" in json.loads(frame) for frame in account.frames)
    assert not any("auth" in json.loads(frame) for frame in market.frames)


def test_a_token_is_kept_renewed_and_dropped_when_refused() -> None:
    mine = codec()

    def token(at_s: int) -> str:
        later = Context(now_ns=NOW.now_ns + at_s * NS_PER_S)
        return str(json.loads(mine.streams(later)[0].frames[0])["auth"])

    first = token(0)
    assert token(5 * 3_600) == first
    assert token(6 * 3_600 + 1) != first
    kept = token(6 * 3_600 + 2)
    with pytest.raises(ProtocolError):
        mine.decode_frame('{"error":{"code":20013,"message":"invalid auth"}}', at_ns=1)
    assert token(6 * 3_600 + 3) != kept


@pytest.mark.parametrize(
    ("url", "chain"), [("https://testnet.zklighter.elliot.ai", 300), ("http://127.0.0.1:1", 304)]
)
def test_the_address_says_which_chain_is_signed_for(url: str, chain: int) -> None:
    endpoints = VENUE.facts.endpoints["mainnet"]
    assert chain_of(type(endpoints)(rest_url=url, ws_url="")) == chain


@pytest.mark.parametrize(
    "wrong", [{"account_index": "x"}, {"api_key_index": "3"}, {"api_key_index": "255"}, {"api_private_key": "12"}]
)
def test_wrong_credentials_are_a_configuration_error(wrong: dict[str, str]) -> None:
    from tests.wire.lighter.support import instrument

    with pytest.raises(ConfigInvalid):
        VENUE.codec(
            leg="main",
            instrument=instrument(),
            credentials={**credentials(), **wrong},
            endpoints=VENUE.facts.endpoints["mainnet"],
        )


def test_a_nonce_that_is_none_is_an_error() -> None:
    source = codec().nonce_source
    assert source is not None
    assert source.decode(HttpResponse(status=200, body=b'{"code":200,"nonce":722}')) == 722
    for body in (b"[]", b'{"code":200,"nonce":-1}', b"[" * 100_000):
        with pytest.raises(ProtocolError):
            source.decode(HttpResponse(status=200, body=body))
    with pytest.raises(Unavailable):
        source.decode(HttpResponse(status=500, body=b""))


def test_only_active_perps_are_instruments() -> None:
    market = {
        "symbol": "ETH",
        "market_id": 0,
        "market_type": "perp",
        "status": "active",
        "size_decimals": 4,
        "price_decimals": 2,
        "min_base_amount": "0.0050",
        "min_quote_amount": "10.000000",
        "taker_fee": "0.0280",
        "maker_fee": "0.0040",
    }
    others = [{**market, "market_type": "spot"}, {**market, "status": "inactive"}]
    body = json.dumps({"code": 200, "order_book_details": [market, *others]}).encode()
    (found,) = VENUE.decode_instruments(HttpResponse(status=200, body=body))
    assert (found.symbol, found.venue_code, str(found.tick_size), str(found.taker_fee)) == (
        "ETH",
        "0",
        "0.01",
        "0.000280",
    )


@pytest.mark.parametrize(
    "options", [{"order_life_s": 300}, {"tx_lifetime_s": 9}, {"tx_lifetime_s": 600}, {"tier": "gold"}, {"fee": 1}]
)
def test_options_that_the_venue_or_its_signer_would_refuse_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigInvalid, match="options"):
        configured_venue("lighter", options)


def test_an_accounts_options_change_its_budget_its_signer_and_its_orders_life() -> None:
    venue = configured_venue("lighter", {"tier": "premium", "tx_lifetime_s": 30, "order_life_s": 600})
    assert (venue.facts.requests_per_minute, venue.facts.send_lifetime_ns) == (4_000, 31 * NS_PER_S)
    request = codec(venue).encode(submit(client_id=1), NOW)
    info = json.loads(dict(parse_qsl(request.body.decode()))["tx_info"])
    assert (info["ExpiredAt"], info["OrderExpiry"]) == (1_790_000_030_000, 1_790_000_600_000)


def test_a_venue_without_options_refuses_them() -> None:
    with pytest.raises(ConfigInvalid, match="no options"):
        configured_venue("backpack", {"tier": "premium"})
