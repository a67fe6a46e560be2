"""Every request an outside client was seen to send: the same signature from our key, and accepted as it came.

eth-account is the judge of what EIP-712 means; the engine itself never imports it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.clock import NS_PER_MS, NS_PER_US
from engine.exchanges.aster.signing import (
    HmacSigner,
    WalletSigner,
    hmac_hex,
    recovered_address,
)
from engine.exchanges.interface import Context, Endpoints
from engine.exchanges.registry import find_venue
from engine.model.commands import CancelOrder, Command, QueryBalances, QueryPosition
from tests.wire.aster import judge, support

Case = dict[str, Any]
VECTORS: list[Case] = json.loads((support.WIRE / "aster" / "vectors.json").read_text())
WALLET = [case for case in VECTORS if "chain_id" in case]
HMAC = [case for case in VECTORS if "chain_id" not in case]


def named(cases: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case["name"])


def plain(signature: str) -> str:
    return signature.lower().removeprefix("0x")


def wallet(case: Case) -> WalletSigner:
    keys = case["keys"]
    return WalletSigner(keys["user"] or keys["signer"], keys["signer_private_key"], case["chain_id"])


def test_there_are_44_vectors_and_each_is_tested_once() -> None:
    assert (len(WALLET), len(HMAC)) == (36, 8)


@named(WALLET)
def test_a_wallets_signature_is_reproduced_and_verified(case: Case) -> None:
    expect, signer = case["expect"], wallet(case)
    assert signer.address == case["keys"]["signer"]
    assert plain(signer.sign(expect["sign_payload"])) == plain(expect["signature"])
    assert (
        recovered_address(expect["sign_payload"], expect["signature"], case["chain_id"]) == signer.address.lower()
    )


@named(WALLET)
def test_what_was_sent_is_what_was_signed(case: Case) -> None:
    """One official demo signs before it percent-encodes."""
    sent = case["expect"]["body_text"] or urlsplit(case["expect"]["url"]).query
    text = sent.partition("&signature=")[0]
    assert case["expect"]["sign_payload"] in (text, unquote(text))


@named(HMAC)
def test_an_hmac_signature_is_reproduced(case: Case) -> None:
    secret = case["keys"]["api_secret"].encode()
    assert hmac_hex(secret, case["expect"]["sign_payload"]) == case["expect"]["signature"]


def test_our_hmac_request_is_signed_over_what_it_sends() -> None:
    request = HmacSigner("key", "secret").request("POST", "/fapi/v1/order", "symbol=BTCUSDT", 1_765_000_000_000_123)
    text, _, signature = request.body.decode().partition("&signature=")
    assert text == "symbol=BTCUSDT&recvWindow=5000&timestamp=1765000000000"
    assert signature == hmac_hex(b"secret", text)


@settings(max_examples=25)
@given(text=st.text(max_size=80), key=st.integers(1, 2**255), chain_id=st.sampled_from([1666, 714]))
def test_eth_account_signs_the_same(text: str, key: int, chain_id: int) -> None:
    private_key = key.to_bytes(32).hex()
    signer = WalletSigner(judge.address(private_key), private_key, chain_id)
    assert signer.address == judge.address(private_key)
    assert plain(signer.sign(text)) == judge.signature(text, private_key, chain_id)


@pytest.mark.parametrize("signature", ["", "0x", "zz", "00" * 65, "ff" * 64 + "1b", "11" * 64 + "05"])
def test_nonsense_is_signed_by_nobody(signature: str) -> None:
    assert recovered_address("a=1", signature, 1666) is None


def test_the_engine_signs_without_eth_account() -> None:
    code = "import sys, engine.exchanges.aster.venue; assert 'eth_account' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# The vectors our commands can express, through the codec itself ---------------------------------------------

THROUGH_THE_CODEC: dict[str, tuple[str, Command]] = {
    "v3_cancel_by_id": ("aster", CancelOrder(leg="main", client_id=1, venue_order_id="2117364602")),
    "v3_spot_cancel": ("aster-spot", CancelOrder(leg="main", client_id=1, venue_order_id="28")),
    "v3_balance": ("aster", QueryBalances(leg="main")),
    "v3_position_risk": ("aster", QueryPosition(leg="main")),
    "v3_spot_account": ("aster-spot", QueryBalances(leg="main")),
    "v1_cancel": ("aster", CancelOrder(leg="main", client_id=1, venue_order_id="283194212")),
    "v1_position_risk": ("aster", QueryPosition(leg="main")),
}


@pytest.mark.parametrize("name", THROUGH_THE_CODEC)
def test_a_command_becomes_the_call_an_outside_client_makes(name: str) -> None:
    case = next(case for case in VECTORS if case["name"] == name)
    venue, command = THROUGH_THE_CODEC[name]
    keys = case["keys"]
    credentials = {"user": keys["user"], "private_key": keys["signer_private_key"]} if "user" in keys else keys
    codec = find_venue(venue).codec(
        leg="main",
        instrument=support.instrument(venue),
        credentials=credentials,
        endpoints=Endpoints(rest_url="https://fapi.asterdex.com", ws_url=""),
    )
    now_ns = case["clock_us"] * NS_PER_US if "clock_us" in case else case["clock_ms"] * NS_PER_MS
    request = codec.encode(command, Context(now_ns=now_ns))
    path, _, query = request.target.partition("?")
    assert (request.method, path) == (case["expect"]["method"], case["expect"]["path"])
    assert _meaning(query + request.body.decode()) == _meaning(
        urlsplit(case["expect"]["url"]).query + (case["expect"]["body_text"] or "")
    )


def _meaning(text: str) -> dict[str, str]:
    """What a call says; order and receive window are each client's own, and so is then the signature."""
    return {name: value for name, value in parse_qsl(text) if name not in ("signature", "recvWindow")}
