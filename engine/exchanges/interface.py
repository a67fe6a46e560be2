"""What every venue offers: facts, a codec, a book machine. The contract suite holds each venue to this.

A codec is one account's conversation about one market, without I/O: `encode(command, context) -> request`,
`decode(message) -> events`. Time, nonces and ids come in with the context, so the same call gives the same
bytes, and client and simulated venue can be held against outside vectors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from engine.exchanges.limits import WeightClass, plain_class
from engine.exchanges.messages import HttpRequest, HttpResponse, Stream
from engine.model.commands import Batch, Command
from engine.model.events import BookLost, BookUpdated, DepthChanged, DepthSnapshot, Event
from engine.model.ids import ClientIdScheme
from engine.model.instrument import Instrument, MarketKind
from engine.model.value import Value

Credentials = Mapping[str, str]
"""A venue's secrets by field name (`api_key`, `api_secret`), already resolved. Never logged, never printed."""


class Context(Value, frozen=True, kw_only=True):
    """What a signature needs beside the command. `now_ns` is the venue's clock as far as we know it.

    `nonce` is set for venues whose facts name a nonce rule, `token` for those whose codec has a gate.
    """

    now_ns: int
    nonce: int | None = None
    token: str = ""


class Access(Value, frozen=True, kw_only=True):
    """A token that opens private calls and streams (JWT, listenKey), and when it must be renewed and ends, by the
    venue's clock."""

    token: str
    renew_ns: int
    expires_ns: int


class NonceRule(StrEnum):
    """How a venue numbers requests. CLOCK_US: unique microseconds, shared by all processes of a user.
    SEQUENCE: each one more than the last, per key; asked from the venue, and asked again after any doubt."""

    NONE = "none"
    CLOCK_US = "clock_us"
    SEQUENCE = "sequence"


class BookSource(StrEnum):
    """Where a book's snapshot comes from: a query, or the stream itself at (re)subscription."""

    QUERY = "query"
    STREAM = "stream"


class Endpoints(Value, frozen=True, kw_only=True):
    """Where a venue listens: `https://…` without a trailing slash, and `wss://…`."""

    rest_url: str
    ws_url: str


class BatchRule(Value, frozen=True, kw_only=True):
    """How many orders, and how many cancels named one by one, a request may carry; 1 where the venue has no such
    request. What a batch weighs is in the weight classes; else as much as its items."""

    orders: int = 1
    cancels: int = 1


class VenueFacts(Value, frozen=True, kw_only=True):
    """What the engine must know of a venue before it speaks to it.

    `send_lifetime_ns`: a signed request older than this cannot arrive any more (dead-after).
    `lookup_only_while_resting`: QueryOrder cannot see closed orders, their fate is in history and fills.
    `requests_per_minute`: what an account may send in all; its shared budget where the venue counts nothing finer.
    `weight_classes`: what it counts instead, where it does.
    `nonce_key`: the credential that tells an account's keys apart where each has a sequence of nonces of its own.
    """

    name: str
    kinds: frozenset[MarketKind]
    client_ids: ClientIdScheme
    send_lifetime_ns: int
    lookup_only_while_resting: bool
    requests_per_minute: int
    credential_fields: tuple[str, ...]
    batches: BatchRule = BatchRule()
    can_amend: bool = False
    tells_funding: bool = False
    """Whether its codecs of perps carry out QueryFunding."""
    dead_mans_switch: bool = False
    """Whether its codecs carry out SetDeadMansSwitch."""
    cancels_on_disconnect: bool | None = None
    """Whether it cancels what was placed on a socket once that is lost, as the account chose; None: it cannot."""
    nonces: NonceRule = NonceRule.NONE
    nonce_key: str = ""
    book_source: BookSource = BookSource.QUERY
    funding_times: str = ""
    """When funding of its perps is usually paid, as cron in UTC; empty: never, or all the time."""
    weight_classes: tuple[WeightClass, ...] = ()
    endpoints: Mapping[str, Endpoints] = {}
    """By environment (`mainnet`, `testnet`); simulated venues tell theirs when they start."""

    @property
    def counts(self) -> tuple[WeightClass, ...]:
        """Everything the venue counts; never empty."""
        return self.weight_classes or (plain_class(self.requests_per_minute),)


class Gate(Protocol):
    """How a venue lends its token. Renewed ahead of expiry; begun anew when the venue stops accepting it."""

    def login(self, context: Context) -> HttpRequest:
        """The request that asks for a new token."""

    def renewal(self, access: Access, context: Context) -> HttpRequest:
        """The request that prolongs or replaces a token that is still good."""

    def decode(self, response: HttpResponse, *, at_ns: int) -> Access:
        """The token of an answer to either; raises a VenueError, AuthenticationFailed where a token cannot be
        renewed any more. `at_ns` is the venue's clock."""


