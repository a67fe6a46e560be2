"""Backpack's public facts: its market list and its clock."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from engine.errors import ConfigInvalid, ProtocolError, RateLimited, Unavailable
from engine.exchanges.backpack.venue import VENUE
from engine.exchanges.interface import Endpoints
from engine.exchanges.messages import HttpResponse
from engine.model.instrument import MarketKind
from tests.wire.backpack.support import INSTRUMENTS


def market(**changes: Any) -> dict[str, Any]:
    """The market object of the Markets page."""
    band = {"maxMultiplier": "1.1", "minMultiplier": "0.9"}
    price = {"minPrice": "0.01", "tickSize": "0.010", "minMultiplier": None, "meanMarkPriceBand": band}
    quantity = {"minQuantity": "0.05", "maxQuantity": None, "stepSize": "0.01"}
    found = {
        "symbol": "SOL_USDC_PERP",
        "baseSymbol": "SOL",
        "quoteSymbol": "USDC",
        "marketType": "PERP",
        "filters": {"price": price, "quantity": quantity},
        "imfFunction": {"type": "sqrt", "base": "0.02", "factor": "0.00006"},
        "fundingInterval": 3600000,
        "openInterestLimit": "4000000",
        "orderBookState": "Open",
        "createdAt": "2025-01-21T06:34:54.691858",
        "visible": True,
        "rwaMarketType": None,
    }
    return found | changes


def listed(*markets: Any) -> HttpResponse:
    return HttpResponse(status=200, body=json.dumps(markets).encode())


def test_a_market_becomes_an_instrument() -> None:
    (perp,) = VENUE.decode_instruments(listed(market()))
    assert (perp.symbol, perp.kind, perp.base, perp.quote) == ("SOL_USDC_PERP", MarketKind.PERP, "SOL", "USDC")
    assert (perp.tick_size, perp.lot_size, perp.min_size) == (Decimal("0.01"), Decimal("0.01"), Decimal("0.05"))
    assert (perp.maker_fee, perp.taker_fee) == (Decimal("0.0002"), Decimal("0.0005"))
    assert perp.min_notional == 0


def test_a_spot_market_and_a_dotted_symbol_are_markets_too() -> None:
    spot = market(symbol="AAPL.US_USDC", baseSymbol="AAPL.US", marketType="SPOT")
    (found,) = VENUE.decode_instruments(listed(spot))
    assert (found.symbol, found.kind, found.maker_fee) == ("AAPL.US_USDC", MarketKind.SPOT, Decimal("0.0008"))


@pytest.mark.parametrize(
    "change", [{"orderBookState": "Closed"}, {"visible": False}, {"marketType": "RFQ"}, {"marketType": "DATED"}]
)
def test_what_cannot_be_traded_here_is_left_out(change: dict[str, Any]) -> None:
    assert VENUE.decode_instruments(listed(market(**change))) == ()


@pytest.mark.parametrize("state", ["Open", "CancelOnly", "LimitOnly", "PostOnly"])
def test_a_restricted_market_is_still_listed(state: str) -> None:
    assert len(VENUE.decode_instruments(listed(market(orderBookState=state)))) == 1


def test_a_tick_of_zero_is_a_protocol_error() -> None:
    broken = market()
    broken["filters"]["price"]["tickSize"] = "0"
    with pytest.raises(ProtocolError):
        VENUE.decode_instruments(listed(broken))


@pytest.mark.parametrize(("status", "error"), [(429, RateLimited), (503, Unavailable), (404, Unavailable)])
def test_a_failed_public_request_is_not_an_empty_answer(status: int, error: type[Exception]) -> None:
    response = HttpResponse(status=status, body=b"[]")
    with pytest.raises(error):
        VENUE.decode_instruments(response)
    with pytest.raises(error):
        VENUE.decode_server_time(response)


def test_the_clock_is_a_bare_number_of_milliseconds() -> None:
    assert VENUE.decode_server_time(HttpResponse(status=200, body=b"1790133798064")) == 1790133798064000000
    with pytest.raises(ProtocolError):
        VENUE.decode_server_time(HttpResponse(status=200, body=b"soon"))


@pytest.mark.parametrize("secret", ["", "short", "not base64!", "AAAA"])
def test_a_secret_that_cannot_be_one_is_a_configuration_error_that_does_not_show_it(secret: str) -> None:
    key = VENUE.throwaway_credentials("a")["api_key"]
    with pytest.raises(ConfigInvalid) as caught:
        VENUE.codec(
            leg="main",
            instrument=INSTRUMENTS["spot"],
            credentials={"api_key": key, "api_secret": secret},
            endpoints=Endpoints(rest_url="", ws_url=""),
        )
    assert not secret or secret not in str(caught.value)


def test_a_key_of_another_secret_is_a_configuration_error_that_does_not_show_it() -> None:
    mine, other = VENUE.throwaway_credentials("mine"), VENUE.throwaway_credentials("other")
    with pytest.raises(ConfigInvalid) as caught:
        VENUE.codec(
            leg="main",
            instrument=INSTRUMENTS["spot"],
            credentials={"api_key": other["api_key"], "api_secret": mine["api_secret"]},
            endpoints=Endpoints(rest_url="", ws_url=""),
        )
    assert mine["api_secret"] not in str(caught.value)
