"""What a person may choose for an account on Lighter, under `options` in fleet.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from engine.errors import ConfigInvalid
from engine.model.value import Value

SHORTEST_ORDER_LIFE_S = 330
"""The venue wants five minutes when the order arrives there; half a minute is for the way and for its clock."""


class Tier(StrEnum):
    """What the account pays for: a standard one has no fees, few requests and longer delays."""

    STANDARD = "standard"
    PREMIUM = "premium"


class OrderEntry(StrEnum):
    """Which way transactions go."""

    REST = "rest"
    WEBSOCKET = "websocket"


class LighterOptions(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`tx_lifetime_s`: how long after signing a transaction is still taken. None: what the native signer writes,
    ten minutes. Any other figure is signed in Python, which costs three milliseconds an order, and makes lost sends
    certain that much sooner.

    `order_life_s`: when a resting order ends by itself although nobody cancels it.
    """

    tier: Tier = Tier.STANDARD
    tx_lifetime_s: Annotated[int, msgspec.Meta(ge=10, le=599)] | None = None
    order_entry: OrderEntry = OrderEntry.WEBSOCKET
    order_life_s: Annotated[int, msgspec.Meta(ge=SHORTEST_ORDER_LIFE_S, le=29 * 86_400)] = 28 * 86_400


def read_options(written: Mapping[str, Any]) -> LighterOptions:
    """The options as they stand in a fleet; ConfigInvalid says what is wrong with them."""
    try:
        return msgspec.convert(written, LighterOptions)
    except msgspec.ValidationError as error:
        raise ConfigInvalid(f"Lighter's options are not understood: {error}") from error
