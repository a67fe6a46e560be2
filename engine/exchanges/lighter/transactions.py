"""Lighter's signed transactions: which fields each type has, and the hash that is signed.

Every write is a JSON object `tx_info` under a type number (Trading, apidocs.lighter.xyz). The hash covers its
fields in the order below, never the JSON text. Signers and the simulated venue both call `transaction_hash`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

from engine.exchanges.lighter.field import Element
from engine.exchanges.lighter.poseidon import hash4, hash5
from engine.exchanges.lighter.schnorr import element_of, from_base64
from engine.model.value import Value

TxInfo = Mapping[str, Any]


class TxType(IntEnum):
    CHANGE_PUB_KEY = 8
    WITHDRAW = 13
    CREATE_ORDER = 14
    CANCEL_ORDER = 15
    CANCEL_ALL_ORDERS = 16
    MODIFY_ORDER = 17
    UPDATE_LEVERAGE = 20
    CREATE_GROUPED_ORDERS = 28
    UPDATE_MARGIN = 29


class OrderType(IntEnum):
    LIMIT = 0
    MARKET = 1


class OrderTime(IntEnum):
    """What an order does with the part that does not trade at once."""

    IOC = 0
    GTT = 1
    POST_ONLY = 2


class CancelAllTime(IntEnum):
    """NOW, at a scheduled time (a dead-man switch over the whole account), or no longer."""

    NOW = 0
    SCHEDULED = 1
    ABORT = 2


class Attribute(IntEnum):
    """Keys of `L2TxAttributes` that mean something to us."""

    SKIP_NONCE = 4
    CANCEL_ALL_MARKET = 5
    SELF_TRADE = 6


ORDER_FIELDS = (
    "MarketIndex",
    "ClientOrderIndex",
    "BaseAmount",
    "Price",
    "IsAsk",
    "Type",
    "TimeInForce",
    "ReduceOnly",
    "TriggerPrice",
    "OrderExpiry",
)
_COMMON_FIELDS = ("Nonce", "ExpiredAt", "AccountIndex", "ApiKeyIndex")
_PLAIN_FIELDS = {
    TxType.CREATE_ORDER: ORDER_FIELDS,
    TxType.CANCEL_ORDER: ("MarketIndex", "Index"),
    TxType.CANCEL_ALL_ORDERS: ("TimeInForce", "Time"),
    TxType.MODIFY_ORDER: ("MarketIndex", "Index", "BaseAmount", "Price", "TriggerPrice"),
    TxType.UPDATE_LEVERAGE: ("MarketIndex", "InitialMarginFraction", "MarginMode"),
}
_ATTRIBUTES_MOST = 4
_LOW_32 = (1 << 32) - 1


class SignedTransaction(Value, frozen=True, kw_only=True):
    """A transaction ready to send: `tx_info` is its JSON text."""

    tx_type: int
    tx_info: str


class NewOrder(Value, frozen=True, kw_only=True):
    """The ten fields of an order, in the venue's integers. `expiry_ms` is 0 for orders that cannot rest."""

    market_index: int
    client_order_index: int
    base_amount: int
    price: int
    is_ask: bool
    type: OrderType
    time_in_force: OrderTime
    reduce_only: bool
    expiry_ms: int

    def fields(self) -> dict[str, int]:
        return {
            "MarketIndex": self.market_index,
            "ClientOrderIndex": self.client_order_index,
            "BaseAmount": self.base_amount,
            "Price": self.price,
            "IsAsk": int(self.is_ask),
            "Type": self.type.value,
            "TimeInForce": self.time_in_force.value,
            "ReduceOnly": int(self.reduce_only),
            "TriggerPrice": 0,
            "OrderExpiry": self.expiry_ms,
        }


def transaction_hash(chain_id: int, tx_type: int, info: TxInfo) -> Element:
    """What is signed. ValueError for a type or a field that is not understood."""
    try:
        kind = TxType(tx_type)
        common = [_number(info, name) for name in _COMMON_FIELDS]
        hashed = hash5([chain_id, kind.value, *common, *_elements(kind, info)])
        attributes = _attributes(info.get("L2TxAttributes"))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no transaction of type {tx_type}: {error!r}") from error
    return hash5([*hashed, *hash5(attributes)]) if attributes else hashed


def text_hash(text: str) -> Element:
    """What is signed of an auth token: its text as little-endian 64-bit numbers."""
    data = text.encode()
    data += bytes(-len(data) % 8)
    return hash5([int.from_bytes(data[start : start + 8], "little") for start in range(0, len(data), 8)])


def _elements(kind: TxType, info: TxInfo) -> list[int]:
    if kind in _PLAIN_FIELDS:
        return [_number(info, name) for name in _PLAIN_FIELDS[kind]]
    if kind is TxType.CHANGE_PUB_KEY:
        element = element_of(from_base64(info["PubKey"]))
        if element is None:
            raise ValueError("PubKey is no public key")
        return list(element)
    if kind is TxType.CREATE_GROUPED_ORDERS:
        return [_number(info, "GroupingType"), *_group(info["Orders"])]
    if kind is TxType.UPDATE_MARGIN:
        return [_number(info, "MarketIndex"), *_halves(info, "USDCAmount"), _number(info, "Direction")]
    return [_number(info, "AssetIndex"), _number(info, "RouteType"), *_halves(info, "Amount")]


def _group(orders: Sequence[TxInfo]) -> Sequence[int]:
    """The orders' hashes, folded from the left."""
    first, *others = (hash4([_number(order, name) for name in ORDER_FIELDS]) for order in orders)
    for other in others:
        first = hash4([*first, *other])
    return first


def _attributes(said: TxInfo | None) -> list[int]:
    """Types ascending, each with its value, filled up with zeros; empty when there are none."""
    pairs = sorted((int(name), _number(said, name)) for name in said) if said else []
    if len(pairs) > _ATTRIBUTES_MOST:
        raise ValueError("too many attributes")
    flat = [number for pair in pairs for number in pair]
    return flat + [0] * (2 * _ATTRIBUTES_MOST - len(flat)) if flat else []


def _halves(info: TxInfo, name: str) -> tuple[int, int]:
    amount = _number(info, name)
    return amount & _LOW_32, amount >> 32


def _number(info: TxInfo, name: str) -> int:
    """WITHDRAW alone calls its account FromAccountIndex."""
    value = info["FromAccountIndex"] if name == "AccountIndex" and name not in info else info[name]
    if not isinstance(value, int) or not 0 <= value < 1 << 63:
        raise ValueError(f"{name} is {value!r}")
    return int(value)
