"""Aster's two APIs as the registry finds them: `VENUE` for perps, `spot.VENUE` for spot."""

from __future__ import annotations

import hashlib

import msgspec

from engine.clock import NS_PER_MS
from engine.errors import ConfigInvalid, ProtocolError
from engine.exchanges.aster import signing, wire
from engine.exchanges.aster.apis import chain_of, facts, public_path
from engine.exchanges.aster.candles import candles_request, decode_candles
from engine.exchanges.aster.codec import UNREADABLE, AsterCodec
from engine.exchanges.aster.instruments import instruments
from engine.exchanges.aster.refusals import request_failure
from engine.exchanges.aster.signing import HmacSigner, Signer, WalletSigner
from engine.exchanges.interface import BookMachine, Candle, Codec, Credentials, Endpoints, Venue
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.exchanges.sequenced_book import SequencedBook, before_first_id
from engine.model.events import DepthChanged
from engine.model.instrument import Instrument, MarketKind

_EXCHANGE = msgspec.json.Decoder(wire.ExchangeInfoView)
_TIME = msgspec.json.Decoder(wire.ServerTime)


class Aster:
    """See `engine.exchanges.interface.Venue`."""

    def __init__(self, kind: MarketKind) -> None:
        self.facts = facts(kind)
        self._kind = kind

    def codec(self, *, leg: str, instrument: Instrument, credentials: Credentials, endpoints: Endpoints) -> Codec:
        """ConfigInvalid when the credentials are of neither kind."""
        signer = signer_of(credentials, endpoints)
        return AsterCodec(leg=leg, instrument=instrument, signer=signer, ws_url=endpoints.ws_url)

    def book(self, leg: str) -> BookMachine:
        """Perps chain by `pu` alone, their ids jump; spot ids follow each other (Managing a local order book)."""
        return SequencedBook(leg, _before_previous_id if self._kind is MarketKind.PERP else before_first_id)

    def account_identity(self, credentials: Credentials) -> str:
        """The main wallet's address, whichever agent signs for it; for HMAC the key, which is public."""
        return credentials["user"].lower() if credentials.get("user") else credentials["api_key"]

    def self_check(self) -> None:
        signing.self_check()

    def throwaway_credentials(self, seed: str) -> Credentials:
        """A wallet that signs for itself, and an HMAC key of the same account."""
        private_key, api_key, api_secret = (
            hashlib.sha256(f"{purpose}/{seed}".encode()).hexdigest()
            for purpose in ("wallet", "api key", "api secret")
        )
        user = WalletSigner.of_key(private_key).address
        return {"user": user, "private_key": private_key, "api_key": api_key, "api_secret": api_secret}

    def instruments_request(self) -> HttpRequest:
        return HttpRequest(method="GET", target=public_path(self._kind, "/exchangeInfo"))

    def decode_instruments(self, response: HttpResponse) -> tuple[Instrument, ...]:
        """All markets of this API that trade."""
        if response.status != 200:
            raise request_failure(response, "a question for its markets")
        try:
            return instruments(self._kind, _EXCHANGE.decode(response.body).symbols)
        except UNREADABLE as error:
            raise ProtocolError(f"Aster's market list makes no sense: {error}") from error

    def candles_request(self, instrument: Instrument, *, since_ns: int) -> HttpRequest:
        return candles_request(instrument, since_ns)

    def decode_candles(self, response: HttpResponse) -> tuple[Candle, ...]:
        if response.status != 200:
            raise request_failure(response, "a question for candles")
        try:
            return decode_candles(response.body)
        except UNREADABLE as error:
            raise ProtocolError(f"Aster's candles make no sense: {error}") from error

    def server_time_request(self) -> HttpRequest:
        return HttpRequest(method="GET", target=public_path(self._kind, "/time"))

    def decode_server_time(self, response: HttpResponse) -> int:
        if response.status != 200:
            raise request_failure(response, "a question for its time")
        try:
            return _TIME.decode(response.body).server_time * NS_PER_MS
        except UNREADABLE as error:
            raise ProtocolError(f"Aster's clock makes no sense: {response.body[:40]!r}") from error


def signer_of(credentials: Credentials, endpoints: Endpoints) -> Signer:
    """The fields that are there decide: a wallet's come first, HMAC is for keys of before March 2026."""
    if credentials.get("private_key") and credentials.get("user"):
        return WalletSigner(credentials["user"], credentials["private_key"], chain_of(endpoints))
    if credentials.get("api_key") and credentials.get("api_secret"):
        return HmacSigner(credentials["api_key"], credentials["api_secret"])
    raise ConfigInvalid(
        "an Aster account needs user and private_key, or api_key and api_secret",
        hint="user is the main wallet's address, private_key belongs to an agent it has approved",
    )


def _before_previous_id(event: DepthChanged) -> int:
    """A perp's diff without `pu` proves nothing: it begins after its own end."""
    return event.last_id if event.previous_id is None else event.previous_id


VENUE: Venue = Aster(MarketKind.PERP)