class NonceSource(Protocol):
    """Where a venue of NonceRule.SEQUENCE tells the next nonce of our key."""

    def request(self, context: Context) -> HttpRequest: ...

    def decode(self, response: HttpResponse) -> int:
        """The nonce the next request must carry; raises a VenueError."""


class SocketAnswer(Value, frozen=True, kw_only=True):
    """A frame that answers a request, as HTTP would have; `request_id` is None where it does not say which."""

    request_id: str | None
    response: HttpResponse


class SocketEntry(Protocol):
    """How requests are said on a socket that is open anyway, instead of by HTTP."""

    @property
    def stream(self) -> str:
        """The name of the stream whose socket it is."""

    def frame(self, request: HttpRequest, request_id: str) -> str | None:
        """The request as a frame; None for one that cannot be said there."""

    def answer(self, text: str | bytes) -> SocketAnswer | None:
        """What a frame answers; None for all the frames that answer nothing. Never raises."""


class Codec(Protocol):
    """One account and one market of a venue, spoken without I/O."""

    instrument: Instrument

    @property
    def gate(self) -> Gate | None:
        """None where every request is signed by itself."""

    @property
    def nonce_source(self) -> NonceSource | None:
        """Set exactly where the venue's facts say NonceRule.SEQUENCE."""

    def streams(self, context: Context) -> tuple[Stream, ...]:
        """The sockets to keep open, with frames signed for now."""

    def encode(self, command: Command, context: Context) -> HttpRequest:
        """The request that carries out a command."""

    def decode_reply(
        self, command: Command, response: HttpResponse, *, requested_ns: int, at_ns: int
    ) -> Sequence[Event]:
        """The events a reply stands for.

        Refusals of orders and cancels are events. Raises a VenueError (never anything else) when the reply
        does not answer: RateLimited, AuthenticationFailed, ClockSkewed, Unavailable, Unresolved (a 5xx to a
        submit may hide a live order), ProtocolError.
        """

    def decode_frame(self, text: str | bytes, *, at_ns: int) -> Sequence[Event]:
        """The events of one WebSocket frame; other markets' and unknown frames give none.

        Raises ProtocolError for garbage, AuthenticationFailed where the venue says that our token has ended or
        was not accepted, and never anything else.
        """

    def answer_frame(self, text: str | bytes) -> str | None:
        """What must be said back to a frame, e.g. to an application-level ping; None nearly always."""


@runtime_checkable
class SocketCodec(Protocol):
    """A codec that may say its commands on one of its sockets."""

    @property
    def socket_entry(self) -> SocketEntry | None:
        """None where the account has chosen HTTP."""


@runtime_checkable
class BatchCodec(Protocol):
    """What a codec has besides, where the venue's facts name a batch of more than one."""

    def encode_batch(self, batch: Batch, context: Context) -> HttpRequest:
        """One request that carries out all items."""

    def split_reply(self, batch: Batch, response: HttpResponse) -> Sequence[HttpResponse]:
        """For each item, in the batch's order, the answer it would have had alone: `decode_reply` reads it then.

        A refusal of the whole batch is every item's. Raises Unresolved when the answer cannot be told apart.
        """


@runtime_checkable
class TapeCodec(Protocol):
    """A codec that can also hear what everybody trades: for recorders, never for trading."""

    def tape_stream(self) -> Stream:
        """One public socket with the book and the trades: `decode_frame` tells them as DepthChanged, DepthSnapshot
        and TradePrinted, and never an old trade."""


class BookMachine(Protocol):
    """The venue's sequence rule over one book (law 7): a gap makes it stale at once."""

    @property
    def wants_snapshot(self) -> bool:
        """True while only a snapshot can make the book whole."""

    def changed(self, event: DepthChanged) -> BookUpdated | BookLost | None:
        """Apply a diff; None while waiting for a snapshot."""

    def snapshot(self, event: DepthSnapshot) -> BookUpdated | BookLost | None:
        """Start from a snapshot and replay what was buffered; None when it is too old to meet the diffs."""

    def reset(self) -> None:
        """Forget everything: the socket is gone."""


