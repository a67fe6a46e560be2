"""One request on its way through a handler: who asks, for what, when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from engine.clock import NS_PER_MS
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.exchanges.paradex.wire import Page
from engine.sim.paradex.auth import Caller, Door
from engine.sim.paradex.errors import JSON_TYPE, ApiRefusal, invalid, unauthorised
from engine.sim.paradex.state import ParadexState
from engine.sim.paradex.trading import Trading
from engine.sim.venue_market import VenueMarket

T = TypeVar("T")
PAGE_MAX = 5_000


@dataclass(slots=True, frozen=True)
class Venue:
    """What every handler works with."""

    state: ParadexState
    door: Door
    trading: Trading


@dataclass(slots=True, frozen=True)
class Call:
    """`part` is the piece of the path that names a thing; public requests have no caller."""

    venue: Venue
    request: HttpRequest
    part: str
    query: Mapping[str, str]
    now_ns: int
    signed_in: Caller | None = None

    @property
    def state(self) -> ParadexState:
        return self.venue.state

    @property
    def caller(self) -> Caller:
        if self.signed_in is None:
            raise unauthorised("missing or malformed jwt")
        return self.signed_in

    @property
    def asked_market(self) -> str | None:
        """The market asked for, None for all of them."""
        market = self.query.get("market")
        return None if market in (None, "", "ALL") else market

    def market(self, symbol: str | None = None) -> VenueMarket:
        return self.state.market(symbol or self.query.get("market", ""), self.now_ns)

    def number(self, name: str, default: int, *, most: int | None = None) -> int:
        """A query parameter that must be a whole number from 0 on."""
        word = self.query.get(name, "")
        if not word:
            return default
        if not word.isdecimal() or len(word) > 18 or (most is not None and int(word) > most):
            raise ApiRefusal(400, "INVALID_REQUEST_PARAMETER", f"invalid {name}")
        return int(word)

    def within(self, at_ns: int) -> bool:
        """Whether a moment lies between `start_at` and `end_at`."""
        at_ms = at_ns // NS_PER_MS
        return self.number("start_at", 0) <= at_ms <= self.number("end_at", at_ms)

    def page(self, rows: list[T]) -> Page[T]:
        """The part of the rows that `cursor` and `page_size` ask for. A cursor is an offset here."""
        offset, size = self.number("cursor", 0), self.number("page_size", 100, most=PAGE_MAX)
        more = str(offset + size) if len(rows) > offset + size else None
        return Page(results=tuple(rows[offset : offset + size]), next=more)

    def decode(self, kind: type[T]) -> T:
        """The JSON body as a wire type."""
        try:
            return msgspec.json.decode(self.request.body, type=kind)
        except (msgspec.DecodeError, RecursionError):
            raise ApiRefusal(400, "BINDING_ERROR", "request body cannot be read") from None


def answer(status: int, payload: object) -> HttpResponse:
    """JSON, or nothing at all for None."""
    body = b"" if payload is None else msgspec.json.encode(payload)
    return HttpResponse(status=status, headers=(JSON_TYPE,), body=body)


def whole_number(text: str, name: str) -> int:
    """A hexadecimal number of a path or body."""
    try:
        return int(text, 16)
    except ValueError:
        raise invalid(f"invalid {name}") from None
