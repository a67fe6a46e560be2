"""The API that takes transactions: checks what can be checked at once, uses up the nonce, and answers. What becomes
of a transaction is the sequencer's; an answer of 200 does not say it was carried out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from engine.clock import NS_PER_MS, NS_PER_US
from engine.exchanges.lighter.schnorr import element_bytes
from engine.exchanges.lighter.transactions import (
    ORDER_FIELDS,
    Attribute,
    CancelAllTime,
    OrderTime,
    OrderType,
    TxInfo,
    TxType,
    transaction_hash,
)
from engine.exchanges.lighter.wire import Accepted, Transaction
from engine.model.order import Side, TimeInForce
from engine.sim import admission
from engine.sim.lighter import errors
from engine.sim.lighter.auth import Gate
from engine.sim.lighter.errors import ApiRefusal
from engine.sim.lighter.sequencer import Sequencer, find_order
from engine.sim.lighter.state import Key, LighterState
from engine.sim.orders import Order, SelfTrade
from engine.sim.venue_market import VenueMarket

CLIENT_INDEX_MAX = (1 << 48) - 1
PENDING, QUOTA_LEFT = 1, 1_000_000
FREE_MESSAGE = '{"ratelimit": "didn\'t use volume quota"}'
SHORTEST_EXPIRY_MS, LONGEST_EXPIRY_MS = 5 * 60_000, 30 * 24 * 3_600_000
LONGEST_SCHEDULE_MS = 15 * 24 * 3_600_000

_SELF_TRADES = {0: SelfTrade.REJECT_MAKER, 1: SelfTrade.REJECT_TAKER, 2: SelfTrade.REJECT_BOTH}


class Gateway:
    """Takes one transaction, or a batch of one key's."""

    def __init__(self, state: LighterState, gate: Gate, sequencer: Sequencer) -> None:
        self._state = state
        self._gate = gate
        self._sequencer = sequencer

    def send(self, tx_type: int, info: TxInfo, now_ns: int) -> Accepted:
        """POST sendTx; raises ApiRefusal."""
        return _accepted(self._take(tx_type, info, now_ns))

    def send_batch(self, tx_types: Sequence[int], infos: Sequence[TxInfo], now_ns: int) -> dict[str, object]:
        """POST sendTxBatch: the first refusal ends it; what was taken before stays taken."""
        if len(tx_types) != len(infos) or not infos:
            raise ApiRefusal(errors.INVALID_TX)
        if len(infos) > self._state.settings.batch_max:
            raise ApiRefusal(errors.BATCH_TOO_LONG)
        if len({(info.get("AccountIndex"), info.get("ApiKeyIndex")) for info in infos}) > 1:
            raise ApiRefusal(errors.BATCH_OF_MANY)
        hashes = [self._take(tx_type, info, now_ns) for tx_type, info in zip(tx_types, infos, strict=True)]
        return {**msgspec.to_builtins(_accepted("")), "tx_hash": hashes}

    def _take(self, tx_type: int, info: TxInfo, now_ns: int) -> str:
        kind = _kind(tx_type)
        try:
            hashed = transaction_hash(self._state.settings.chain_id, kind, info)
        except ValueError as error:
            raise ApiRefusal(errors.INVALID_TX, more=str(error)) from None
        account_index, api_key_index = info["AccountIndex"], info["ApiKeyIndex"]
        key = self._gate.key(account_index, api_key_index)
        self._gate.count(self._state.name_of(account_index), "sendTx", now_ns)
        if info["ExpiredAt"] <= now_ns // NS_PER_MS:
            raise ApiRefusal(errors.INVALID_EXPIRY, more="transaction expired")
        _check_nonce(key, info)
        self._gate.check_transaction(key, hashed, str(info.get("Sig", "")))
        order = self._checked(kind, info, now_ns)
        key.nonce = info["Nonce"] + 1
        transaction = Transaction(
            hash=element_bytes(hashed).hex(),
            type=kind.value,
            info=json.dumps(info, separators=(",", ":")),
            event_info="{}",
            status=PENDING,
            account_index=account_index,
            api_key_index=api_key_index,
            nonce=info["Nonce"],
            expire_at=info["ExpiredAt"],
            queued_at=now_ns // NS_PER_MS,
            executed_at=0,
            transaction_time=now_ns // NS_PER_US,
        )
        self._sequencer.queue(transaction, info, order, now_ns)
        return transaction.hash

    def _checked(self, kind: TxType, info: TxInfo, now_ns: int) -> Order | None:
        """Static checks; the order of a transaction that makes one."""
        if kind is TxType.CREATE_ORDER:
            return self._order(info, now_ns)
        if kind is TxType.MODIFY_ORDER:
            at = self._state.market(info["MarketIndex"], now_ns)
            self._check_numbers(at, info["BaseAmount"], info["Price"], rests=True)
        elif kind is TxType.CANCEL_ALL_ORDERS and info["TimeInForce"] == CancelAllTime.SCHEDULED:
            ahead_ms = info["Time"] - now_ns // NS_PER_MS
            if not SHORTEST_EXPIRY_MS <= ahead_ms <= LONGEST_SCHEDULE_MS:
                raise ApiRefusal(errors.INVALID_SCHEDULE)
        elif kind not in (TxType.CANCEL_ORDER, TxType.CANCEL_ALL_ORDERS, TxType.UPDATE_LEVERAGE):
            raise ApiRefusal(errors.UNSUPPORTED_TYPE, more="not simulated")
        return None

    def _order(self, info: TxInfo, now_ns: int) -> Order:
        at = self._state.market(info["MarketIndex"], now_ns)
        name = self._state.name_of(info["AccountIndex"])
        rests = info["TimeInForce"] != OrderTime.IOC
        self._check_numbers(at, info["BaseAmount"], info["Price"], rests=rests)
        _check_kind(info, now_ns)
        client_index = info["ClientOrderIndex"]
        if client_index > CLIENT_INDEX_MAX:
            raise ApiRefusal(errors.INVALID_CLIENT_INDEX)
        if client_index and find_order(self._state, name, client_index):
            raise ApiRefusal(errors.CLIENT_INDEX_EXISTS)
        order = _new_order(info, at, name)
        if order.may_rest and not order.reduce_only:
            self._check_margin(order, name)
        return order

    def _check_numbers(self, at: VenueMarket, base_amount: int, price: int, *, rests: bool) -> None:
        """Ranges, and the market's minimums for what is to rest."""
        if not 0 < base_amount <= CLIENT_INDEX_MAX:
            raise ApiRefusal(errors.INVALID_BASE_AMOUNT)
        if not 0 < price < 1 << 32:
            raise ApiRefusal(errors.INVALID_PRICE)
        if rests and base_amount < at.market.instrument.min_lots(price):
            raise ApiRefusal(errors.BELOW_MINIMUM)

    def _check_margin(self, order: Order, name: str) -> None:
        exchange = self._state.exchange
        open_orders = exchange.open_orders(name)
        if not admission.margin_allows(order, exchange.account(name), open_orders, exchange.markets):
            raise ApiRefusal(errors.NOT_ENOUGH_MARGIN)


