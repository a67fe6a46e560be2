"""StarkNet typed data, revision 0: everything Paradex wants signed, as one number to sign.

A hash is a chain of Pedersen steps over the fields. What never changes at the head of a chain (type, domain,
account) is hashed once, which leaves nine steps for an order.
"""

from __future__ import annotations

from collections.abc import Iterable

from Crypto.Hash import keccak
from fast_stark_crypto import pedersen_hash

SHORT_STRING_MAX = 31
"""Bytes of text that fit a field; longer market names cannot be signed."""

_PREFIX = "StarkNet Message"
_KECCAK_MASK = (1 << 250) - 1


def keccak256(data: bytes) -> bytes:
    """Ethereum's hash, which is not SHA3-256 although it looks like it."""
    return keccak.new(digest_bits=256, data=data).digest()


def starknet_keccak(text: str) -> int:
    """Names of types and functions as fields."""
    return int.from_bytes(keccak256(text.encode())) & _KECCAK_MASK


def felt(text: str) -> int:
    """A text as a field: hexadecimal, decimal, or up to 31 letters as they stand. ValueError for longer ones."""
    if text.startswith("0x"):
        return int(text, 16)
    if text.isdecimal():
        return int(text)
    if len(text) > SHORT_STRING_MAX:
        raise ValueError(f"{text!r} is longer than the {SHORT_STRING_MAX} letters that can be signed")
    return int.from_bytes(text.encode("ascii"))


def hash_list(values: Iterable[int]) -> int:
    """Pedersen over a list: the chain from 0, closed by the length."""
    listed = tuple(values)
    return _chained(0, (*listed, len(listed)))


class StructType:
    """One type of typed data, all of whose fields are felts: `Order(timestamp:felt,…)`."""

    def __init__(self, name: str, *fields: str) -> None:
        described = ",".join(f"{field}:felt" for field in fields)
        self._head = pedersen_hash(0, starknet_keccak(f"{name}({described})"))
        self._length = len(fields) + 1

    def hash(self, *values: int) -> int:
        return pedersen_hash(_chained(self._head, values), self._length)


DOMAIN = StructType("StarkNetDomain", "name", "chainId", "version")
CONSTANT = StructType("Constant", "action")
REQUEST = StructType("Request", "method", "path", "body", "timestamp", "expiration")
ORDER = StructType("Order", "timestamp", "market", "side", "orderType", "size", "price")
MODIFY_ORDER = StructType("ModifyOrder", "timestamp", "market", "side", "orderType", "size", "price", "id")


class Messages:
    """Messages of one account on one chain."""

    def __init__(self, chain_id: str, account: int) -> None:
        domain = DOMAIN.hash(felt("Paradex"), felt(chain_id), 1)
        self._head = _chained(0, (felt(_PREFIX), domain, account))

    def hash(self, struct: int) -> int:
        """What is signed for one struct."""
        return _chained(self._head, (struct, 4))


def _chained(start: int, values: Iterable[int]) -> int:
    for value in values:
        start = pedersen_hash(start, value)
    return start
