"""Paradex as the registry finds it: `VENUE`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from engine.clock import NS_PER_MS
from engine.errors import ConfigInvalid, ProtocolError
from engine.exchanges.interface import (
    BatchRule,
    BookMachine,
    BookSource,
    Candle,
    Codec,
    Credentials,
    Endpoints,
    KeyRights,
    Venue,
    VenueFacts,
)
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.exchanges.paradex import signing, wire
from engine.exchanges.paradex.candles import candles
from engine.exchanges.paradex.chains import MAINNET, TESTNET, chain_of, differences
from engine.exchanges.paradex.codec import ParadexCodec
from engine.exchanges.paradex.encode import BATCH_MOST, RECV_WINDOW_MS
from engine.exchanges.paradex.instruments import instruments
from engine.exchanges.paradex.keys import ACCOUNT, ETHEREUM_KEY, PRIVATE_KEY, account_address, keys_of
from engine.exchanges.paradex.limits import ORDERS_PER_MINUTE, READS_PER_MINUTE, WEIGHT_CLASSES
from engine.exchanges.paradex.options import ParadexOptions, read_options
from engine.exchanges.paradex.refusals import plain_failure
from engine.exchanges.paradex.signing import Signer
from engine.exchanges.paradex.translate import CLIENT_IDS, moment_ns
from engine.exchanges.paradex.typed_data import SHORT_STRING_MAX
from engine.exchanges.replies import UNREADABLE
from engine.exchanges.sequenced_book import SequencedBook, before_first_id
from engine.model.instrument import Instrument, MarketKind

DEFAULTS = ParadexOptions()
FACTS = VenueFacts(
    name="paradex",
    kinds=frozenset({MarketKind.PERP}),
    client_ids=CLIENT_IDS,
    send_lifetime_ns=RECV_WINDOW_MS * NS_PER_MS,
    tells_funding=True,
    lookup_only_while_resting=True,
    requests_per_minute=ORDERS_PER_MINUTE + READS_PER_MINUTE,
    weight_classes=WEIGHT_CLASSES,
    # No amends: one is only queued, and whether a changed size counts what was executed is not documented.
    # The documentation says ten in one place and fifty in another.
    batches=BatchRule(orders=BATCH_MOST, cancels=BATCH_MOST),
    credential_fields=(ETHEREUM_KEY, PRIVATE_KEY, ACCOUNT),
    book_source=BookSource.STREAM,
    cancels_on_disconnect=False,
    endpoints={
        "mainnet": Endpoints(
            rest_url="https://api.prod.paradex.trade", ws_url="wss://ws.api.prod.paradex.trade/v1"
        ),
        "testnet": Endpoints(
            rest_url="https://api.testnet.paradex.trade", ws_url="wss://ws.api.testnet.paradex.trade/v1"
        ),
    },
)

_MARKETS = msgspec.json.Decoder(wire.Page[wire.MarketView])
_TIME = msgspec.json.Decoder(wire.ServerTime)
_KLINES = msgspec.json.Decoder(wire.Klines)
_CONFIG = msgspec.json.Decoder(wire.SystemConfig)


class Paradex:
    """See `engine.exchanges.interface.Venue`, and `options` for what an account may choose."""

    def __init__(self, options: ParadexOptions = DEFAULTS) -> None:
        self._options = options
        self.facts = replace(FACTS, cancels_on_disconnect=options.cancel_on_disconnect)

    def configured(self, options: Mapping[str, Any]) -> Venue:
        """See `engine.exchanges.interface.ConfigurableVenue`."""
        return Paradex(read_options(options))

    def codec(self, *, leg: str, instrument: Instrument, credentials: Credentials, endpoints: Endpoints) -> Codec:
        """ConfigInvalid for keys that are none, and for a market whose name is too long to be signed."""
        if len(instrument.symbol) > SHORT_STRING_MAX:
            raise ConfigInvalid(f"orders on {instrument.symbol} cannot be signed: its name is too long")
        chain = chain_of(endpoints.rest_url)
        signer = Signer(keys_of(credentials, chain), chain)
        return ParadexCodec(
            leg=leg, instrument=instrument, signer=signer, ws_url=endpoints.ws_url, options=self._options
        )

    def book(self, leg: str) -> BookMachine:
        """Our channel brings snapshots alone; diffs, should they come, must be numbered one by one."""
        return SequencedBook(leg, before_first_id)

    def account_identity(self, credentials: Credentials) -> str:
        """The account's address. One that must be derived is the production chain's: it only has to name it."""
        return hex(keys_of(credentials, MAINNET).account)

    def self_check(self) -> None:
        signing.self_check()

    def throwaway_credentials(self, seed: str) -> Credentials:
        ethereum_key = "0x" + hashlib.sha256(seed.encode()).hexdigest()
        keys = keys_of({ETHEREUM_KEY: ethereum_key}, TESTNET)
        return {ETHEREUM_KEY: ethereum_key, PRIVATE_KEY: hex(keys.private_key), ACCOUNT: hex(keys.account)}

    def instruments_request(self) -> HttpRequest:
        return HttpRequest(method="GET", target="/v1/markets")

    def decode_instruments(self, response: HttpResponse) -> tuple[Instrument, ...]:
        """All tradable perp markets."""
        if response.status != 200:
            raise plain_failure(response)
        try:
            return instruments(_MARKETS.decode(response.body).results)
        except UNREADABLE as error:
            raise ProtocolError(f"Paradex's market list makes no sense: {error}") from error

    def candles_request(self, instrument: Instrument, *, since_ns: int) -> HttpRequest:
        asked = f"symbol={quote(instrument.symbol, safe='')}&resolution=1&start_at={since_ns // NS_PER_MS}"
        return HttpRequest(method="GET", target=f"/v1/markets/klines?{asked}")

    def decode_candles(self, response: HttpResponse) -> tuple[Candle, ...]:
        if response.status != 200:
            raise plain_failure(response)
        try:
            return candles(_KLINES.decode(response.body).results)
        except UNREADABLE as error:
            raise ProtocolError(f"Paradex's candles make no sense: {error}") from error

    def chain_request(self) -> HttpRequest:
        return HttpRequest(method="GET", target="/v1/system/config")

    def chain_differences(self, response: HttpResponse, endpoints: Endpoints) -> tuple[str, ...]:
        if response.status != 200:
            raise plain_failure(response)
        try:
            return differences(_CONFIG.decode(response.body), chain_of(endpoints.rest_url))
        except UNREADABLE as error:
            raise ProtocolError(f"Paradex's configuration makes no sense: {error}") from error

    def key_rights(self, credentials: Credentials, endpoints: Endpoints) -> KeyRights:
        """A key that is registered on an account made for another one is a subkey."""
        chain = chain_of(endpoints.rest_url)
        keys = keys_of(credentials, chain)
        if keys.account == account_address(keys.public_key, chain):
            return KeyRights(can_withdraw=True, why="register a subkey for botctl: it trades, and cannot withdraw")
        return KeyRights(can_withdraw=False, why="its key is a subkey, which cannot withdraw")

    def server_time_request(self) -> HttpRequest:
        return HttpRequest(method="GET", target="/v1/system/time")

    def decode_server_time(self, response: HttpResponse) -> int:
        if response.status != 200:
            raise plain_failure(response)
        try:
            return moment_ns(_TIME.decode(response.body).server_time)
        except UNREADABLE as error:
            raise ProtocolError(f"Paradex's clock makes no sense: {error}") from error


VENUE: Venue = Paradex()
