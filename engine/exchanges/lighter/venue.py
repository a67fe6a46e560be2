"""Lighter as the registry finds it: `VENUE`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from engine.clock import NS_PER_MS, NS_PER_S
from engine.errors import ConfigInvalid, ProtocolError
from engine.exchanges.interface import (
    BookMachine,
    BookSource,
    Candle,
    Codec,
    Credentials,
    Endpoints,
    NonceRule,
    Venue,
    VenueFacts,
)
from engine.exchanges.lighter import native, signing, wire
from engine.exchanges.lighter.candles import candles_request, decode_candles
from engine.exchanges.lighter.codec import LighterCodec
from engine.exchanges.lighter.curve import ORDER
from engine.exchanges.lighter.instruments import instruments
from engine.exchanges.lighter.limits import (
    PREMIUM_CLASSES,
    PREMIUM_TRANSACTIONS_PER_MINUTE,
    STANDARD_REQUESTS_PER_MINUTE,
)
from engine.exchanges.lighter.options import LighterOptions, OrderEntry, Tier, read_options
from engine.exchanges.lighter.refusals import is_success, public_failure
from engine.exchanges.lighter.schnorr import NUMBER_BYTES
from engine.exchanges.lighter.signing import TX_LIFETIME_MS, ApiKey, PythonSigner, Signer, signer_for
from engine.exchanges.lighter.socket_entry import LighterSocketEntry
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.exchanges.replies import UNREADABLE
from engine.exchanges.sequenced_book import SequencedBook, before_first_id
from engine.model.ids import ClientIdScheme
from engine.model.instrument import Instrument, MarketKind

MAINNET_CHAIN, TESTNET_CHAIN = 304, 300
FIRST_KEY_INDEX, LAST_KEY_INDEX = 4, 254
"""Lower indexes belong to the venue's own apps."""
STANDARD = LighterOptions()

FACTS = VenueFacts(
    name="lighter",
    kinds=frozenset({MarketKind.PERP}),
    client_ids=ClientIdScheme(tag_bits=16, sequence_bits=32),
    send_lifetime_ns=(TX_LIFETIME_MS + 1_000) * NS_PER_MS,
    tells_funding=True,
    lookup_only_while_resting=True,
    requests_per_minute=STANDARD_REQUESTS_PER_MINUTE,
    # No batches: the first refusal ends one, the answer does not say which it was, and what is unresolved here
    # stays so for minutes. No amends: whether a changed size counts what was executed is not documented.
    credential_fields=("account_index", "api_key_index", "api_private_key"),
    nonces=NonceRule.SEQUENCE,
    nonce_key="api_key_index",
    dead_mans_switch=True,
    book_source=BookSource.STREAM,
    funding_times="0 * * * *",
    endpoints={
        "mainnet": Endpoints(
            rest_url="https://mainnet.zklighter.elliot.ai", ws_url="wss://mainnet.zklighter.elliot.ai/stream"
        ),
        "testnet": Endpoints(
            rest_url="https://testnet.zklighter.elliot.ai", ws_url="wss://testnet.zklighter.elliot.ai/stream"
        ),
    },
)

_MARKETS = msgspec.json.Decoder(wire.MarketList)
_STATUS = msgspec.json.Decoder(wire.Status)


