"""The venue's own signer, a shared library inside its `lighter-sdk` package, called through ctypes.

The package itself is never imported: it would cost a second and 60 MB. ctypes cannot see when a newer library takes
other arguments, they would land in the wrong places and be signed there; so versions are pinned, and before first
use a known key signs orders whose every field is compared and whose signature is verified by `schnorr`.

Nothing here does I/O: a client made without an address has nowhere to connect to. `signing` is the only caller.
"""

from __future__ import annotations

import ctypes
import json
import platform
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from engine.errors import ConfigInvalid, NotSent
from engine.exchanges.lighter import schnorr
from engine.exchanges.lighter.transactions import (
    CancelAllTime,
    NewOrder,
    OrderTime,
    OrderType,
    SignedTransaction,
    TxType,
    text_hash,
    transaction_hash,
)

PACKAGE = "lighter-sdk"
PINNED_VERSIONS = frozenset({"1.1.8"})
"""Versions whose library was compared with the public scheme, field by field."""

ALL_MARKETS = 255

_LIBRARIES = {
    ("Linux", "x86_64"): "lighter-signer-linux-amd64.so",
    ("Linux", "aarch64"): "lighter-signer-linux-arm64.so",
    ("Darwin", "x86_64"): "lighter-signer-darwin-amd64.dylib",
    ("Darwin", "arm64"): "lighter-signer-darwin-arm64.dylib",
}
_INT, _LONG, _UINT8, _TEXT = ctypes.c_int, ctypes.c_longlong, ctypes.c_uint8, ctypes.c_char_p


class _Signed(ctypes.Structure):
    _fields_ = [
        ("tx_type", ctypes.c_uint8),
        ("tx_info", ctypes.c_void_p),
        ("tx_hash", ctypes.c_void_p),
        ("message_to_sign", ctypes.c_void_p),
        ("error", ctypes.c_void_p),
    ]


class _Text(ctypes.Structure):
    _fields_ = [("text", ctypes.c_void_p), ("error", ctypes.c_void_p)]


_FUNCTIONS = {
    "CreateClient": ([_TEXT, _TEXT, _INT, _INT, _LONG], ctypes.c_void_p),
    "SignCreateOrder": (
        [*[_LONG] * 3, *[_INT] * 6, _LONG, _LONG, _INT, _INT, _UINT8, _UINT8, _UINT8, _LONG, _INT, _LONG],
        _Signed,
    ),
    "SignCancelOrder": ([_LONG, _LONG, _UINT8, _LONG, _INT, _LONG], _Signed),
    "SignCancelAllOrders": ([_INT, _LONG, _LONG, _UINT8, _LONG, _INT, _LONG], _Signed),
    "CreateAuthToken": ([_LONG, _INT, _LONG], _Text),
    "Free": ([ctypes.c_void_p], None),
}


class Key:
    """One API key inside the library, which remembers it for as long as the process lives."""

    def __init__(
        self, library: ctypes.CDLL, chain_id: int, account_index: int, api_key_index: int, private_key: str
    ) -> None:
        self._library = library
        self._owner = (api_key_index, account_index)
        refused = library.CreateClient(b"", private_key.encode(), chain_id, api_key_index, account_index)
        if refused and _take(library, refused):
            raise ConfigInvalid(
                "Lighter's signer does not accept the API private key", hint="it is 40 bytes as hex"
            )

    def create_order(self, order: NewOrder, *, nonce: int) -> SignedTransaction:
        fields = tuple(order.fields().values())
        no_integrator, default_self_trade = (0, 0, 0), (0, 0)
        return self._signed("SignCreateOrder", *fields, *no_integrator, *default_self_trade, 0, nonce)

    def cancel_order(self, market_index: int, index: int, *, nonce: int) -> SignedTransaction:
        return self._signed("SignCancelOrder", market_index, index, 0, nonce)

    def cancel_all_orders(self, when: CancelAllTime, at_ms: int, *, nonce: int) -> SignedTransaction:
        return self._signed("SignCancelAllOrders", when.value, at_ms, ALL_MARKETS, 0, nonce)

    def auth_token(self, deadline_s: int) -> str:
        said = self._library.CreateAuthToken(deadline_s, *self._owner)
        error, text = _take(self._library, said.error), _take(self._library, said.text)
        if error or not text:
            raise NotSent("Lighter's signer made no auth token", venue_words=error)
        return text

    def _signed(self, function: str, *arguments: int) -> SignedTransaction:
        said = getattr(self._library, function)(*arguments, *self._owner)
        error, info, _, _ = (
            _take(self._library, text) for text in (said.error, said.tx_info, said.tx_hash, said.message_to_sign)
        )
        if error or not info:
            raise NotSent("Lighter's signer refuses to sign this", venue_words=error)
        return SignedTransaction(tx_type=said.tx_type, tx_info=info)


