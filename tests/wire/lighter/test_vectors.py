"""Every case an outside signer left: its hash computed again, its signature verified, its request made again."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest

from engine.errors import ConfigInvalid, NotSent
from engine.exchanges.interface import Codec, Context, Endpoints
from engine.exchanges.lighter import native, schnorr
from engine.exchanges.lighter.field import Element
from engine.exchanges.lighter.options import LighterOptions
from engine.exchanges.lighter.signing import ApiKey, NativeSigner, PythonSigner, Signer
from engine.exchanges.lighter.transactions import (
    CancelAllTime,
    NewOrder,
    OrderTime,
    OrderType,
    SignedTransaction,
    text_hash,
    transaction_hash,
)
from engine.exchanges.lighter.venue import Lighter
from engine.model.commands import CancelOrder, Command, QueryFills, QueryOpenOrders, QueryOrderHistory, SubmitOrder
from engine.model.order import ApprovedOrder, OrderRequest, Side, TimeInForce
from tests.wire.lighter.support import KEYS, VECTORS, api_key, instrument

Case = dict[str, Any]
NOW_NS = 1_795_346_190_000_000_000
ONE_BY_ONE = [case for case in VECTORS.values() if "tx_info" in case.get("expected", {})]
ORDERS = [case for case in ONE_BY_ONE if case["expected"]["tx_type"] == 14]
PLAIN_ORDERS = [
    case
    for case in ORDERS
    if case["expected"]["tx_info"]["L2TxAttributes"] is None and not case["expected"]["tx_info"]["TriggerPrice"]
]
CANCELS = [case for case in ONE_BY_ONE if case["intent"]["op"] == "cancel_order"]
NATIVE = pytest.mark.skipif(native.load() is None, reason="lighter-sdk is not installed for this machine")
SIGNERS = [pytest.param(PythonSigner, id="python"), pytest.param(NativeSigner, id="native", marks=NATIVE)]


def of_kind(kind: str) -> list[Case]:
    return [case for case in VECTORS.values() if case["kind"] == kind]


def named(cases: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case["name"])


def public(ref: str) -> bytes:
    return bytes.fromhex(KEYS[ref]["api_public_key"])


def chain(ref: str) -> int:
    return int(KEYS[ref]["chain_id"])


def verified(ref: str, hashed: Element, info: Case) -> bool:
    return schnorr.verify(public(ref), hashed, schnorr.from_base64(info["Sig"]))


def test_there_are_51_vectors() -> None:
    assert len(VECTORS) == 51


@named(of_kind("key"))
def test_a_public_key_is_derived(case: Case) -> None:
    assert schnorr.public_key(api_key(case["key_ref"]).secret).hex() == case["expected"]["api_public_key"]


@named(ONE_BY_ONE)
def test_a_transaction_is_hashed_and_verified(case: Case) -> None:
    expected, ref = case["expected"], case["key_ref"]
    hashed = transaction_hash(chain(ref), expected["tx_type"], expected["tx_info"])
    assert schnorr.element_bytes(hashed).hex() == expected["tx_hash"]
    assert verified(ref, hashed, expected["tx_info"])


def test_a_batch_is_hashed_and_verified_one_by_one() -> None:
    expected = VECTORS["lA-batch"]["expected"]
    hashes = expected.get("tx_hash") or expected["tx_hashes"]
    for tx_type, info, tx_hash in zip(expected["tx_types"], expected["tx_infos"], hashes, strict=True):
        hashed = transaction_hash(chain("lA"), tx_type, info)
        assert schnorr.element_bytes(hashed).hex() == tx_hash
        assert verified("lA", hashed, info)


@named(of_kind("negative"))
def test_a_changed_transaction_is_not_verified(case: Case) -> None:
    said = case["input"]
    hashed = transaction_hash(case["chain_id"], said["tx_type"], said["tx_info"])
    assert not verified(case["key_ref"], hashed, said["tx_info"])


@named(of_kind("auth_token"))
def test_an_auth_token_is_hashed_and_verified(case: Case) -> None:
    expected = case["expected"]
    message, _, signature = expected["example_token"].rpartition(":")
    assert message == expected["message"]
    assert schnorr.element_bytes(text_hash(message)).hex() == expected["message_hash"]
    assert schnorr.verify(public(case["key_ref"]), text_hash(message), bytes.fromhex(signature))


@named(of_kind("schnorr_fixed_k"))
def test_an_official_signature_is_reproduced(case: Case) -> None:
    said, expected = case["input"], case["expected"]
    secret = int(said["secret_scalar"])
    message = schnorr.element_of(bytes.fromhex(said["hashed_message"]))
    assert message is not None
    assert schnorr.public_key(secret).hex() == expected["public_key"]
    signature = schnorr.sign_with(secret, message, int(said["k"]))
    assert signature.hex() == expected["signature"]
    for verify in (schnorr.verify, schnorr.verify_once):
        assert verify(bytes.fromhex(expected["public_key"]), message, signature)
        assert not verify(bytes.fromhex(expected["public_key"]), message, signature[:-1] + b"\x00")


# Our signers -------------------------------------------------------------------------------------------------


def order_of(info: Case) -> NewOrder:
    return NewOrder(
        market_index=info["MarketIndex"],
        client_order_index=info["ClientOrderIndex"],
        base_amount=info["BaseAmount"],
        price=info["Price"],
        is_ask=bool(info["IsAsk"]),
        type=OrderType(info["Type"]),
        time_in_force=OrderTime(info["TimeInForce"]),
        reduce_only=bool(info["ReduceOnly"]),
        expiry_ms=info["OrderExpiry"],
    )


def assert_signed(signed: SignedTransaction, case: Case) -> None:
    """The same fields but for time and signature, and the signature is good."""
    info, expected = json.loads(signed.tx_info), case["expected"]
    changing = {"Sig", "ExpiredAt"}
    assert signed.tx_type == expected["tx_type"]
    assert {key: info[key] for key in info.keys() - changing} == {
        key: expected["tx_info"][key] for key in expected["tx_info"].keys() - changing
    }
    hashed = transaction_hash(chain(case["key_ref"]), signed.tx_type, info)
    assert verified(case["key_ref"], hashed, info)


@pytest.mark.parametrize("make", SIGNERS)
@named(PLAIN_ORDERS)
def test_an_order_is_signed_as_the_outside_signer_did(make: type[Signer], case: Case) -> None:
    info = case["expected"]["tx_info"]
    signer = make(api_key(case["key_ref"]))  # type: ignore[call-arg]  # a protocol has no constructor
    assert_signed(signer.create_order(order_of(info), nonce=info["Nonce"], now_ns=NOW_NS), case)


@pytest.mark.parametrize("make", SIGNERS)
@named(CANCELS)
def test_a_cancel_is_signed_as_the_outside_signer_did(make: type[Signer], case: Case) -> None:
    info = case["expected"]["tx_info"]
    signer = make(api_key(case["key_ref"]))  # type: ignore[call-arg]
    signed = signer.cancel_order(info["MarketIndex"], info["Index"], nonce=info["Nonce"], now_ns=NOW_NS)
    assert_signed(signed, case)


@pytest.mark.parametrize("make", SIGNERS)
@pytest.mark.parametrize("name", ["lA-cancel-all-now", "lA-cancel-all-scheduled", "lA-cancel-all-abort"])
def test_a_cancel_all_is_signed_as_the_outside_signer_did(make: type[Signer], name: str) -> None:
    info = VECTORS[name]["expected"]["tx_info"]
    signer = make(api_key("lA"))  # type: ignore[call-arg]
    when = CancelAllTime(info["TimeInForce"])
    signed = signer.cancel_all_orders(when, info["Time"], nonce=info["Nonce"], now_ns=NOW_NS)
    assert_signed(signed, VECTORS[name])


@pytest.mark.parametrize("make", SIGNERS)
def test_an_auth_token_of_ours_is_good(make: type[Signer]) -> None:
    token = make(api_key("lA")).auth_token(1_790_000_600)  # type: ignore[call-arg]
    message, _, signature = token.rpartition(":")
    assert message == VECTORS["lA-auth-token-0"]["expected"]["message"]
    assert schnorr.verify(public("lA"), text_hash(message), bytes.fromhex(signature))


def test_signing_in_python_repeats_its_bytes() -> None:
    order = order_of(PLAIN_ORDERS[0]["expected"]["tx_info"])
    one, other = (PythonSigner(api_key("lA")).create_order(order, nonce=7, now_ns=NOW_NS) for _ in range(2))
    assert one == other


@pytest.mark.parametrize("make", SIGNERS)
@pytest.mark.parametrize("wrong", [{"price": -1}, {"price": 1 << 32}, {"base_amount": 0}, {"base_amount": 1 << 48}])
def test_a_number_without_room_is_not_cut_off_and_sent(make: type[Signer], wrong: dict[str, int]) -> None:
    order = msgspec.structs.replace(order_of(PLAIN_ORDERS[0]["expected"]["tx_info"]), **wrong)
    with pytest.raises(NotSent):
        make(api_key("lA")).create_order(order, nonce=7, now_ns=NOW_NS)  # type: ignore[call-arg]


@pytest.mark.parametrize("text", ["", "zz", "00" * 40, "ff" * 40, "01"])
def test_a_key_that_is_none_is_a_configuration_error_that_does_not_show_it(text: str) -> None:
    key = ApiKey(chain_id=304, account_index=1, api_key_index=4, private_key=text)
    with pytest.raises(ConfigInvalid) as caught:
        _ = key.secret
    assert not text or text not in str(caught.value)


def test_a_printed_key_shows_no_secret() -> None:
    assert KEYS["lA"]["api_private_key"] not in repr(api_key("lA"))


# The self-check ----------------------------------------------------------------------------------------------


class _Swapping(native.Key):
    """A library whose arguments have moved: client index and size change places."""

    def __init__(self, *owner: Any) -> None:
        self._python = PythonSigner(
            ApiKey(chain_id=owner[0], account_index=owner[1], api_key_index=owner[2], private_key=owner[3])
        )

    def create_order(self, order: NewOrder, *, nonce: int) -> SignedTransaction:
        moved = msgspec.structs.replace(
            order, client_order_index=order.base_amount, base_amount=order.client_order_index
        )
        return self._python.create_order(moved, nonce=nonce, now_ns=NOW_NS)


class _Lying(_Swapping):
    """A library that signs something else than it shows."""

    def create_order(self, order: NewOrder, *, nonce: int) -> SignedTransaction:
        signed = self._python.create_order(order, nonce=nonce, now_ns=NOW_NS)
        other = self._python.create_order(order, nonce=nonce + 1, now_ns=NOW_NS)
        info = json.loads(signed.tx_info) | {"Sig": json.loads(other.tx_info)["Sig"]}
        return SignedTransaction(tx_type=14, tx_info=json.dumps(info))


@pytest.mark.parametrize("library", [_Swapping, _Lying])
def test_a_native_signer_that_signs_something_else_is_refused(library: Any) -> None:
    with pytest.raises(ConfigInvalid, match="self-check"):
        native.check(library)


@NATIVE
def test_a_version_nobody_compared_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "PINNED_VERSIONS", frozenset({"0.0.1"}))
    with pytest.raises(ConfigInvalid, match="never compared"):
        native.load.__wrapped__()


# Through the codec -------------------------------------------------------------------------------------------


def codec(ref: str = "lA", index: int | None = None) -> Codec:
    keys = KEYS[ref]
    market = msgspec.structs.replace(instrument(), venue_code=str(index or 0))
    return Lighter(LighterOptions(tx_lifetime_s=10)).codec(
        leg="main",
        instrument=market,
        credentials={
            "account_index": str(keys["account_index"]),
            "api_key_index": "4",
            "api_private_key": keys["api_private_key"],
        },
        endpoints=Endpoints(rest_url="https://mainnet.example", ws_url=""),
    )


SENT = {
    "lA-create-limit-post-only": ({"post_only": True}, Side.SELL),
    "lA-create-limit-ioc": ({"time_in_force": TimeInForce.IOC}, Side.BUY),
    "lA-create-limit-reduce-only": ({"reduce_only": True}, Side.SELL),
}


@pytest.mark.parametrize("name", SENT)
def test_a_command_becomes_the_transaction_an_outside_client_sends(name: str) -> None:
    flags, side = SENT[name]
    info = VECTORS[name]["expected"]["tx_info"]
    request = OrderRequest(
        leg="main",
        client_id=info["ClientOrderIndex"],
        slot="x",
        side=side,
        ticks=info["Price"],
        lots=info["BaseAmount"],
        **flags,
    )
    command = SubmitOrder(leg="main", order=ApprovedOrder(request=request))
    sent = codec(index=info["MarketIndex"]).encode(command, Context(now_ns=NOW_NS, nonce=info["Nonce"]))
    assert (sent.method, sent.target) == ("POST", "/api/v1/sendTx")
    form = dict(parse_qsl(sent.body.decode()))
    said = json.loads(form["tx_info"])
    changing = {"Sig", "ExpiredAt", "ApiKeyIndex", "OrderExpiry"}
    assert form["tx_type"] == "14"
    assert {k: said[k] for k in said.keys() - changing} == {k: info[k] for k in info.keys() - changing}
    assert (said["OrderExpiry"] == 0) == (info["OrderExpiry"] == 0)
    assert said["ExpiredAt"] == NOW_NS // 1_000_000 + 10_000


READS: dict[str, Command] = {
    "lA-get-active-orders": QueryOpenOrders(leg="main"),
    "lA-get-inactive-orders": QueryOrderHistory(leg="main", since_ns=0),
    "lA-get-trades": QueryFills(leg="main", since_ns=0),
}


@pytest.mark.parametrize("name", READS)
def test_a_private_read_goes_where_an_outside_client_asks_with_a_token(name: str) -> None:
    expected = VECTORS[name]["request"]
    request = codec().encode(READS[name], Context(now_ns=NOW_NS))
    path, _, query = request.target.partition("?")
    assert (request.method, path) == (expected["method"], expected["path"])
    asked = dict(parse_qsl(query))
    assert asked["account_index"] == dict(expected["query"])["account_index"]
    assert request.headers[0][0] == "authorization"
    assert request.headers[0][1].startswith(f"{NOW_NS // 10**9 + 7 * 3600}:65432:4:")


def test_the_next_nonce_is_asked_as_an_outside_client_does() -> None:
    source = codec().nonce_source
    assert source is not None
    path, _, query = source.request(Context(now_ns=0)).target.partition("?")
    assert path == VECTORS["lA-get-next-nonce"]["request"]["path"]
    assert dict(parse_qsl(query)) == {"account_index": "65432", "api_key_index": "4"}


def test_a_cancel_without_a_nonce_is_not_sent() -> None:
    with pytest.raises(NotSent):
        codec().encode(CancelOrder(leg="main", client_id=7, venue_order_id=None), Context(now_ns=NOW_NS))