class Venue(Protocol):
    """A venue's package, as found by the registry: `engine.exchanges.<name>.venue.VENUE`."""

    facts: VenueFacts

    def codec(
        self, *, leg: str, instrument: Instrument, credentials: Credentials, endpoints: Endpoints
    ) -> Codec: ...

    def book(self, leg: str) -> BookMachine: ...

    def account_identity(self, credentials: Credentials) -> str:
        """Public text naming the account (its public key or address): the host keys locks and budgets by it."""

    def throwaway_credentials(self, seed: str) -> Credentials:
        """Working keys derived from a seed: for simulated accounts, where nothing is secret."""

    def instruments_request(self) -> HttpRequest:
        """The public request that lists all markets."""

    def decode_instruments(self, response: HttpResponse) -> tuple[Instrument, ...]:
        """All tradable spot and perp markets; raises ProtocolError or Unavailable."""

    def server_time_request(self) -> HttpRequest: ...

    def decode_server_time(self, response: HttpResponse) -> int:
        """The venue's clock in ns since the epoch."""


@runtime_checkable
class SelfCheckingVenue(Protocol):
    """A venue that can tell whether its signing libraries are to be trusted, without keys and without asking."""

    def self_check(self) -> None:
        """Sign something known; ConfigInvalid when the outcome is not the known one."""


@runtime_checkable
class ConfigurableVenue(Protocol):
    """A venue of which an account may choose something: what stands under `options` in fleet.yaml."""

    def configured(self, options: Mapping[str, Any]) -> Venue:
        """The venue as chosen; ConfigInvalid says what is wrong with the choice."""


class KeyRights(Value, frozen=True, kw_only=True):
    """What a venue's keys may do beside trading. `can_withdraw` None: nothing tells."""

    can_withdraw: bool | None
    why: str


@runtime_checkable
class KeyJudgingVenue(Protocol):
    """A venue whose keys show by themselves whether they may take money out."""

    def key_rights(self, credentials: Credentials, endpoints: Endpoints) -> KeyRights: ...


@runtime_checkable
class ChainVenue(Protocol):
    """A venue that tells which chain it settles on, so that what we sign for can be compared with it."""

    def chain_request(self) -> HttpRequest: ...

    def chain_differences(self, response: HttpResponse, endpoints: Endpoints) -> tuple[str, ...]:
        """Where the venue's chain is not the one we sign for, in words; empty where they agree. Raises
        ProtocolError or Unavailable."""


class Collateral(Value, frozen=True, kw_only=True):
    """What backs an account's positions, in `asset`. None: the venue does not tell."""

    asset: str
    equity: Decimal
    available: Decimal
    initial_margin: Decimal | None = None
    maintenance_margin: Decimal | None = None


@runtime_checkable
class CollateralCodec(Protocol):
    """A codec that can also ask what backs the account: for people, never for trading."""

    def collateral_request(self, context: Context) -> HttpRequest: ...

    def decode_collateral(self, response: HttpResponse) -> Collateral:
        """Raises a VenueError."""


class Leverage(Value, frozen=True, kw_only=True):
    """How often its margin a position may be worth, as somebody chose it at the venue; for one market, or for all
    of the account's at once."""

    times: Decimal
    is_of_account: bool = False


@runtime_checkable
class LeverageCodec(Protocol):
    """A codec that can also ask how leverage is set: for people, never for trading."""

    def leverage_request(self, context: Context) -> HttpRequest: ...

    def decode_leverage(self, response: HttpResponse) -> Leverage:
        """Raises a VenueError."""


@runtime_checkable
class LeverageChangingCodec(Protocol):
    """A codec that can also set leverage, when a person asks for it."""

    def leverage_change(self, times: Decimal, context: Context) -> HttpRequest: ...

    def decode_leverage_change(self, response: HttpResponse) -> None:
        """Raises a VenueError, with the venue's words where it refused."""


@runtime_checkable
class DepositCodec(Protocol):
    """A codec of a venue that tells where to send deposits."""

    def deposit_request(self, blockchain: str, context: Context) -> HttpRequest: ...

    def decode_deposit(self, response: HttpResponse) -> str:
        """The address. Raises a VenueError."""


class Candle(Value, frozen=True, kw_only=True):
    """What one interval of a market was like; prices in quote, `volume` in base."""

    start_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@runtime_checkable
class CandleVenue(Protocol):
    """A venue that also tells candles of a minute: for people who look at a market, never for trading."""

    def candles_request(self, instrument: Instrument, *, since_ns: int) -> HttpRequest: ...

    def decode_candles(self, response: HttpResponse) -> tuple[Candle, ...]:
        """Oldest first, intervals without a trade left out; raises ProtocolError or Unavailable."""