def attributes(info: Mapping[str, Any]) -> Mapping[str, int]:
    return info.get("L2TxAttributes") or {}


def _kind(tx_type: int) -> TxType:
    try:
        return TxType(tx_type)
    except ValueError:
        raise ApiRefusal(errors.UNSUPPORTED_TYPE) from None


def _check_nonce(key: Key, info: TxInfo) -> None:
    """The next number; with the skip attribute any later one."""
    nonce, skips = info["Nonce"], attributes(info).get(str(Attribute.SKIP_NONCE.value)) == 1
    if nonce != key.nonce and not (skips and nonce > key.nonce):
        raise ApiRefusal(errors.INVALID_NONCE)


def _check_kind(info: TxInfo, now_ns: int) -> None:
    """Type, time in force and expiry must fit together."""
    if info["Type"] not in (OrderType.LIMIT, OrderType.MARKET):
        raise ApiRefusal(errors.INVALID_TYPE, more="not simulated")
    if info["TimeInForce"] not in list(OrderTime):
        raise ApiRefusal(errors.INVALID_TIME_IN_FORCE)
    rests = info["TimeInForce"] != OrderTime.IOC
    if info["Type"] == OrderType.MARKET and rests:
        raise ApiRefusal(errors.INVALID_TIME_IN_FORCE)
    ahead_ms = info["OrderExpiry"] - now_ns // NS_PER_MS
    if rests and not SHORTEST_EXPIRY_MS <= ahead_ms <= LONGEST_EXPIRY_MS:
        raise ApiRefusal(errors.INVALID_EXPIRY, more="order expiry")
    if not rests and info["OrderExpiry"]:
        raise ApiRefusal(errors.INVALID_EXPIRY, more="order expiry")


def _new_order(info: TxInfo, at: VenueMarket, name: str) -> Order:
    """A market order is a limit order at the worst price it may reach, which never rests."""
    said = {field: int(info[field]) for field in ORDER_FIELDS}
    self_trade = attributes(info).get(str(Attribute.SELF_TRADE.value), 0)
    return Order(
        order_id=0,
        owner=name,
        symbol=at.market.symbol,
        side=Side.SELL if said["IsAsk"] else Side.BUY,
        ticks=said["Price"],
        lots=said["BaseAmount"],
        placed_ns=0,
        time_in_force=TimeInForce.IOC if said["TimeInForce"] == OrderTime.IOC else TimeInForce.GTC,
        post_only=said["TimeInForce"] == OrderTime.POST_ONLY,
        reduce_only=said["ReduceOnly"] == 1,
        self_trade=_SELF_TRADES.get(self_trade, SelfTrade.REJECT_MAKER),
        client_id=said["ClientOrderIndex"] or None,
    )


def _accepted(tx_hash: str) -> Accepted:
    return Accepted(
        code=200,
        message=FREE_MESSAGE,
        tx_hash=tx_hash,
        predicted_execution_time_ms=0,
        volume_quota_remaining=QUOTA_LEFT,
    )
