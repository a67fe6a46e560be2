"""One contest a venue: a whole signed order by the engine's codec, and the same by the library one would take.

Before anything is timed, each contest makes sure that the two sign the same thing: equal bytes where signing is
deterministic, else the library itself accepts what we signed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.exchanges.interface import Codec, Context, Credentials, Endpoints
from engine.exchanges.messages import HttpRequest
from engine.exchanges.registry import find_venue
from engine.model.commands import SubmitOrder
from engine.model.instrument import Instrument
from engine.model.order import ApprovedOrder, OrderRequest, Side
from engine.sim.venues import simulated_markets

NOW_NS = 1_790_000_000_000_000_000
NOW = Context(now_ns=NOW_NS, nonce=1_790_000_000_000_000, token="header.claims.signature")
LOOPBACK = Endpoints(rest_url="http://127.0.0.1", ws_url="ws://127.0.0.1/")
REQUEST = OrderRequest(leg="main", client_id=1 << 24, slot="bid.0", side=Side.BUY, ticks=86_700, lots=150)
COMMAND = SubmitOrder(leg="main", order=ApprovedOrder(request=REQUEST))

Sign = Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class Contest:
    """`at_least` is how many times faster the engine's way is promised to be; 0 promises nothing."""

    venue: str
    library: str
    ours: Sign
    theirs: Sign
    at_least: float


def contests() -> tuple[Contest, ...]:
    return backpack(), aster(), paradex(), lighter()


def backpack() -> Contest:
    """Ed25519: the official SDK's request, with its body as text."""
    from bpx.base.base_account import BaseAccount

    instrument, codec, keys = _codec("backpack", "SOL_USDC_PERP")
    account = BaseAccount(keys["api_key"], keys["api_secret"], window=5_000, debug=False)
    price, size = instrument.price_text(REQUEST.ticks), instrument.size_text(REQUEST.lots)

    def theirs() -> object:
        asked = account.execute_order(
            instrument.symbol, "Bid", "Limit", "GTC", size, price=price, client_id=REQUEST.client_id
        )
        return asked.headers, json.dumps(asked.data)

    ours = json.loads(_request(codec).body)
    _agree(ours["price"] == price and ours["quantity"] == size)
    return Contest(venue="backpack", library="bpx-py", ours=lambda: _request(codec), theirs=theirs, at_least=0)


def aster() -> Contest:
    """EIP-712: eth-account, with the pure-Python backend that it has without coincurve."""
    from eth_account import Account
    from eth_account.messages import encode_typed_data

    _, codec, keys = _codec("aster", "BTCUSDT")
    text, _, signature = _request(codec).body.decode().partition("&signature=")
    os.environ["ECC_BACKEND_CLASS"] = "eth_keys.backends.NativeECCBackend"  # Looked up for every single key.
    accounts = Account()
    domain = {"name": "AsterSignTransaction", "version": "1", "chainId": 1666, "verifyingContract": "0x" + "0" * 40}
    types = {"Message": [{"name": "msg", "type": "string"}]}

    def theirs() -> Any:
        message = encode_typed_data(domain, types, {"msg": text})
        return accounts.sign_message(message, keys["private_key"])

    _agree(theirs().signature.hex() == signature.removeprefix("0x"))
    library = "eth-account without coincurve"
    return Contest(venue="aster", library=library, ours=lambda: _request(codec), theirs=theirs, at_least=8)


def paradex() -> Contest:
    """Stark curve: the typed data and signature as starknet-py's documentation shows them."""
    from starknet_py.hash.utils import message_signature, verify_message_signature
    from starknet_py.utils.typed_data import TypedData

    from engine.exchanges.paradex.chains import TESTNET
    from engine.exchanges.paradex.keys import keys_of

    instrument, codec, credentials = _codec("paradex", "SOL-USD-PERP")
    keys, typed = keys_of(credentials, TESTNET), _stark_order(instrument, TESTNET.chain_id)

    def theirs() -> object:
        digest = TypedData.from_dict(typed).message_hash(keys.account)
        return message_signature(digest, keys.private_key)

    signed = [int(part) for part in json.loads(json.loads(_request(codec).body)["signature"])]
    digest = TypedData.from_dict(typed).message_hash(keys.account)
    _agree(verify_message_signature(digest, signed, keys.public_key))
    return Contest(
        venue="paradex", library="starknet-py", ours=lambda: _request(codec), theirs=theirs, at_least=100
    )


def lighter() -> Contest:
    """Schnorr over ECgFp5: the official SDK, which drives the same native library."""
    from lighter.signer_client import SignerClient, get_signer

    _, codec, keys = _codec("lighter", "SOL")
    account, key = int(keys["account_index"]), int(keys["api_key_index"])

    class Offline(SignerClient):
        """Without the venue, which the SDK asks for its nonce when it is made."""

        def __init__(self) -> None:
            self.url, self.chain_id, self.account_index = LOOPBACK.rest_url, 304, account
            self.api_key_dict = {key: keys["api_private_key"]}
            self.signer = get_signer()  # type: ignore[no-untyped-call]  # the SDK's functions carry no types
            self.create_client(key)  # type: ignore[no-untyped-call]

    client = Offline()

    def theirs() -> Any:
        return client.sign_create_order(
            2, REQUEST.client_id, REQUEST.lots, REQUEST.ticks, False, 0, 1, nonce=7, api_key_index=key
        )

    _agree(theirs()[-1] is None)
    return Contest(venue="lighter", library="lighter-sdk", ours=lambda: _request(codec), theirs=theirs, at_least=0)


def _codec(venue: str, symbol: str) -> tuple[Instrument, Codec, Credentials]:
    found = find_venue(venue)
    keys = found.throwaway_credentials("benchmark")
    instrument = next(market for market in simulated_markets(venue) or () if market.symbol == symbol)
    return instrument, found.codec(leg="main", instrument=instrument, credentials=keys, endpoints=LOOPBACK), keys


def _request(codec: Codec) -> HttpRequest:
    return codec.encode(COMMAND, NOW)


def _stark_order(instrument: Instrument, chain_id: str) -> Any:
    quanta = (str(int(value * 10**8)) for value in (instrument.size(REQUEST.lots), instrument.price(REQUEST.ticks)))
    values = (str(NOW_NS // 1_000_000), instrument.symbol, "1", "LIMIT", *quanta)
    fields = ("timestamp", "market", "side", "orderType", "size", "price")
    return {
        "types": {
            "StarkNetDomain": [{"name": name, "type": "felt"} for name in ("name", "chainId", "version")],
            "Order": [{"name": name, "type": "felt"} for name in fields],
        },
        "primaryType": "Order",
        "domain": {"name": "Paradex", "chainId": hex(int.from_bytes(chain_id.encode())), "version": "1"},
        "message": dict(zip(fields, values, strict=True)),
    }


def _agree(is_so: bool) -> None:
    """A contest between two that sign different things would mean nothing."""
    if not is_so:
        raise SystemExit("the two sides of a contest do not sign the same order")