class Lighter:
    """See `engine.exchanges.interface.Venue`, and `options` for what an account may choose.

    What the engine does about a lost send: the order stays unresolved, and its slot empty, until the venue shows
    it, or shows that another transaction used its nonce, or its lifetime has passed.
    """

    def __init__(self, options: LighterOptions = STANDARD) -> None:
        self._options = options
        lifetime_ms = TX_LIFETIME_MS if options.tx_lifetime_s is None else options.tx_lifetime_s * 1_000
        self.facts = replace(FACTS, send_lifetime_ns=(lifetime_ms + 1_000) * NS_PER_MS)
        if options.tier is Tier.PREMIUM:
            most = PREMIUM_TRANSACTIONS_PER_MINUTE
            self.facts = replace(self.facts, requests_per_minute=most, weight_classes=PREMIUM_CLASSES)

    def configured(self, options: Mapping[str, Any]) -> Venue:
        """See `engine.exchanges.interface.ConfigurableVenue`."""
        return Lighter(read_options(options))

    def codec(self, *, leg: str, instrument: Instrument, credentials: Credentials, endpoints: Endpoints) -> Codec:
        """ConfigInvalid when the key is none, or the native signer cannot be trusted."""
        key = api_key(credentials, chain_of(endpoints))
        return LighterCodec(
            leg=leg,
            instrument=instrument,
            key=key,
            signer=self._signer(key),
            ws_url=endpoints.ws_url,
            order_life_ms=self._options.order_life_s * 1_000,
            socket_entry=LighterSocketEntry() if self._options.order_entry is OrderEntry.WEBSOCKET else None,
        )

    def _signer(self, key: ApiKey) -> Signer:
        if self._options.tx_lifetime_s is None:
            return signer_for(key)
        return PythonSigner(key, tx_lifetime_ms=self._options.tx_lifetime_s * 1_000)

    def book(self, leg: str) -> BookMachine:
        """An update begins where the one before ended: `begin_nonce` is that one's `nonce`."""
        return SequencedBook(leg, before_first_id)

    def self_check(self) -> None:
        """See `engine.exchanges.interface.SelfCheckingVenue`. Loading the native signer checks it too, so that no
        bot starts with one that fails."""
        signing.self_check()
        native.load()

    def account_identity(self, credentials: Credentials) -> str:
        """The account's index: limits and positions belong to it, whichever of its keys signs."""
        return credentials["account_index"]

    def throwaway_credentials(self, seed: str) -> Credentials:
        digest = hashlib.sha512(seed.encode()).digest()
        secret = int.from_bytes(digest, "little") % (ORDER - 1) + 1
        return {
            "account_index": str(1 + int.from_bytes(digest[:5], "big")),
            "api_key_index": str(FIRST_KEY_INDEX),
            "api_private_key": secret.to_bytes(NUMBER_BYTES, "little").hex(),
        }

    def instruments_request(self) -> HttpRequest:
        return HttpRequest(method="GET", target="/api/v1/orderBookDetails")

    def decode_instruments(self, response: HttpResponse) -> tuple[Instrument, ...]:
        """All active perps."""
        if not is_success(response):
            raise public_failure(response)
        try:
            return instruments(_MARKETS.decode(response.body).order_book_details)
        except UNREADABLE as error:
            raise ProtocolError(f"Lighter's market list makes no sense: {error}") from error

    def candles_request(self, instrument: Instrument, *, since_ns: int) -> HttpRequest:
        """See `engine.exchanges.interface.CandleVenue`."""
        return candles_request(instrument, since_ns)

    def decode_candles(self, response: HttpResponse) -> tuple[Candle, ...]:
        if not is_success(response):
            raise public_failure(response)
        try:
            return decode_candles(response.body)
        except UNREADABLE as error:
            raise ProtocolError(f"Lighter's candles make no sense: {error}") from error

    def server_time_request(self) -> HttpRequest:
        return HttpRequest(method="GET", target="/")

    def decode_server_time(self, response: HttpResponse) -> int:
        """The venue tells whole seconds; the middle of one is the best guess."""
        if response.status != 200:
            raise public_failure(response)
        try:
            return _STATUS.decode(response.body).timestamp * NS_PER_S + NS_PER_S // 2
        except UNREADABLE as error:
            raise ProtocolError(f"Lighter's clock makes no sense: {error}") from error


NUMBER_CHARS = 20
"""Of an account's or a key's index, 64 bits at the most."""


def api_key(credentials: Credentials, chain_id: int) -> ApiKey:
    """One account's key from its credentials; ConfigInvalid when they are none."""
    account, index = credentials["account_index"], credentials["api_key_index"]
    if not all(number.isdecimal() and len(number) <= NUMBER_CHARS for number in (account, index)):
        raise ConfigInvalid("account_index and api_key_index of a Lighter account are whole numbers")
    if not FIRST_KEY_INDEX <= int(index) <= LAST_KEY_INDEX:
        raise ConfigInvalid(
            f"api_key_index {index} is none of ours", hint=f"use one from {FIRST_KEY_INDEX} to {LAST_KEY_INDEX}"
        )
    return ApiKey(
        chain_id=chain_id,
        account_index=int(account),
        api_key_index=int(index),
        private_key=credentials["api_private_key"],
    )


def chain_of(endpoints: Endpoints) -> int:
    """The chain whose number is signed along, by the address, as the venue's own clients tell it. A simulated venue
    is a mainnet in this."""
    return TESTNET_CHAIN if "testnet" in endpoints.rest_url else MAINNET_CHAIN


VENUE: Venue = Lighter()
