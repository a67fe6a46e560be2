"""What `botctl sim` tells people: what the accounts it makes up own, and how known clients are pointed at a venue.
The tests run these lines.
"""

from __future__ import annotations

from decimal import Decimal

from engine.model.instrument import MarketKind
from engine.sim.venues import simulated_markets

QUOTE_OWNED = Decimal(100_000)
BASES_OWNED = {
    "SOL": Decimal(500),
    "ETH": Decimal(20),
    "BTC": Decimal(1),
    "ASTER": Decimal(50_000),
    "PEPE": Decimal(5_000_000_000),
}

_CCXT_BACKPACK = (
    """exchange.urls["api"] = {"public": "REST", "private": "REST", "ws": {"public": "WS", "private": "WS"}}"""
)
_CCXT_ASTER = 'exchange.urls["api"] |= {"fapiPublic": "REST/fapi", "fapiPrivate": "REST/fapi"}'
_CCXT_ASTER_SPOT = 'exchange.urls["api"] |= {"sapiPublic": "REST/api", "sapiPrivate": "REST/api"}'
_CCXT_LIGHTER = 'exchange.urls["api"] = {"root": "REST", "public": "REST", "private": "REST", "ws": "WS"}'

_HINTS = {
    "aster": {
        "curl": '"REST/fapi/v3/depth?symbol=SOLUSDT&limit=5"',
        "ccxt": f"{_CCXT_ASTER}\n(it asks for spot as well: `botctl sim aster-spot`)",
    },
    "aster-spot": {
        "curl": '"REST/api/v3/depth?symbol=SOLUSDT&limit=5"',
        "ccxt": f"{_CCXT_ASTER_SPOT}\n(it asks for perps as well: `botctl sim aster`)",
    },
    "backpack": {
        "curl": '"REST/api/v1/depth?symbol=SOL_USDC"',
        "bpx-py": 'BaseAccount.BPX_API_URL = BasePublic.BASE_URL = "REST/"',
        "ccxt": _CCXT_BACKPACK,
    },
    "lighter": {
        "curl": '"REST/api/v1/orderBookOrders?market_id=2&limit=5"',
        "lighter-sdk": 'lighter.ApiClient(configuration=lighter.Configuration(host="REST"))',
        "ccxt": _CCXT_LIGHTER,
    },
    "paradex": {
        "curl": '"REST/v1/orderbook/SOL-USD-PERP"',
        "ccxt": 'exchange.urls["api"] = {"v1": "REST/v1"}',
    },
}


def own_balances(venue: str) -> dict[str, Decimal]:
    """Enough to trade each of the venue's markets: what is paid with, and of spot markets also what is sold."""
    markets = simulated_markets(venue)
    bases = {market.base for market in markets if market.kind is MarketKind.SPOT}
    owned = {market.quote: QUOTE_OWNED for market in markets}
    return owned | {base: amount for base, amount in BASES_OWNED.items() if base in bases}


def hints(venue: str, rest_url: str, ws_url: str) -> dict[str, str]:
    """By client, the line that points it at the simulator; more lines are for people only."""
    return {client: line.replace("REST", rest_url).replace("WS", ws_url) for client, line in _HINTS[venue].items()}


def usage(venue: str, rest_url: str, ws_url: str) -> str:
    """What is printed beneath the accounts."""
    indent = "\n" + " " * 15
    lines = [
        f"  {client:<12} {line.replace(chr(10), indent)}" for client, line in hints(venue, rest_url, ws_url).items()
    ]
    said = ["", "Point a client at it, for example", *lines]
    return "\n".join([*said, "Ctrl-C stops it; everything in it is forgotten then."])
