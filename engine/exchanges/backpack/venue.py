"""Backpack as the registry finds it: `VENUE`."""

from __future__ import annotations

import hashlib
from binascii import b2a_base64

import msgspec

from engine.clock import NS_PER_MS, NS_PER_S
from engine.errors import ProtocolError
from engine.exchanges.backpack import signing, wire_markets
from engine.exchanges.backpack.candles import candles
from engine.exchanges.backpack.codec import BackpackCodec
from engine.exchanges.backpack.encode import BATCH_MOST
from engine.exchanges.backpack.instruments import instruments
from engine.exchanges.backpack.refusals import public_failure
from engine.exchanges.backpack.signing import WINDOW_MS, Signer, public_key
from engine.exchanges.interface import (
    BatchRule,
    BookMachine,
    Candle,
    Codec,
    Credentials,
    Endpoints,
    Venue,
    VenueFacts,
)
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.exchanges.replies import UNREADABLE
from engine.exchanges.sequenced_book import SequencedBook, before_first_id
from engine.model.ids import ClientIdScheme
from engine.model.instrument import Instrument, MarketKind

FACTS = VenueFacts(
    name="backpack",
    kinds=frozenset({MarketKind.SPOT, MarketKind.PERP}),
    client_ids=ClientIdScheme(tag_bits=8, sequence_bits=24),
    send_lifetime_ns=WINDOW_MS * NS_PER_MS,
    lookup_only_while_resting=True,
    tells_funding=True,
    requests_per_minute=2_000,
    # Neither the longest batch nor what one counts as is documented: a modest one, and every item counted.
    batches=BatchRule(orders=BATCH_MOST),
    credential_fields=("api_key", "api_secret"),
    funding_times="0 * * * *",
    endpoints={
        "mainnet": Endpoints(rest_url="https://api.backpack.exchange", ws_url="wss://ws.backpack.exchange"),
    },
)

_KLINES = msgspec.json.Decoder(tuple[wire_markets.Kline, ...])
_MARKETS = msgspec.json.Decoder(tuple[wire_markets.MarketView, ...])


class Backpack:
    """See `engine.exchanges.interface.Venue`."""

    facts = FACTS

    def codec(self, *, leg: str, instrument: Instrument, credentials: Credentials, endpoints: Endpoints) -> Codec:
        """ConfigInvalid when key and secret do not belong together."""
        signer = Signer(credentials["api_key"], credentials["api_secret"])
        return BackpackCodec(leg=leg, instrument=instrument, signer=signer, ws_url=endpoints.ws_url)

    def book(self, leg: str) -> BookMachine:
        """A diff's first id follows the last id of the one before it (Streams: Depth, docs.backpack.exchange)."""
        return SequencedBook(leg, before_first_id)

    def account_identity(self, credentials: Credentials) -> str:
        """The API key: it is public, and belongs to one account (of which a person may make several)."""
        return credentials["api_key"]

    def self_check(self) -> None:
        signing.self_check()

    def throwaway_credentials(self, seed: str) -> Credentials:
        secret = hashlib.sha256(seed.encode()).digest()
        return {"api_key": public_key(secret), "api_secret": b2a_base64(secret, newline=False).decode()}

    def instruments_request(self) -> HttpRequest:
        return HttpRequest(method="GET", target="/api/v1/markets")

    def decode_instruments(self, response: HttpResponse) -> tuple[Instrument, ...]:
        """All tradable spot and perp markets."""
        if response.status != 200:
            raise public_failure(response)
        try:
            return instruments(_MARKETS.decode(response.body))
        except UNREADABLE as error:
            raise ProtocolError(f"Backpack's market list makes no sense: {error}") from error

    def candles_request(self, instrument: Instrument, *, since_ns: int) -> HttpRequest:
        target = f"/api/v1/klines?symbol={instrument.symbol}&interval=1m&startTime={since_ns // NS_PER_S}"
        return HttpRequest(method="GET", target=target)

    def decode_candles(self, response: HttpResponse) -> tuple[Candle, ...]:
        """Times are UTC without saying so; an interval without a trade has no prices."""
        if response.status != 200:
            raise public_failure(response)
        try:
            return candles(_KLINES.decode(response.body))
        except UNREADABLE as error:
            raise ProtocolError(f"Backpack's candles make no sense: {error}") from error

    def server_time_request(self) -> HttpRequest:
        return HttpRequest(method="GET", target="/api/v1/time")

    def decode_server_time(self, response: HttpResponse) -> int:
        """The answer is a bare number of milliseconds."""
        if response.status != 200:
            raise public_failure(response)
        try:
            return int(response.body) * NS_PER_MS
        except ValueError as error:
            raise ProtocolError(f"Backpack's clock makes no sense: {response.body[:40]!r}") from error


VENUE: Venue = Backpack()
