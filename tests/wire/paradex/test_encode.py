"""Commands as Paradex requests, and the gate that lends the token."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import msgspec
import pytest

from engine.clock import NS_PER_S
from engine.errors import AuthenticationFailed, ConfigInvalid, NotSent, ProtocolError
from engine.exchanges.interface import Access, Context
from engine.exchanges.messages import HttpResponse
from engine.exchanges.paradex.chains import TESTNET
from engine.exchanges.paradex.keys import ACCOUNT, ETHEREUM_KEY, PRIVATE_KEY, keys_of
from engine.exchanges.paradex.signing import Verifier, order_struct
from engine.exchanges.paradex.translate import CLIENT_IDS, client_text, own_id
from engine.exchanges.paradex.venue import VENUE
from engine.exchanges.paradex.wire import NewOrder
from engine.model.commands import CancelOrder
from engine.model.order import Side, TimeInForce
from engine.sim.paradex.orders import terms_of
from tests.wire.paradex.support import CLIENT_ID, CODEC, COMMANDS, SINCE_NS, codec, submit

NOW = Context(now_ns=1_790_000_000_123_456_789, token="a.b.c")
KEYS = keys_of(VENUE.throwaway_credentials("wire tests"), TESTNET)


def sent(command: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(CODEC.encode(command, NOW).body)
    return body


def test_an_order_carries_everything_and_a_good_signature() -> None:
    request = CODEC.encode(submit(), NOW)
    assert (request.method, request.target) == ("POST", "/v1/orders")
    assert ("Authorization", "Bearer a.b.c") in request.headers
    body = json.loads(request.body)
    signature = body.pop("signature")
    assert body == {
        "market": "SOL-USD-PERP",
        "side": "BUY",
        "size": "1.5",
        "type": "LIMIT",
        "client_id": "botctl-1-5",
        "instruction": "POST_ONLY",
        "signature_timestamp": 1_790_000_000_123,
        "recv_window": 5_000,
        "stp": None,
        "price": "142.317",
    }
    struct = order_struct(terms_of(msgspec.json.decode(request.body, type=NewOrder)))
    assert Verifier(KEYS.account, TESTNET).accepts(KEYS.public_key, struct, signature)


def test_flags_and_instructions_say_what_the_order_is() -> None:
    assert sent(submit(post_only=False))["instruction"] == "GTC"
    taking = sent(submit(side=Side.SELL, post_only=False, reduce_only=True, time_in_force=TimeInForce.IOC))
    assert (taking["side"], taking["instruction"], taking["flags"]) == ("SELL", "IOC", ["REDUCE_ONLY"])


def test_a_kind_of_order_the_venue_has_not_is_never_sent() -> None:
    with pytest.raises(NotSent):
        CODEC.encode(submit(post_only=False, time_in_force=TimeInForce.FOK), NOW)


@pytest.mark.parametrize(
    ("command", "method", "target"),
    [
        ("cancel", "DELETE", "/v1/orders/1790000000000201709999990000"),
        ("query_order", "GET", "/v1/orders/by_client_id/botctl-1-5?market=SOL-USD-PERP"),
        ("query_open_orders", "GET", "/v1/orders?market=SOL-USD-PERP"),
        ("query_order_history", "GET", "/v1/orders-history?market=SOL-USD-PERP&page_size=1000"),
        ("query_fills", "GET", f"/v1/fills?market=SOL-USD-PERP&start_at={SINCE_NS // 10**6}&page_size=1000"),
        ("query_position", "GET", "/v1/positions"),
        ("query_balances", "GET", "/v1/account"),
        ("query_book", "GET", "/v1/orderbook/SOL-USD-PERP?depth=100"),
        ("query_instrument", "GET", "/v1/markets?market=SOL-USD-PERP"),
    ],
)
def test_a_command_goes_to_its_place(command: str, method: str, target: str) -> None:
    request = CODEC.encode(COMMANDS[command], NOW)
    assert (request.method, request.target, request.body) == (method, target, b"")


def test_an_order_whose_number_is_not_known_is_cancelled_by_our_own() -> None:
    request = CODEC.encode(CancelOrder(leg="main", client_id=CLIENT_ID, venue_order_id=None), NOW)
    assert request.target == "/v1/orders/by_client_id/botctl-1-5?market=SOL-USD-PERP"


@pytest.mark.parametrize(("tag", "sequence"), [(1, 0), (65_535, 4_294_967_295), (7, 12)])
def test_a_client_id_survives_the_way_to_text_and_back(tag: int, sequence: int) -> None:
    client_id = CLIENT_IDS.compose(tag, sequence)
    assert len(client_text(client_id)) <= 64
    assert own_id(client_text(client_id)) == client_id


@pytest.mark.parametrize(
    "text", [None, "", "bot1-0001", "botctl-1-05", "botctl-1-4294967296", "botctl--1", "botctl-٣-1"]
)
def test_a_text_that_is_not_exactly_ours_is_nobodys(text: str | None) -> None:
    assert own_id(text) is None


# Keys -------------------------------------------------------------------------------------------------------


def test_any_of_the_three_ways_to_name_an_account_gives_the_same_keys() -> None:
    whole = VENUE.throwaway_credentials("seed")
    for fields in ((ETHEREUM_KEY,), (PRIVATE_KEY,), (PRIVATE_KEY, ACCOUNT)):
        assert keys_of({field: whole[field] for field in fields}, TESTNET) == keys_of(whole, TESTNET)


def test_a_subkey_signs_in_the_name_of_the_main_account() -> None:
    main = VENUE.throwaway_credentials("main")
    subkey = VENUE.throwaway_credentials("another")[PRIVATE_KEY]
    keys = keys_of({PRIVATE_KEY: subkey, ACCOUNT: main[ACCOUNT]}, TESTNET)
    assert hex(keys.account) == main[ACCOUNT]
    assert keys.public_key != keys_of(main, TESTNET).public_key


@pytest.mark.parametrize(
    "wrong", [{}, {PRIVATE_KEY: "hunter2"}, {PRIVATE_KEY: "0x0"}, {ETHEREUM_KEY: "0x" + "f" * 64}]
)
def test_keys_that_are_none_are_a_configuration_error_that_does_not_quote_them(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        codec(wrong)
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint} {caught.value.__cause__}"


def test_no_private_key_shows_anywhere() -> None:
    credentials = VENUE.throwaway_credentials("wire tests")
    said = [repr(CODEC.encode(command, NOW)) for command in COMMANDS.values()]
    said += [repr(CODEC.streams(NOW)), repr(KEYS), repr(CODEC.gate and CODEC.gate.login(NOW))]
    for field in (ETHEREUM_KEY, PRIVATE_KEY):
        forms = (credentials[field][2:], str(int(credentials[field], 16)))
        assert not any(form in text for form in forms for text in said)


# The gate ---------------------------------------------------------------------------------------------------


def token(**claims: int) -> str:
    middle = urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{middle}.c2ln"


def access(body: Any, status: int = 200) -> Access:
    assert CODEC.gate is not None
    return CODEC.gate.decode(HttpResponse(status=status, body=json.dumps(body).encode()), at_ns=NOW.now_ns)


@pytest.mark.parametrize(
    ("text", "lifetime_s"),
    [
        (token(iat=1_790_000_000, exp=1_790_000_300), 300),
        (token(iat=1_790_000_000, exp=1_790_000_100), 100),
        (token(iat=1_790_000_000, exp=1_890_000_000), 300),
        (token(iat=5, exp=1), 300),
        ("opaque", 300),
    ],
)
def test_a_token_is_renewed_after_three_fifths_of_its_life(text: str, lifetime_s: int) -> None:
    lent = access({"jwt_token": text})
    assert lent.token == text
    assert lent.expires_ns == NOW.now_ns + lifetime_s * NS_PER_S
    assert lent.renew_ns == NOW.now_ns + lifetime_s * NS_PER_S * 6 // 10


def test_a_renewal_is_another_login() -> None:
    assert CODEC.gate is not None
    lent = access({"jwt_token": "x"})
    assert CODEC.gate.renewal(lent, NOW) == CODEC.gate.login(NOW)


def test_a_refused_login_says_so_and_an_odd_one_too() -> None:
    for code in ("NOT_ONBOARDED", "INVALID_TOKEN"):
        with pytest.raises(AuthenticationFailed) as caught:
            access({"error": code, "message": "no"}, status=400)
        assert code in caught.value.venue_words
    with pytest.raises(AuthenticationFailed):
        access({"error": "STARKNET_SIGNATURE_VERIFICATION_FAILED", "message": "no"}, status=401)
    with pytest.raises(ProtocolError):
        access({"token": "?"})
