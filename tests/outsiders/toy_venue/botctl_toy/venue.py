"""The toy as botctl's registry finds it: `VENUE`, named by the entry point `botctl.exchanges`."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from botctl_toy.codec import UNREADABLE, ToyCodec
from engine.clock import NS_PER_S
from engine.errors import ProtocolError, Unavailable
from engine.exchanges.interface import BookMachine, Codec, Credentials, Endpoints, VenueFacts
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.model.events import BookLost, BookUpdated, DepthChanged, DepthSnapshot
from engine.model.ids import ClientIdScheme
from engine.model.instrument import Instrument, MarketKind


class ToyBook:
    """Every diff brings the whole book; only its number must follow the last one."""

    def __init__(self, leg: str) -> None:
        self._leg = leg
        self._last_id: int | None = None

    @property
    def wants_snapshot(self) -> bool:
        return self._last_id is None

    def changed(self, event: DepthChanged) -> BookUpdated | BookLost | None:
        if self._last_id is None:
            return None
        if event.first_id != self._last_id + 1:
            self._last_id = None
            return BookLost(at_ns=event.at_ns, leg=self._leg, reason="gap")
        return self._show(event)

    def snapshot(self, event: DepthSnapshot) -> BookUpdated | BookLost | None:
        return self._show(event)

    def reset(self) -> None:
        self._last_id = None

    def _show(self, event: DepthChanged | DepthSnapshot) -> BookUpdated:
        self._last_id = event.last_id
        return BookUpdated(at_ns=event.at_ns, leg=self._leg, bids=event.bids, asks=event.asks)


class ToyVenue:
    facts = VenueFacts(
        name="toy",
        kinds=frozenset({MarketKind.PERP}),
        client_ids=ClientIdScheme(tag_bits=8, sequence_bits=24),
        send_lifetime_ns=5 * NS_PER_S,
        lookup_only_while_resting=False,
        requests_per_minute=600,
        credential_fields=("api_key", "api_secret"),
        endpoints={"mainnet": Endpoints(rest_url="https://api.toy.example", ws_url="wss://ws.toy.example")},
    )

    def codec(self, *, leg: str, instrument: Instrument, credentials: Credentials, endpoints: Endpoints) -> Codec:
        return ToyCodec(leg, instrument, credentials["api_key"], credentials["api_secret"], endpoints.ws_url)

    def book(self, leg: str) -> BookMachine:
        return ToyBook(leg)

    def account_identity(self, credentials: Credentials) -> str:
        return credentials["api_key"]

    def throwaway_credentials(self, seed: str) -> Credentials:
        return {field: sha256(f"{field}/{seed}".encode()).hexdigest() for field in self.facts.credential_fields}

    def instruments_request(self) -> HttpRequest:
        return HttpRequest(method="GET", target="/markets")

    def decode_instruments(self, response: HttpResponse) -> tuple[Instrument, ...]:
        return self._read(response, tuple[Instrument, ...])

    def server_time_request(self) -> HttpRequest:
        return HttpRequest(method="GET", target="/time")

    def decode_server_time(self, response: HttpResponse) -> int:
        return self._read(response, int)

    def _read(self, response: HttpResponse, kind):
        if response.status != 200:
            raise Unavailable(f"status {response.status}")
        try:
            return msgspec.json.decode(response.body, type=kind)
        except UNREADABLE as error:
            raise ProtocolError("the answer makes no sense") from error


VENUE = ToyVenue()
