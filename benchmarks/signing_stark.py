"""How long one signed Paradex order takes: ours (a whole request, from the command to the bytes), beside the plain
library path (the signature alone, as starknet-py's documentation shows it).

Run by `python -m benchmarks.signing_stark`. Both make the same order in the same process, in turn, and each other's
signatures are not compared but verified: the two libraries draw different numbers for one message.
"""

from __future__ import annotations

import json
from decimal import Decimal
from statistics import median
from time import perf_counter_ns
from typing import Any

import msgspec
from starknet_py.hash.utils import message_signature, verify_message_signature
from starknet_py.utils.typed_data import TypedData

from engine.exchanges.interface import Context, Endpoints
from engine.exchanges.paradex.chains import TESTNET
from engine.exchanges.paradex.keys import keys_of
from engine.exchanges.paradex.venue import VENUE
from engine.exchanges.paradex.wire import NewOrder
from engine.model.commands import SubmitOrder
from engine.model.instrument import Instrument, MarketKind
from engine.model.order import ApprovedOrder, OrderRequest, Side

ROUNDS = 5
OURS_PER_ROUND, PEERS_PER_ROUND = 200, 4
NOW = Context(now_ns=1_790_000_000_000_000_000, token="header.claims.signature")
CREDENTIALS = VENUE.throwaway_credentials("benchmark")
KEYS = keys_of(CREDENTIALS, TESTNET)
FIELDS = ("timestamp", "market", "side", "orderType", "size", "price")


def main() -> None:
    """Print the median of each and their ratio."""
    ours, peers = [], []
    for _ in range(ROUNDS):
        ours += [_timed(our_order, number) for number in range(OURS_PER_ROUND)]
        peers += [_timed(peers_signature, number) for number in range(PEERS_PER_ROUND)]
    check()
    ours_us, peers_us = median(ours) / 1_000, median(peers) / 1_000
    print(f"Stark order, ours      {ours_us:10.0f} us  command to request bytes, fast-stark-crypto")
    print(f"Stark order, peer      {peers_us:10.0f} us  hash and signature alone, starknet-py")
    print(f"ratio                  {peers_us / ours_us:10.1f}")


def our_order(number: int) -> bytes:
    """A signed order as it leaves."""
    order = OrderRequest(
        leg="main", client_id=number, slot="bid.0", side=Side.BUY, ticks=142_317 + number, lots=150, post_only=True
    )
    return _CODEC.encode(SubmitOrder(leg="main", order=ApprovedOrder(request=order)), NOW).body


def peers_signature(number: int) -> list[int]:
    """The same order's signature by the book."""
    digest = TypedData.from_dict(_typed_data(str((142_317 + number) * 100_000))).message_hash(KEYS.account)
    r, s = message_signature(digest, KEYS.private_key)
    return [int(r), int(s)]


def check() -> None:
    """What we signed is what starknet-py would have signed."""
    new = msgspec.json.decode(our_order(7), type=NewOrder)
    digest = TypedData.from_dict(_typed_data(str(142_324 * 100_000))).message_hash(KEYS.account)
    signature = [int(part) for part in json.loads(new.signature)]
    assert verify_message_signature(digest, signature, KEYS.public_key)


def _typed_data(price: str) -> Any:
    values = (str(NOW.now_ns // 1_000_000), "SOL-USD-PERP", "1", "LIMIT", "150000000", price)
    domain = ("name", "chainId", "version")
    return {
        "types": {
            "StarkNetDomain": [{"name": name, "type": "felt"} for name in domain],
            "Order": [{"name": name, "type": "felt"} for name in FIELDS],
        },
        "primaryType": "Order",
        "domain": {"name": "Paradex", "chainId": hex(int.from_bytes(TESTNET.chain_id.encode())), "version": "1"},
        "message": dict(zip(FIELDS, values, strict=True)),
    }


def _timed(work: Any, number: int) -> int:
    began_ns = perf_counter_ns()
    work(number)
    return perf_counter_ns() - began_ns


_CODEC = VENUE.codec(
    leg="main",
    instrument=Instrument(
        venue="paradex",
        symbol="SOL-USD-PERP",
        kind=MarketKind.PERP,
        base="SOL",
        quote="USDC",
        tick_size=Decimal("0.001"),
        lot_size=Decimal("0.01"),
        min_size=Decimal("0.01"),
    ),
    credentials=CREDENTIALS,
    endpoints=Endpoints(rest_url="http://127.0.0.1", ws_url="ws://127.0.0.1/"),
)


if __name__ == "__main__":
    main()
