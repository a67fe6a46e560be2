"""Every request the official SDK was seen to make, made again: hashes equal, signatures good, bodies the same."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from engine.exchanges.interface import Context
from engine.exchanges.paradex import typed_data, wire
from engine.exchanges.paradex.chains import MAINNET, TESTNET, Chain
from engine.exchanges.paradex.keys import ETHEREUM_KEY, StarkKeys, ethereum_address, keys_of
from engine.exchanges.paradex.signing import (
    OrderTerms,
    Signer,
    Verifier,
    login_struct,
    onboarding_struct,
    order_struct,
)
from engine.exchanges.paradex.typed_data import Messages
from engine.sim.paradex.orders import terms_of
from tests.late import late
from tests.wire.paradex.support import HERE, codec

stark, stark_typed = late("starknet_py.hash.utils"), late("starknet_py.utils.typed_data")

Case = dict[str, Any]

VECTORS = {case["name"]: case for case in json.loads((HERE / "vectors.json").read_text())["cases"]}
KEYS = [case for case in VECTORS.values() if case["kind"] == "key_derivation"]
SIGNED = [case for case in VECTORS.values() if "typed_data" in case and case["kind"] in ("http", "ws", "negative")]
ORDERS = [case for case in SIGNED if case["typed_data"]["primaryType"] in ("Order", "ModifyOrder")]
LOGINS = [case for case in SIGNED if case.get("intent", {}).get("op") == "auth"]
BATCHES = [case for case in VECTORS.values() if case.get("intent", {}).get("op") == "create_batch"]


def named(found: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", found, ids=lambda case: case["name"])


def chain(case: Case) -> Chain:
    main = VECTORS[f"{case['key_ref']}-derive-key"]
    return MAINNET if main["env"] == "prod" else TESTNET


def keys(case: Case) -> StarkKeys:
    """The main key, or the case's own subkey, which signs in the main account's name."""
    own = case.get("keys") or VECTORS[f"{case['key_ref']}-derive-key"]["keys"]
    return StarkKeys(
        private_key=int(own["l2_private_key"], 16),
        public_key=int(own["l2_public_key"], 16),
        account=int(own["l2_address"], 16),
    )


def signature_text(case: Case) -> str:
    return json.dumps(case["signature"])


def struct(case: Case) -> int:
    """Our hash of what the case signs."""
    message, kind = case["typed_data"]["message"], case["typed_data"]["primaryType"]
    if kind == "Constant":
        return onboarding_struct()
    if kind == "Request":
        return login_struct(int(message["timestamp"]), int(message["expiration"]))
    values = [typed_data.felt(str(value)) for value in message.values()]
    return (typed_data.ORDER if kind == "Order" else typed_data.MODIFY_ORDER).hash(*values)


@named(KEYS)
def test_a_stark_key_and_its_account_are_derived_from_an_ethereum_key(case: Case) -> None:
    derived = keys_of({ETHEREUM_KEY: case["keys"]["l1_private_key"]}, chain(case))
    expected = case["expected"]
    assert hex(derived.private_key) == expected["l2_private_key"]
    assert hex(derived.public_key) == expected["l2_public_key"]
    assert hex(derived.account) == expected["l2_address"]
    assert ethereum_address(int(case["keys"]["l1_private_key"], 16)) == case["keys"]["l1_address"].lower()


@named(SIGNED)
def test_what_is_signed_hashes_as_starknet_py_and_the_sdk_hash_it(case: Case) -> None:
    ours = Messages(chain(case).chain_id, keys(case).account).hash(struct(case))
    assert ours == stark_typed.TypedData.from_dict(case["typed_data"]).message_hash(keys(case).account)
    assert hex(ours) == case.get("message_hash", hex(ours))


@named(SIGNED)
def test_the_sdks_signature_is_accepted_and_that_of_another_message_is_not(case: Case) -> None:
    is_valid = case.get("expected", {}).get("signature_valid", True)
    verifier = Verifier(keys(case).account, chain(case))
    assert verifier.accepts(keys(case).public_key, struct(case), signature_text(case)) is is_valid
    assert not verifier.accepts(keys(case).public_key, struct(case) + 1, signature_text(case))


@named(SIGNED)
def test_both_ways_of_writing_a_signature_are_read(case: Case) -> None:
    is_valid = case.get("expected", {}).get("signature_valid", True)
    in_hex = json.dumps([hex(int(part)) for part in case["signature"]])
    verifier = Verifier(keys(case).account, chain(case))
    assert verifier.accepts(keys(case).public_key, struct(case), in_hex) is is_valid


@named([case for case in ORDERS if case["kind"] != "negative"])
def test_our_signature_of_an_order_is_accepted_by_starknet_py(case: Case) -> None:
    new = msgspec.convert(
        case["request"]["body"] if case["kind"] == "http" else case["frames"][0]["params"], wire.NewOrder
    )
    terms = terms_of(new)
    if case["typed_data"]["primaryType"] == "ModifyOrder":
        terms = msgspec.structs.replace(terms, order_id=str(new.id))
    assert order_struct(terms) == struct(case)
    signature = [int(part) for part in json.loads(Signer(keys(case), chain(case)).order(terms))]
    digest = stark_typed.TypedData.from_dict(case["typed_data"]).message_hash(keys(case).account)
    assert stark.verify_message_signature(digest, signature, keys(case).public_key)


@named([case for case in VECTORS.values() if case.get("intent", {}).get("op") in ("create_order", "modify_order")])
def test_an_orders_body_is_read_and_written_without_loss(case: Case) -> None:
    body = case["request"]["body"] if case["kind"] == "http" else case["frames"][0]["params"]
    again = json.loads(msgspec.json.encode(msgspec.convert(body, wire.NewOrder)))
    assert again == body


@named(BATCHES)
def test_every_order_of_a_batch_is_well_signed(case: Case) -> None:
    verifier = Verifier(keys(case).account, chain(case))
    for body in case["request"]["body"]:
        new = msgspec.convert(body, wire.NewOrder)
        assert verifier.accepts(keys(case).public_key, order_struct(terms_of(new)), new.signature)


@named(LOGINS)
def test_a_login_is_reproduced_but_for_its_signature(case: Case) -> None:
    message = case["typed_data"]["message"]
    lifetime_s = message["expiration"] - message["timestamp"]
    request = Signer(keys(case), chain(case)).login(message["timestamp"], lifetime_s)
    path = case["request"]["url"].split(".trade", 1)[1].partition("?")[0]
    assert (request.method, request.target) == (case["request"]["method"], path)
    headers = {name.lower(): value for name, value in request.headers}
    signature = headers.pop("paradex-starknet-signature")
    assert headers == {name: case["request"]["headers"][name] for name in headers}
    assert Verifier(keys(case).account, chain(case)).accepts(keys(case).public_key, struct(case), signature)


@named([case for case in VECTORS.values() if case.get("intent", {}).get("op") == "onboard"])
def test_onboarding_is_reproduced_but_for_its_signature_and_capitals(case: Case) -> None:
    main = VECTORS[f"{case['key_ref']}-derive-key"]["keys"]
    request = Signer(keys(case), chain(case)).onboarding(int(main["l1_private_key"], 16))
    headers = {name.lower(): value for name, value in request.headers}
    signature = headers.pop("paradex-starknet-signature")
    expected = {name: case["request"]["headers"][name] for name in headers}
    assert {name: value.lower() for name, value in headers.items()} == {n: v.lower() for n, v in expected.items()}
    assert json.loads(request.body) == case["request"]["body"]
    assert Verifier(keys(case).account, chain(case)).accepts(keys(case).public_key, struct(case), signature)


def test_a_market_whose_name_is_too_long_cannot_be_signed() -> None:
    terms = OrderTerms(market="A" * 32, side="BUY", kind="LIMIT", size="1", price="1", timestamp_ms=1)
    with pytest.raises(ValueError, match="longer"):
        order_struct(terms)


def test_the_sockets_say_what_the_sdk_says() -> None:
    account, market = codec().streams(Context(now_ns=1, token="opaque-test-token"))
    said = [json.loads(frame) for frame in (*account.frames, *market.frames)]
    sdk = VECTORS["pA-ws-connect-direct"]["frames"][0]
    assert {**said[0], "id": sdk["id"]} == sdk
    assert [frame["params"] for frame in said[1:]] == [
        {"channel": "fills.SOL-USD-PERP"},
        {"channel": "orders.SOL-USD-PERP"},
        {"channel": "positions"},
        {"channel": "account"},
        {"channel": "funding_payments.SOL-USD-PERP"},
        {"channel": "order_book.SOL-USD-PERP.snapshot@15@50ms"},
        {"channel": "markets_summary.SOL-USD-PERP"},
    ]
    assert all(set(frame) == set(sdk) for frame in said)
