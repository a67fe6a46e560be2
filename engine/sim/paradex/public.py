"""The public routes: system, onboarding and login, markets, book, trades, candles, funding."""

from __future__ import annotations

from engine.clock import NS_PER_MS, NS_PER_S
from engine.exchanges.paradex import wire
from engine.exchanges.paradex.chains import TESTNET
from engine.model.instrument import plain
from engine.model.order import Side
from engine.sim.paradex import render
from engine.sim.paradex.calls import Call, whole_number
from engine.sim.paradex.errors import invalid
from engine.sim.paradex.markets import FUNDING_HOURS, SETTLEMENT, wire_market

BOOK_DEPTH, BOOK_DEPTH_MAX = 20, 100
MINUTE_NS = 60 * NS_PER_S
RESOLUTIONS = frozenset({"1", "3", "5", "15", "30", "60"})


class _PublicKey(wire.WireObject, frozen=True, kw_only=True):
    public_key: str


def config(_: Call) -> dict[str, object]:
    """GET /system/config: the test chain's; there is no full node behind it."""
    token = {"name": "Simulated USDC", "symbol": SETTLEMENT, "decimals": 6}
    token |= dict.fromkeys(
        ("l1_token_address", "l1_bridge_address", "l2_token_address", "l2_bridge_address"), "0x0"
    )
    return {
        "starknet_gateway_url": "http://127.0.0.1/",
        "starknet_fullnode_rpc_url": "http://127.0.0.1/",
        "starknet_fullnode_rpc_base_url": "http://127.0.0.1/",
        "starknet_chain_id": TESTNET.chain_id,
        "block_explorer_url": "http://127.0.0.1/",
        "paraclear_address": "0x0",
        "paraclear_decimals": 8,
        "paraclear_account_proxy_hash": hex(TESTNET.account_proxy_hash),
        "paraclear_account_hash": hex(TESTNET.account_hash),
        "oracle_address": "0x0",
        "bridged_tokens": [token],
        "l1_core_contract_address": "0x0",
        "l1_operator_address": "0x0",
        "l1_chain_id": str(TESTNET.l1_chain_id),
        "liquidation_fee": "0.2",
    }


def time(call: Call) -> wire.ServerTime:
    """GET /system/time."""
    return wire.ServerTime(server_time=str(call.now_ns // NS_PER_MS))


def status(_: Call) -> dict[str, object]:
    """GET /system/state."""
    return {"status": "ok"}


def login(call: Call) -> wire.Jwt:
    """POST /auth and /auth/{public_key}."""
    usage = call.query.get("token_usage", "")
    token = call.venue.door.login(call.request, call.part.lower() or None, usage, call.now_ns)
    return wire.Jwt(jwt_token=token)


def onboard(call: Call) -> None:
    """POST /onboarding: 200 without a body."""
    key = whole_number(call.decode(_PublicKey).public_key, "public_key")
    call.venue.door.onboard(call.request, key)


def membership(call: Call) -> dict[str, object]:
    """GET /onboarding: whether a key is known."""
    key = whole_number(call.query.get("public_key", ""), "public_key")
    member = next((one for one in call.state.members.values() if key in one.keys), None)
    return {
        "address": hex(member.address) if member else "",
        "exists": member is not None,
        "account_signer_type": "starknet",
    }


def markets(call: Call) -> wire.Page[wire.Market]:
    """GET /markets."""
    asked = call.asked_market
    every = call.state.exchange.markets.values()
    if asked is not None:
        call.market()
    return wire.Page(results=tuple(wire_market(at.market) for at in every if asked in (None, at.market.symbol)))


def summaries(call: Call) -> wire.Page[wire.Summary]:
    """GET /markets/summary."""
    exchange = call.state.exchange
    every = [call.market()] if call.asked_market else exchange.markets.values()
    return wire.Page(
        results=tuple(render.summary(at, exchange.open_interest(at.market.symbol), call.now_ns) for at in every)
    )


def book(call: Call) -> wire.OrderBook:
    """GET /orderbook/{market}: both sides best first."""
    at = call.market(call.part)
    depth = call.number("depth", BOOK_DEPTH, most=BOOK_DEPTH_MAX)
    return wire.OrderBook(
        market=at.market.symbol,
        seq_no=at.update_id,
        last_updated_at=call.now_ns // NS_PER_MS,
        bids=tuple(render.level(at, ticks, lots) for ticks, lots in at.book.levels(Side.BUY, depth)),
        asks=tuple(render.level(at, ticks, lots) for ticks, lots in at.book.levels(Side.SELL, depth)),
    )


def bbo(call: Call) -> dict[str, object]:
    """GET /bbo/{market}."""
    return render.bbo(call.market(call.part), call.now_ns)


def trades(call: Call) -> wire.Page[dict[str, object]]:
    """GET /trades, newest first."""
    at = call.market()
    rows = [render.trade(one, at) for one in reversed(at.tape.trades) if call.within(one.at_ns)]
    return call.page(rows)


def klines(call: Call) -> dict[str, object]:
    """GET /markets/klines: [time, open, high, low, close, volume] as numbers."""
    at, resolution = call.market(call.query.get("symbol")), call.query.get("resolution", "1")
    if resolution not in RESOLUTIONS:
        raise invalid("invalid resolution")
    instrument = at.market.instrument
    since_ns, until_ns = (call.number(name, 0) * NS_PER_MS for name in ("start_at", "end_at"))
    candles = at.tape.candles(int(resolution) * MINUTE_NS, since_ns, until_ns or call.now_ns)
    rows = [
        [
            candle.start_ns // NS_PER_MS,
            *(float(instrument.price(ticks)) for ticks in (candle.open, candle.high, candle.low, candle.close)),
            float(instrument.size(candle.lots)),
        ]
        for candle in candles
    ]
    return {"results": rows}


def funding(call: Call) -> wire.Page[dict[str, object]]:
    """GET /funding/data: the interval that is running."""
    at = call.market()
    row: dict[str, object] = {
        "market": at.market.symbol,
        "funding_index": "0",
        "funding_premium": plain(at.mark - at.index),
        "funding_rate": plain(at.funding_rate),
        "funding_rate_8h": plain(at.funding_rate),
        "funding_period_hours": FUNDING_HOURS,
        "created_at": call.now_ns // NS_PER_MS,
    }
    return call.page([row])
