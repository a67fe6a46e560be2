"""Where the two APIs, and the two generations of each, keep their routes.

One difference in names is one line here, so that the encoder and the simulated venue read as if there were one API.
"""

from __future__ import annotations

from engine.clock import NS_PER_MS
from engine.exchanges.aster.client_ids import CLIENT_IDS
from engine.exchanges.aster.limits import WEIGHTS_PER_MINUTE, weight_classes
from engine.exchanges.interface import BatchRule, Endpoints, NonceRule, VenueFacts
from engine.model.instrument import MarketKind

VENUE_NAMES = {MarketKind.PERP: "aster", MarketKind.SPOT: "aster-spot"}

MAINNET_CHAIN, TESTNET_CHAIN = 1666, 714
NONCE_WINDOW_MS = 10_000
"""How far an EIP-712 request's nonce may lie from the venue's clock."""

PREFIXES = {MarketKind.PERP: "/fapi", MarketKind.SPOT: "/api"}
BATCHES = {MarketKind.PERP: BatchRule(orders=5, cancels=10), MarketKind.SPOT: BatchRule()}
"""Spot documents none."""
_HOSTS = {MarketKind.PERP: ("fapi", "fstream"), MarketKind.SPOT: ("sapi", "sstream")}

_OTHER_GENERATIONS = {"/balance": "/v2/balance", "/positionRisk": "/v2/positionRisk"}
"""Futures routes that HMAC keys find under another number than v1."""


def facts(kind: MarketKind) -> VenueFacts:
    rest, stream = _HOSTS[kind]
    return VenueFacts(
        name=VENUE_NAMES[kind],
        kinds=frozenset({kind}),
        client_ids=CLIENT_IDS,
        send_lifetime_ns=NONCE_WINDOW_MS * NS_PER_MS,
        lookup_only_while_resting=False,
        requests_per_minute=WEIGHTS_PER_MINUTE[kind],
        weight_classes=weight_classes(kind),
        batches=BATCHES[kind],
        can_amend=kind is MarketKind.PERP,
        tells_funding=kind is MarketKind.PERP,
        # Either user and private_key (v3), or api_key and api_secret (v1, keys of before March 2026).
        credential_fields=("user", "private_key", "api_key", "api_secret"),
        dead_mans_switch=kind is MarketKind.PERP,
        nonces=NonceRule.CLOCK_US,
        funding_times="0 */4 * * *" if kind is MarketKind.PERP else "",
        endpoints={
            name: Endpoints(rest_url=f"https://{rest}.{domain}.com", ws_url=f"wss://{stream}.{domain}.com")
            for name, domain in (("mainnet", "asterdex"), ("testnet", "asterdex-testnet"))
        },
    )


def chain_of(endpoints: Endpoints) -> int:
    """The chain id signatures name; a simulated venue counts as mainnet."""
    return TESTNET_CHAIN if "asterdex-testnet" in endpoints.rest_url else MAINNET_CHAIN


def public_path(kind: MarketKind, route: str) -> str:
    """Public data is alike in both generations."""
    return f"{PREFIXES[kind]}/v3{route}"


def private_path(kind: MarketKind, generation: int, route: str) -> str:
    if generation == 1 and kind is MarketKind.PERP and route in _OTHER_GENERATIONS:
        return PREFIXES[kind] + _OTHER_GENERATIONS[route]
    return f"{PREFIXES[kind]}/v{generation}{route}"
