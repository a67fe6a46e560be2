"""Signers of one API key: the venue's native one where it is installed, else the public scheme in Python.

Both sign the same hash, so the venue cannot tell them apart. The native one takes 0.7 ms and fixes `ExpiredAt`
at ten minutes by this machine's clock; the Python one takes 3 ms and is given the time, so its bytes can be
repeated.
"""

from __future__ import annotations

import json
from binascii import b2a_base64
from typing import Protocol

from engine.clock import NS_PER_MS
from engine.errors import ConfigInvalid, NotSent
from engine.exchanges.known import require_known
from engine.exchanges.lighter import native, schnorr
from engine.exchanges.lighter.curve import ORDER
from engine.exchanges.lighter.transactions import (
    CancelAllTime,
    NewOrder,
    SignedTransaction,
    TxInfo,
    TxType,
    text_hash,
    transaction_hash,
)
from engine.model.value import Value

TX_LIFETIME_MS = 599_000
"""How long after signing a transaction is still taken: what the native signer writes, so ours does too."""

PRICE_BITS, AMOUNT_BITS = 32, 48

_KNOWN_ORDER = (
    '{"AccountIndex":65432,"ApiKeyIndex":3,"MarketIndex":0,"ClientOrderIndex":1001,"BaseAmount":1000,"Price":405000,'
    '"IsAsk":0,"Type":0,"TimeInForce":1,"ReduceOnly":0,"TriggerPrice":0,"OrderExpiry":1792419200000,'
    '"ExpiredAt":1795346789626,"Nonce":7,"L2TxAttributes":null,"Sig":"cSGxLaQTJy3lB6PZvRWEN3nKUohiMNMwlqahI/YK9UxQ'
    'W2quDhVFHftrP1awblpFQDNg3onq+9GcMGMOv/7Mv/lSZ3e6RZsxl3AuzypmSw4="}'
)
_KNOWN_HASH = "b908c52e3aa57812484796a8f8255b21a9cd6ad93b9cd3b27350a58f6037abd73c90f42b1c44572e"
"""An order as the native signer signed it with a throwaway key."""


class ApiKey(Value, frozen=True, kw_only=True):
    """One key of one account on one chain. Shows no secret when printed."""

    chain_id: int
    account_index: int
    api_key_index: int
    private_key: str

    def __repr__(self) -> str:
        return f"ApiKey({self.account_index}:{self.api_key_index})"

    @property
    def secret(self) -> int:
        """The scalar; ConfigInvalid when it is none."""
        try:
            data = bytes.fromhex(self.private_key.removeprefix("0x"))
        except ValueError:
            data = b""
        number = int.from_bytes(data, "little")
        if len(data) != schnorr.NUMBER_BYTES or not 0 < number < ORDER:
            raise ConfigInvalid("a Lighter API private key is 40 bytes as hex", hint="copy it from the venue again")
        return number


class Signer(Protocol):
    """Raises NotSent for what the venue would refuse anyway."""

    def create_order(self, order: NewOrder, *, nonce: int, now_ns: int) -> SignedTransaction: ...

    def cancel_order(self, market_index: int, index: int, *, nonce: int, now_ns: int) -> SignedTransaction: ...

    def cancel_all_orders(
        self, when: CancelAllTime, at_ms: int, *, nonce: int, now_ns: int
    ) -> SignedTransaction: ...

    def auth_token(self, deadline_s: int) -> str: ...


def signer_for(key: ApiKey) -> Signer:
    """The fastest signer there is; ConfigInvalid when the key is none or the native one cannot be trusted."""
    _ = key.secret
    library = native.load()
    return PythonSigner(key) if library is None else NativeSigner(key)


class NativeSigner:
    """See `native`. The library reads the clock itself, so `now_ns` is not asked."""

    def __init__(self, key: ApiKey) -> None:
        library = native.load()
        if library is None:
            raise ConfigInvalid("Lighter's native signer is not installed", hint="pip install botctl[lighter]")
        private_key = key.private_key.removeprefix("0x")
        self._key = native.Key(library, key.chain_id, key.account_index, key.api_key_index, private_key)

    def create_order(self, order: NewOrder, *, nonce: int, now_ns: int) -> SignedTransaction:  # noqa: ARG002
        return self._key.create_order(_in_range(order), nonce=nonce)

    def cancel_order(self, market_index: int, index: int, *, nonce: int, now_ns: int) -> SignedTransaction:  # noqa: ARG002
        return self._key.cancel_order(market_index, index, nonce=nonce)

    def cancel_all_orders(
        self,
        when: CancelAllTime,
        at_ms: int,
        *,
        nonce: int,
        now_ns: int,  # noqa: ARG002
    ) -> SignedTransaction:
        return self._key.cancel_all_orders(when, at_ms, nonce=nonce)

    def auth_token(self, deadline_s: int) -> str:
        return self._key.auth_token(deadline_s)


