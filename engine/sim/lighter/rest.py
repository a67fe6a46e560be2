"""The table of Lighter's REST routes, and how one request passes: path, token, handler, answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec

from engine.clock import NS_PER_S
from engine.exchanges.lighter.wire import NextNonce, Status
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.model.order import OrderStatus, Side
from engine.sim.lighter import forms, render
from engine.sim.lighter.auth import Gate
from engine.sim.lighter.errors import (
    INVALID_PARAMETER,
    INVALID_TOKEN,
    JSON_TYPE,
    NO_ROUTE,
    TX_NOT_FOUND,
    ApiRefusal,
)
from engine.sim.lighter.gateway import Gateway
from engine.sim.lighter.markets import COLLATERAL
from engine.sim.lighter.state import LighterState, market_index
from engine.sim.venue_market import VenueMarket

T = TypeVar("T")
OK = {"code": 200}
PAGE_MAX = 100
BOOK_MAX = 250
ALL_KEYS = 255
_INTERVALS_S = {
    "1m": 60,
    "5m": 300,
    "15m": 900,
    "30m": 1_800,
    "1h": 3_600,
    "4h": 14_400,
    "12h": 43_200,
    "1d": 86_400,
}


@dataclass(slots=True, frozen=True)
class Call:
    """One request on its way; `token` is empty where none was shown."""

    request: HttpRequest
    query: Mapping[str, str]
    token: str
    now_ns: int

    @property
    def name(self) -> str:
        """What is asked for: the last part of the path."""
        return self.request.target.partition("?")[0].rpartition("/")[2]

    def number(self, name: str, default: int | None = None) -> int:
        word = self.query.get(name)
        if word is None and default is not None:
            return default
        if word is None or not word.lstrip("-").isdecimal():
            raise ApiRefusal(INVALID_PARAMETER, more=name)
        return int(word)

    def limit(self, most: int = PAGE_MAX) -> int:
        limit = self.number("limit", most)
        if not 0 < limit <= most:
            raise ApiRefusal(INVALID_PARAMETER, more="limit")
        return limit


class Rest:
    """Answers one request at a time."""

    def __init__(self, state: LighterState, gate: Gate, gateway: Gateway) -> None:
        self._state = state
        self._gate = gate
        self._gateway = gateway
        routes: dict[tuple[str, str], Callable[[Call], object]] = {
            ("GET", "account"): self._account,
            ("GET", "accountActiveOrders"): self._active_orders,
            ("GET", "accountInactiveOrders"): self._inactive_orders,
            ("GET", "accountLimits"): self._limits,
            ("GET", "accountsByL1Address"): self._by_l1_address,
            ("GET", "apikeys"): self._keys,
            ("GET", "assetDetails"): self._assets,
            ("GET", "candles"): self._candles,
            ("GET", "exchangeStats"): self._exchange_stats,
            ("GET", "funding-rates"): self._funding_rates,
            ("GET", "fundings"): lambda _: {**OK, "resolution": "1h", "fundings": []},
            ("GET", "nextNonce"): self._next_nonce,
            ("GET", "orderBookDetails"): self._markets,
            ("GET", "orderBookOrders"): self._book,
            ("GET", "orderBooks"): self._markets_short,
            ("GET", "positionFunding"): self._funding_paid,
            ("GET", "recentTrades"): self._recent_trades,
            ("GET", "trades"): self._trades,
            ("GET", "tx"): self._transaction,
            ("POST", "sendTx"): self._send,
            ("POST", "sendTxBatch"): self._send_batch,
        }
        self._routes = {(method, f"/api/v1/{name}"): handler for (method, name), handler in routes.items()}
        self._routes["GET", "/"] = self._status

    def answer(self, request: HttpRequest, now_ns: int) -> HttpResponse:
        path, _, query = request.target.partition("?")
        parameters = dict(parse_qsl(query, keep_blank_values=True))
        token = next((value for name, value in request.headers if name.lower() == "authorization"), "")
        try:
            handler = self._routes.get((request.method, path))
            if handler is None:
                raise ApiRefusal(NO_ROUTE, status=404)
            payload = handler(Call(request, parameters, token or parameters.get("auth", ""), now_ns))
        except ApiRefusal as refusal:
            return refusal.response()
        return HttpResponse(status=200, headers=(JSON_TYPE,), body=msgspec.json.encode(payload))

    # Everybody's ---------------------------------------------------------------------------------------

    def _status(self, call: Call) -> Status:
        return Status(timestamp=call.now_ns // NS_PER_S)

    def _markets(self, call: Call) -> object:
        details = [
            render.market(at, self._state.exchange.open_interest(at.market.symbol), call.now_ns)
            for at in self._asked_markets(call)
        ]
        return {**OK, "order_book_details": details, "spot_order_book_details": []}

    def _markets_short(self, call: Call) -> object:
        return {**OK, "order_books": [render.market_short(at) for at in self._asked_markets(call)]}

    def _asked_markets(self, call: Call) -> list[VenueMarket]:
        """One by number, or all; 255 also means all."""
        number = call.number("market_id", ALL_KEYS)
        if number != ALL_KEYS:
            return [self._state.market(number, call.now_ns)]
        return list(self._state.exchange.markets.values())

    def _book(self, call: Call) -> object:
        at, limit = self._state.market(call.number("market_id"), call.now_ns), call.limit(BOOK_MAX)
        asks, bids = (self._resting(at, side, limit) for side in (Side.SELL, Side.BUY))
        return {**OK, "total_asks": len(asks), "asks": asks, "total_bids": len(bids), "bids": bids}

    def _resting(self, at: VenueMarket, side: Side, limit: int) -> list[dict[str, object]]:
        """Level by level; whose orders they are is not told here."""
        return [
            {
                "order_index": render.order_index(0),
                "order_id": str(render.order_index(0)),
                "owner_account_index": 0,
                "initial_base_amount": render.size(at, lots),
                "remaining_base_amount": render.size(at, lots),
                "price": render.price(at, ticks),
                "order_expiry": 0,
                "transaction_time": 0,
            }
            for ticks, lots in at.book.levels(side, limit)
        ]

    def _recent_trades(self, call: Call) -> object:
        at = self._state.market(call.number("market_id"), call.now_ns)
        return {**OK, "trades": _newest(self._state.trades_of[at.market.symbol], call.limit())}

    def _candles(self, call: Call) -> object:
        at = self._state.market(call.number("market_id"), call.now_ns)
        seconds = _INTERVALS_S.get(call.query.get("resolution", "1m"))
        if seconds is None:
            raise ApiRefusal(INVALID_PARAMETER, more="resolution")
        since_ns, until_ns = (_moment_ns(call.number(name)) for name in ("start_timestamp", "end_timestamp"))
        found = at.tape.candles(seconds * NS_PER_S, since_ns, until_ns)
        price = at.market.instrument.price
        rows = [
            {
                "t": candle.start_ns // 1_000_000,
                "o": float(price(candle.open)),
                "h": float(price(candle.high)),
                "l": float(price(candle.low)),
                "c": float(price(candle.close)),
                "v": float(at.market.instrument.size(candle.lots)),
                "V": float(at.market.value(candle.value)),
                "i": at.last_trade_id,
            }
            for candle in found[-call.number("count_back", 500) :]
        ]
        return {**OK, "r": call.query.get("resolution", "1m"), "c": rows}

    def _exchange_stats(self, call: Call) -> object:
        markets = self._state.exchange.markets.values()
        rows = [render.market(at, 0, call.now_ns) for at in markets]
        names = (
            "symbol",
            "last_trade_price",
            "daily_trades_count",
            "daily_base_token_volume",
            "daily_quote_token_volume",
            "daily_price_change",
        )
        stats = [{name: row[name] for name in names} for row in rows]
        return {**OK, "total": len(rows), "order_book_stats": stats, "daily_usd_volume": 0, "daily_trades_count": 0}

    def _funding_rates(self, _: Call) -> object:
        rates = [
            {
                "market_id": market_index(at),
                "exchange": "lighter",
                "symbol": at.market.symbol,
                "rate": float(at.funding_rate),
            }
            for at in self._state.exchange.markets.values()
        ]
        return {**OK, "funding_rates": rates}

    def _assets(self, _: Call) -> object:
        usdc = {
            "asset_id": render.ASSET_ID,
            "symbol": COLLATERAL,
            "l1_decimals": 6,
            "decimals": 6,
            "min_transfer_amount": "1.000000",
            "min_withdrawal_amount": "1.000000",
            "margin_mode": "enabled",
            "index_price": "1.000000",
            "l1_address": render.l1_address(0),
        }
        return {**OK, "asset_details": [usdc]}

    # An account's --------------------------------------------------------------------------------------

    def _account(self, call: Call) -> object:
        by, value = call.query.get("by", "index"), call.query.get("value", "")
        index = int(value, 16) if by == "l1_address" and value.startswith("0x") else call.number("value")
        name = self._state.name_of(index)
        self._gate.count(name, call.name, call.now_ns)
        return {**OK, "total": 1, "accounts": [render.account(name, self._state)]}

    def _by_l1_address(self, call: Call) -> object:
        address = call.query.get("l1_address", "")
        found = [i for i in self._state.names if render.l1_address(i) == address.lower()]
        accounts = [render.sub_account(self._state.names[index], self._state) for index in found]
        return {**OK, "l1_address": address, "sub_accounts": accounts}

    def _keys(self, call: Call) -> object:
        account, wanted = call.number("account_index"), call.number("api_key_index", ALL_KEYS)
        self._state.name_of(account)
        keys = [
            {
                "account_index": account,
                "api_key_index": index,
                "nonce": key.nonce,
                "public_key": key.public_key.hex(),
                "transaction_time": 0,
            }
            for (owner, index), key in self._state.keys.items()
            if owner == account and wanted in (ALL_KEYS, index)
        ]
        return {**OK, "api_keys": keys}

    def _next_nonce(self, call: Call) -> NextNonce:
        account = call.number("account_index")
        key = self._gate.key(account, call.number("api_key_index"))
        self._gate.count(self._state.name_of(account), call.name, call.now_ns)
        return NextNonce(code=200, nonce=key.nonce)

    def _limits(self, _: Call) -> object:
        return {
            **OK,
            "max_llp_percentage": 25,
            "max_llp_amount": "0",
            "user_tier": "standard",
            "user_tier_name": "standard",
            "can_create_public_pool": False,
            "current_maker_fee_tick": 0,
            "current_taker_fee_tick": 0,
            "effective_lit_stakes": "0",
            "leased_lit": "0",
            "bo_user_tier_name": "standard",
            "bo_fee_rate": 1,
        }

    def _active_orders(self, call: Call) -> object:
        name = self._owner(call)
        exchange = self._state.exchange
        symbol = self._asked_symbol(call)
        orders = [
            render.order(order, exchange.markets[order.symbol], self._state)
            for order in exchange.open_orders(name, symbol)
        ]
        return {**OK, "orders": orders}

    def _inactive_orders(self, call: Call) -> object:
        """Newest first; those the sequencer would not have are among them."""
        name, symbol = self._owner(call), self._asked_symbol(call)
        markets = self._state.exchange.markets
        closed = [
            (order, None)
            for order in self._state.exchange.order_history(name)
            if order.status is not OrderStatus.RESTING
        ]
        refused = [(ended.order, ended.status) for ended in self._state.refused[name]]
        asked = [row for row in [*closed, *refused] if symbol in (None, row[0].symbol)]
        asked.sort(key=lambda row: row[0].updated_ns, reverse=True)
        rows = asked[: call.limit()]
        orders = [render.order(order, markets[order.symbol], self._state, status) for order, status in rows]
        return {**OK, "orders": orders}

    def _trades(self, call: Call) -> object:
        """Newest first unless asked otherwise; those of an account for its token only."""
        if "account_index" in call.query:
            trades = list(self._state.trades_of[self._owner(call)])
        else:
            markets = self._asked_markets(call)
            trades = [trade for at in markets for trade in self._state.trades_of[at.market.symbol]]
        number = call.number("market_id", ALL_KEYS)
        rows = [trade for trade in trades if number in (ALL_KEYS, trade.market_id)]
        if call.query.get("sort_dir") == "asc":
            return {**OK, "trades": rows[: call.limit()]}
        return {**OK, "trades": _newest(rows, call.limit())}

    def _funding_paid(self, call: Call) -> object:
        """Newest first; of one market or several, by number, or of all."""
        name, markets = self._owner(call), self._state.exchange.markets
        asked = call.query.get("market_ids") or call.query.get("market_id", "")
        numbers = {number for number in asked.split(",") if number not in ("", str(ALL_KEYS))}
        paid = ((payment, markets[payment.symbol]) for payment in self._state.funding.paid_to(name))
        rows = [render.funding(one, at) for one, at in paid if not numbers or str(market_index(at)) in numbers]
        return {**OK, "position_fundings": rows[: call.limit()]}

    def _transaction(self, call: Call) -> object:
        found = self._state.transactions.get(call.query.get("value", ""))
        if found is None:
            raise ApiRefusal(TX_NOT_FOUND)
        return {**OK, **msgspec.to_builtins(found), "committed_at": 0, "verified_at": 0}

    def _owner(self, call: Call) -> str:
        """The account asked for, which must be the token's."""
        account, _ = self._gate.token_owner(call.token, call.now_ns)
        if call.number("account_index") != account:
            raise ApiRefusal(INVALID_TOKEN)
        name = self._state.name_of(account)
        self._gate.count(name, call.name, call.now_ns)
        return name

    def _asked_symbol(self, call: Call) -> str | None:
        number = call.number("market_id", ALL_KEYS)
        return None if number == ALL_KEYS else self._state.market(number, call.now_ns).market.symbol

    # Transactions --------------------------------------------------------------------------------------

    def _send(self, call: Call) -> object:
        said = forms.fields(call.request)
        info = forms.transaction(said.get("tx_info", ""))
        return self._gateway.send(forms.number(said.get("tx_type")), info, call.now_ns)

    def _send_batch(self, call: Call) -> object:
        said = forms.fields(call.request)
        types, infos = forms.parsed(said.get("tx_types", "")), forms.parsed(said.get("tx_infos", ""))
        return self._gateway.send_batch(
            [forms.number(tx_type) for tx_type in types], [forms.transaction(info) for info in infos], call.now_ns
        )


def _newest(rows: Iterable[T], limit: int) -> list[T]:
    return list(rows)[::-1][:limit]


def _moment_ns(moment: int) -> int:
    """Seconds or milliseconds, as clients please."""
    return moment * NS_PER_S if moment < 10**11 else moment * 1_000_000