@cache
def load() -> ctypes.CDLL | None:
    """The library, checked; None where it is not installed or not made for this machine. ConfigInvalid when it
    is there and cannot be trusted."""
    file = library_file()
    if file is None:
        return None
    found = version(PACKAGE)
    if found not in PINNED_VERSIONS:
        pinned = ", ".join(sorted(PINNED_VERSIONS))
        raise ConfigInvalid(
            f"{PACKAGE} {found} was never compared with Lighter's public scheme",
            hint=f"install {PACKAGE} {pinned}, or none: orders are then signed in Python",
        )
    library = ctypes.CDLL(str(file))
    for name, (arguments, result) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.argtypes, function.restype = arguments, result
    check(lambda *owner: Key(library, *owner))
    return library


def library_file() -> Path | None:
    """Where the library is; None where it is not installed or not made for this machine."""
    name = _LIBRARIES.get((platform.system(), platform.machine()))
    try:
        version(PACKAGE)
        spec = find_spec("lighter")
    except (PackageNotFoundError, ValueError):
        return None
    if name is None or spec is None or not spec.submodule_search_locations:
        return None
    file = Path(spec.submodule_search_locations[0], "signers", name)
    return file if file.is_file() else None


def _take(library: ctypes.CDLL, pointer: int | None) -> str:
    """A text of the library, given back to it."""
    if not pointer:
        return ""
    try:
        return (ctypes.string_at(pointer)).decode(errors="replace")
    finally:
        library.Free(pointer)


# The check -------------------------------------------------------------------------------------------------------

_CHAIN_ID, _ACCOUNT, _KEY_INDEX, _NONCE = 304, (1 << 47) + 65432, 253, 7_654_321
KNOWN_PRIVATE_KEY = "3d5758fc36d33e98258ae00530b5366462abfeeab8b7a556095ae50ef2aa831177929f221649341b"
KNOWN_PUBLIC_KEY = "083403d5fb88e1a941d105810bb50db57f1eed5520eccad2e9e3fecd966f57c869e03cd6724089b9"
"""A published throw-away key of nobody's account."""

_ORDER = NewOrder(
    market_index=201,
    client_order_index=(1 << 48) - 2,
    base_amount=(1 << 40) + 3,
    price=(1 << 31) - 5,
    is_ask=True,
    type=OrderType.LIMIT,
    time_in_force=OrderTime.POST_ONLY,
    reduce_only=False,
    expiry_ms=4_102_444_800_123,
)
"""Every field has a value of its own, so that swapped ones are seen."""


def check(make_key: Callable[[int, int, int, str], Key]) -> None:
    """ConfigInvalid unless a known key signs exactly what it is told to."""
    key = make_key(_CHAIN_ID, _ACCOUNT, _KEY_INDEX, KNOWN_PRIVATE_KEY)
    _check_one(key.create_order(_ORDER, nonce=_NONCE), TxType.CREATE_ORDER, _ORDER.fields())
    cancelled = key.cancel_order(201, (1 << 48) + 9, nonce=_NONCE)
    _check_one(cancelled, TxType.CANCEL_ORDER, {"MarketIndex": 201, "Index": (1 << 48) + 9})
    message, _, signature = key.auth_token(4_102_444_800).rpartition(":")
    if message != f"4102444800:{_ACCOUNT}:{_KEY_INDEX}" or not _is_signed(text_hash(message), signature):
        raise _untrusted("auth token")


def _check_one(signed: SignedTransaction, tx_type: TxType, fields: dict[str, int]) -> None:
    info = json.loads(signed.tx_info)
    expected = {"AccountIndex": _ACCOUNT, "ApiKeyIndex": _KEY_INDEX, "Nonce": _NONCE, **fields}
    said = {name: info.get(name) for name in expected}
    if signed.tx_type != tx_type or said != expected:
        raise _untrusted(tx_type.name)
    signature = schnorr.from_base64(info["Sig"])
    if not _is_signed(transaction_hash(_CHAIN_ID, tx_type, info), signature.hex()):
        raise _untrusted(tx_type.name)


def _is_signed(message: tuple[int, int, int, int, int], signature: str) -> bool:
    return schnorr.verify_once(bytes.fromhex(KNOWN_PUBLIC_KEY), message, bytes.fromhex(signature))


def _untrusted(what: str) -> ConfigInvalid:
    return ConfigInvalid(
        f"Lighter's native signer failed its self-check ({what}): it signs something else than it is told to",
        hint=f"reinstall {PACKAGE}, or remove it: orders are then signed in Python",
    )
