"""What an account may choose on Paradex: the `options` of an account in fleet.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from engine.errors import ConfigInvalid
from engine.model.value import Value


class OrderEntry(StrEnum):
    """Which way orders and cancels go."""

    REST = "rest"
    WEBSOCKET = "websocket"


class ParadexOptions(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`cancel_on_disconnect`: the venue cancels what was placed on a socket when it loses that socket. It knows
    nothing of the sort for orders that came by REST."""

    order_entry: OrderEntry = OrderEntry.REST
    cancel_on_disconnect: bool = False


def read_options(written: Mapping[str, Any]) -> ParadexOptions:
    """The options as they stand in a fleet; ConfigInvalid says what is wrong with them."""
    try:
        options = msgspec.convert(written, ParadexOptions)
    except msgspec.ValidationError as error:
        raise ConfigInvalid(f"Paradex's options are not understood: {error}") from error
    if options.cancel_on_disconnect and options.order_entry is OrderEntry.REST:
        raise ConfigInvalid(
            "cancel_on_disconnect covers orders that were placed on a socket, and these go by REST",
            hint="write `order_entry: websocket` beside it",
        )
    return options