class PythonSigner:
    """The public scheme. The same order, nonce and moment give the same bytes."""

    def __init__(self, key: ApiKey, *, tx_lifetime_ms: int = TX_LIFETIME_MS) -> None:
        self._key = key
        self._secret = key.secret
        self._tx_lifetime_ms = tx_lifetime_ms

    def create_order(self, order: NewOrder, *, nonce: int, now_ns: int) -> SignedTransaction:
        return self.sign(TxType.CREATE_ORDER, _in_range(order).fields(), nonce=nonce, now_ns=now_ns)

    def cancel_order(self, market_index: int, index: int, *, nonce: int, now_ns: int) -> SignedTransaction:
        fields = {"MarketIndex": market_index, "Index": index}
        return self.sign(TxType.CANCEL_ORDER, fields, nonce=nonce, now_ns=now_ns)

    def cancel_all_orders(self, when: CancelAllTime, at_ms: int, *, nonce: int, now_ns: int) -> SignedTransaction:
        fields = {"TimeInForce": when.value, "Time": at_ms}
        return self.sign(TxType.CANCEL_ALL_ORDERS, fields, nonce=nonce, now_ns=now_ns)

    def auth_token(self, deadline_s: int) -> str:
        message = f"{deadline_s}:{self._key.account_index}:{self._key.api_key_index}"
        return f"{message}:{schnorr.sign(self._secret, text_hash(message)).hex()}"

    def sign(
        self, tx_type: TxType, fields: TxInfo, *, nonce: int, now_ns: int, attributes: TxInfo | None = None
    ) -> SignedTransaction:
        """Any transaction the scheme knows."""
        info = {
            "AccountIndex": self._key.account_index,
            "ApiKeyIndex": self._key.api_key_index,
            **fields,
            "ExpiredAt": now_ns // NS_PER_MS + self._tx_lifetime_ms,
            "Nonce": nonce,
        }
        try:
            hashed = transaction_hash(self._key.chain_id, tx_type, {**info, "L2TxAttributes": attributes})
        except ValueError as error:
            raise NotSent(f"this cannot be signed: {error}") from error
        signature = b2a_base64(schnorr.sign(self._secret, hashed), newline=False).decode()
        text = json.dumps({**info, "Sig": signature, "L2TxAttributes": attributes}, separators=(",", ":"))
        return SignedTransaction(tx_type=tx_type.value, tx_info=text)


def self_check() -> None:
    """The scheme in Python: what the venue's own library signed once is verified, and so is what we sign."""
    key = ApiKey(chain_id=304, account_index=65432, api_key_index=3, private_key=native.KNOWN_PRIVATE_KEY)
    ours = PythonSigner(key).sign(TxType.CREATE_ORDER, json.loads(_KNOWN_ORDER), nonce=7, now_ns=0)
    infos = [json.loads(text) for text in (_KNOWN_ORDER, ours.tx_info)]
    public, hashes = bytes.fromhex(native.KNOWN_PUBLIC_KEY), [transaction_hash(304, 14, info) for info in infos]
    all_good = all(
        schnorr.verify_once(public, hashed, schnorr.from_base64(info["Sig"]))
        for hashed, info in zip(hashes, infos, strict=True)
    )
    said = f"{schnorr.public_key(key.secret).hex()} {schnorr.element_bytes(hashes[0]).hex()} {all_good}"
    require_known("Lighter", said, f"{native.KNOWN_PUBLIC_KEY} {_KNOWN_HASH} True")


def _in_range(order: NewOrder) -> NewOrder:
    """NotSent for what the venue has no room for. The native signer would cut a number off and sign another one."""
    rooms = ((order.price, PRICE_BITS), (order.base_amount, AMOUNT_BITS), (order.client_order_index, AMOUNT_BITS))
    if order.price <= 0 or order.base_amount <= 0 or any(not 0 <= number < 1 << bits for number, bits in rooms):
        raise NotSent(f"Lighter has no room for price {order.price}, size {order.base_amount} in its own units")
    return order
