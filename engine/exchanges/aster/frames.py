"""WebSocket frames to events. Market data comes in combined envelopes, account news bare with an event name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from msgspec import UNSET

from engine.clock import NS_PER_MS
from engine.errors import AuthenticationFailed, ProtocolError
from engine.exchanges.aster.replies import order_events
from engine.exchanges.aster.translate import Translator, spot_balance, wallet_balance
from engine.exchanges.aster.wire_streams import (
    FUNDING_FEE,
    AccountUpdate,
    AggregateTrade,
    DepthUpdate,
    Envelope,
    ExecutionReport,
    MarkPriceUpdate,
    OrderTradeUpdate,
    OrderUpdate,
    SpotAccountUpdate,
)
from engine.exchanges.decimals import exact
from engine.model.events import (
    BalancesReported,
    DepthChanged,
    Event,
    FundingAnnounced,
    MarkPriceUpdated,
    OrderFilled,
    PositionReported,
    TradePrinted,
)
from engine.model.order import Side

EXECUTIONS = ("TRADE", "CALCULATED")
"""Events that carry a fill: a match, and the venue closing a position itself."""
EXPIRED_KEY = "listenKeyExpired"

_ENVELOPE = msgspec.json.Decoder(Envelope)
_DEPTH = msgspec.json.Decoder(DepthUpdate)
_MARK = msgspec.json.Decoder(MarkPriceUpdate)
_TRADE = msgspec.json.Decoder(AggregateTrade)
_ORDER = msgspec.json.Decoder(OrderTradeUpdate)
_ACCOUNT = msgspec.json.Decoder(AccountUpdate)
_EXECUTION = msgspec.json.Decoder(ExecutionReport)
_SPOT_ACCOUNT = msgspec.json.Decoder(SpotAccountUpdate)


class FrameDecoder:
    """One account and one market. Raises ValueError or a msgspec error for what it cannot read."""

    def __init__(self, leg: str, translator: Translator) -> None:
        self._leg = leg
        self._translator = translator
        self._symbol = translator.symbol
        market = self._symbol.lower()
        self._markets: dict[str, Callable[[msgspec.Raw, int], Sequence[Event]]] = {
            depth_stream(market): self._depth,
            mark_stream(market): self._mark,
            trade_stream(market): self._trade,
        }
        self._account: dict[str, Callable[[str | bytes, int], Sequence[Event]]] = {
            "ORDER_TRADE_UPDATE": self._futures_order,
            "ACCOUNT_UPDATE": self._futures_account,
            "executionReport": self._spot_order,
            "outboundAccountPosition": self._spot_account,
        }

    def events(self, text: str | bytes, at_ns: int) -> Sequence[Event]:
        """The events of one frame; none for streams that are not this market's, and for acknowledgements."""
        envelope = _ENVELOPE.decode(text)
        if isinstance(envelope.stream, str):
            reader = self._markets.get(envelope.stream)
            return () if reader is None or envelope.data is UNSET else reader(envelope.data, at_ns)
        if isinstance(envelope.event, str):
            if envelope.event == EXPIRED_KEY:
                raise AuthenticationFailed("Aster ended our listenKey", venue_words=EXPIRED_KEY)
            account_reader = self._account.get(envelope.event)
            return () if account_reader is None else account_reader(text, at_ns)
        if envelope.code is not UNSET:
            raise ProtocolError("Aster refused a subscription", venue_words=f"{envelope.code}: {envelope.msg}")
        return ()

    def _depth(self, data: msgspec.Raw, at_ns: int) -> Sequence[Event]:
        update = _DEPTH.decode(data)
        if update.symbol != self._symbol:
            return ()
        return (
            DepthChanged(
                at_ns=at_ns,
                leg=self._leg,
                first_id=update.first_id,
                last_id=update.last_id,
                previous_id=update.previous_id if isinstance(update.previous_id, int) else None,
                bids=self._translator.levels(update.bids),
                asks=self._translator.levels(update.asks),
            ),
        )

    def _mark(self, data: msgspec.Raw, at_ns: int) -> Sequence[Event]:
        update = _MARK.decode(data)
        if update.symbol != self._symbol:
            return ()
        return (
            MarkPriceUpdated(
                at_ns=at_ns,
                leg=self._leg,
                mark=exact(update.mark_price),
                index=exact(update.index_price) if update.index_price else None,
                funding_rate=exact(update.funding_rate) if update.funding_rate else None,
                funding_ns=update.next_funding_ms * NS_PER_MS or None,
            ),
        )

    def _trade(self, data: msgspec.Raw, at_ns: int) -> Sequence[Event]:
        trade = _TRADE.decode(data)
        if trade.symbol != self._symbol:
            return ()
        [(ticks, lots)] = self._translator.levels([(trade.price, trade.quantity)])
        side = Side.SELL if trade.buyer_is_maker else Side.BUY
        return (TradePrinted(at_ns=at_ns, leg=self._leg, ticks=ticks, lots=lots, side=side),)

    def _futures_order(self, text: str | bytes, at_ns: int) -> Sequence[Event]:
        return self._order(_ORDER.decode(text).order, at_ns)

    def _spot_order(self, text: str | bytes, at_ns: int) -> Sequence[Event]:
        return self._order(_EXECUTION.decode(text), at_ns)

    def _order(self, update: OrderUpdate, at_ns: int) -> Sequence[Event]:
        """An execution goes before the order's new state, so that nobody ever sees the order done and the
        position not yet changed."""
        if update.symbol != self._symbol:
            return ()
        news = order_events(self._translator.order_update(update), leg=self._leg, at_ns=at_ns)
        if update.execution not in EXECUTIONS or not exact(update.fill_quantity):
            return news
        return (OrderFilled(at_ns=at_ns, leg=self._leg, fill=self._translator.stream_fill(update)), *news)

    def _futures_account(self, text: str | bytes, at_ns: int) -> Sequence[Event]:
        account = _ACCOUNT.decode(text).account
        events: list[Event] = []
        if account.reason == FUNDING_FEE:
            events.append(FundingAnnounced(at_ns=at_ns, leg=self._leg))
        rows = [(row.amount, row.entry_price) for row in account.positions if row.symbol == self._symbol]
        if rows:
            position = self._translator.position(rows)
            events.append(PositionReported(at_ns=at_ns, leg=self._leg, requested_ns=None, position=position))
        if account.balances:
            balances = tuple(wallet_balance(held) for held in account.balances)
            events.append(BalancesReported(at_ns=at_ns, leg=self._leg, requested_ns=None, balances=balances))
        return events

    def _spot_account(self, text: str | bytes, at_ns: int) -> Sequence[Event]:
        balances = tuple(spot_balance(held) for held in _SPOT_ACCOUNT.decode(text).balances)
        return (BalancesReported(at_ns=at_ns, leg=self._leg, requested_ns=None, balances=balances),)


def depth_stream(market: str) -> str:
    """The fastest numbered diffs; streams are named in lower case."""
    return f"{market}@depth@100ms"


def trade_stream(market: str) -> str:
    return f"{market}@aggTrade"


def mark_stream(market: str) -> str:
    return f"{market}@markPrice@1s"
