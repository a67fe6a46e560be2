"""Schnorr signatures over ECgFp5 with Poseidon2, as Lighter verifies them. A signature is s and e, 40 bytes each.

Signing draws no randomness: k comes from the key and the message, as in RFC 6979, so that the same transaction
always has the same bytes.
"""

from __future__ import annotations

import hmac
from binascii import a2b_base64
from functools import lru_cache

from engine.exchanges.lighter.curve import (
    GENERATOR,
    KEY_WINDOW_BITS,
    ORDER,
    Multiples,
    Point,
    decode,
    encode,
    generator,
    plus,
    times,
)
from engine.exchanges.lighter.field import Element, P
from engine.exchanges.lighter.poseidon import hash5

NUMBER_BYTES = 40
SIGNATURE_BYTES = 2 * NUMBER_BYTES
KEYS_KEPT = 256
"""Tables of public keys kept; one takes a seventh of a second to make."""


def public_key(secret: int) -> bytes:
    """The public key of a secret scalar, 40 bytes."""
    return element_bytes(encode(times(GENERATOR, secret)))


def sign(secret: int, message: Element) -> bytes:
    """Sign five field elements."""
    return sign_with(secret, message, _nonce(secret, message))


def sign_with(secret: int, message: Element, k: int) -> bytes:
    """Sign with a given k; only for `sign`, and for tests against published vectors."""
    e = _challenge(encode(generator().times(k)), message)
    s = (k - e * secret) % ORDER
    return s.to_bytes(NUMBER_BYTES, "little") + e.to_bytes(NUMBER_BYTES, "little")


def verify(key: bytes, message: Element, signature: bytes) -> bool:
    """Whether the holder of a public key signed the message. Fast for keys seen before."""
    multiples, numbers = _multiples(key), _numbers(signature)
    if multiples is None or numbers is None:
        return False
    s, e = numbers
    return e == _challenge(encode(plus(generator().times(s), multiples.times(e))), message)


def verify_once(key: bytes, message: Element, signature: bytes) -> bool:
    """The same without any table: slower, but nothing to make first."""
    point, numbers = _point(key), _numbers(signature)
    if point is None or numbers is None:
        return False
    s, e = numbers
    return e == _challenge(encode(plus(times(GENERATOR, s), times(point, e))), message)


def from_base64(text: str) -> bytes:
    """The bytes of a signature or key as a transaction carries it; ValueError when it is none."""
    return a2b_base64(text.encode("ascii"), strict_mode=True)


def element_bytes(element: Element) -> bytes:
    """Five little-endian 64-bit numbers."""
    return b"".join(number.to_bytes(8, "little") for number in element)


def element_of(data: bytes) -> Element | None:
    """The element of 40 bytes; None when they are none."""
    if len(data) != NUMBER_BYTES:
        return None
    a0, a1, a2, a3, a4 = (int.from_bytes(data[start : start + 8], "little") for start in range(0, NUMBER_BYTES, 8))
    return (a0, a1, a2, a3, a4) if max(a0, a1, a2, a3, a4) < P else None


@lru_cache(KEYS_KEPT)
def _multiples(key: bytes) -> Multiples | None:
    point = _point(key)
    return None if point is None else Multiples(point, KEY_WINDOW_BITS)


def _point(key: bytes) -> Point | None:
    element = element_of(key)
    return None if element is None else decode(element)


def _numbers(signature: bytes) -> tuple[int, int] | None:
    if len(signature) != SIGNATURE_BYTES:
        return None
    s = int.from_bytes(signature[:NUMBER_BYTES], "little")
    e = int.from_bytes(signature[NUMBER_BYTES:], "little")
    return (s, e) if s < ORDER and e < ORDER else None


def _challenge(r: Element, message: Element) -> int:
    return int.from_bytes(element_bytes(hash5((*r, *message))), "little") % ORDER


def _nonce(secret: int, message: Element) -> int:
    key, data = secret.to_bytes(NUMBER_BYTES, "little"), element_bytes(message)
    return int.from_bytes(hmac.digest(key, data, "sha512"), "little") % ORDER
