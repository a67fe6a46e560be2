"""The contract suite: what botctl relies on in every venue, whoever wrote it. A package's own tests inherit it:

    from engine.testing.contract import VenueContract

    class TestMyVenue(VenueContract):
        venue = VENUE
        instruments = (SOL_PERP,)
        client_id_bits = 64

The same suite runs over the venues of this repository. What a venue declares it can do decides what it is asked:
its kinds of market, its nonces, its token, its candles. Needs no test framework but one that calls methods named
`test_…`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from random import Random
from typing import ClassVar

from msgspec.structs import replace

from engine.clock import NS_PER_S, NS_PER_US
from engine.errors import AuthenticationFailed, ProtocolError, Unresolved, VenueError
from engine.exchanges.interface import (
    BatchCodec,
    CandleVenue,
    ChainVenue,
    Codec,
    CollateralCodec,
    Context,
    Credentials,
    DepositCodec,
    Endpoints,
    NonceRule,
    SocketCodec,
    Venue,
)
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.model.commands import (
    AmendOrder,
    Batch,
    CancelOrder,
    Command,
    QueryBalances,
    QueryBook,
    QueryFills,
    QueryFunding,
    QueryInstrument,
    QueryOpenOrders,
    QueryOrder,
    QueryOrderHistory,
    QueryPosition,
    SetDeadMansSwitch,
    SubmitOrder,
)
from engine.model.events import AmendRejected, Event
from engine.model.instrument import Instrument, MarketKind
from engine.model.order import ApprovedOrder, OrderRequest, Side
from engine.testing.garbage import damaged, garbage, garbage_responses

NOW_NS = 1_790_000_000 * NS_PER_S
NOW = Context(now_ns=NOW_NS, nonce=NOW_NS // NS_PER_US, token="token")
LEG = "main"
LOOPBACK = Endpoints(rest_url="http://127.0.0.1", ws_url="ws://127.0.0.1/")
LONGEST_LIFE_NS = 15 * 60 * NS_PER_S
"""An order that can still arrive after a quarter of an hour could not be given up."""
GRIDS = 200
_EXPONENT = re.compile(r'[":][-\d.]+[eE][-+]?\d+[",}]')


def submit(client_id: int, *, ticks: int = 100, lots: int = 100) -> SubmitOrder:
    request = OrderRequest(leg=LEG, client_id=client_id, slot="bid.0", side=Side.BUY, ticks=ticks, lots=lots)
    return SubmitOrder(leg=LEG, order=ApprovedOrder(request=request))


def amend(client_id: int) -> AmendOrder:
    return AmendOrder(leg=LEG, order=submit(client_id).order, executed_lots=20, venue_order_id="7")


class VenueContract:
    """Inherit, and say what `venue` is, a few of its `instruments`, and its room for client ids.

    `frames` and `replies` are payloads the venue really sends, by market symbol: recorded, or from its
    documentation. With them the suite breaks them in many ways; without them it only knows garbage.
    """

    venue: ClassVar[Venue]
    instruments: ClassVar[tuple[Instrument, ...]]
    client_id_bits: ClassVar[int]
    frames: ClassVar[Sequence[tuple[str, bytes]]] = ()
    replies: ClassVar[Sequence[tuple[str, Command, HttpResponse]]] = ()
    signs_at_random: ClassVar[bool] = False
    """The signer draws randomness or reads a clock: the same command gives other bytes each time."""
    writes_decimals: ClassVar[bool] = True
    """Prices and sizes are sent as decimal text; else as integers of the venue's own grid."""

    # Facts --------------------------------------------------------------------------------------------------

    def test_its_facts_are_sane(self) -> None:
        facts = self.venue.facts
        assert facts.name and facts.kinds and facts.credential_fields
        assert 0 < facts.send_lifetime_ns <= LONGEST_LIFE_NS
        assert facts.requests_per_minute > 0

    def test_its_addresses_are_encrypted(self) -> None:
        for endpoints in self.venue.facts.endpoints.values():
            assert re.fullmatch(r"https://[^/]+[^?]*[^/]", endpoints.rest_url)
            assert endpoints.ws_url.startswith("wss://")

    def test_its_client_ids_fit_the_venues_room_and_are_sent_whole(self) -> None:
        scheme = self.venue.facts.client_ids
        last = scheme.compose(scheme.max_tag, scheme.sequences - 1)
        assert last < 1 << self.client_id_bits
        written = {str(last), f"{scheme.tag_of(last)}-{scheme.sequence_of(last)}"}
        for codec in self._codecs():
            request = codec.encode(submit(last), NOW)
            assert any(text in request.target + request.body.decode() for text in written)

    def test_throwaway_keys_come_from_the_seed_and_have_every_field(self) -> None:
        mine, again, other = (self.venue.throwaway_credentials(seed) for seed in ("a", "a", "b"))
        assert mine == again and set(mine) == set(self.venue.facts.credential_fields)
        assert self.venue.account_identity(mine) != self.venue.account_identity(other)

    def test_an_accounts_identity_holds_no_secret(self) -> None:
        identity = self.venue.account_identity(self._keys())
        assert identity and not any(secret in identity for secret in self._secrets())

    def test_a_nonce_source_is_there_exactly_where_nonces_are_a_sequence(self) -> None:
        wants_one = self.venue.facts.nonces is NonceRule.SEQUENCE
        assert all((codec.nonce_source is not None) is wants_one for codec in self._codecs())

    # Speaking -----------------------------------------------------------------------------------------------

    def test_every_command_has_a_request_without_a_secret(self) -> None:
        for codec in self._codecs():
            requests = [codec.encode(command, NOW) for command in self._commands(codec)]
            requests += self._questions_beside_commands(codec)
            assert all(request.target.startswith("/") for request in requests)
            said = [repr(requests), repr(codec.streams(NOW)), repr(codec)]
            assert not any(secret in text for secret in self._secrets() for text in said)

    def test_the_same_command_and_context_give_the_same_bytes(self) -> None:
        for codec, again in zip(self._codecs(), self._codecs(), strict=True):
            if not self.signs_at_random:
                assert codec.streams(NOW) == again.streams(NOW)
                for command in self._commands(codec):
                    assert codec.encode(command, NOW) == again.encode(command, NOW)

    def test_no_price_or_size_is_ever_written_with_an_exponent(self) -> None:
        random = Random("grids")
        for instrument in self.instruments if self.writes_decimals else ():
            for _ in range(GRIDS):
                tick, lot = (Decimal(random.randint(1, 99)).scaleb(random.randint(-12, 3)) for _ in "tl")
                ticks, lots = (random.randint(1, 10 ** random.randint(1, 12)) for _ in "tl")
                market = replace(instrument, tick_size=tick, lot_size=lot)
                request = self._codec(market).encode(submit(1 << 20, ticks=ticks, lots=lots), NOW)
                body = request.body.decode()
                assert not _EXPONENT.search(body)
                assert market.price_text(ticks) in body and market.size_text(lots) in body

    def test_batches_are_spoken_exactly_where_the_facts_name_them(self) -> None:
        rule = self.venue.facts.batches
        for codec in self._codecs():
            assert isinstance(codec, BatchCodec) or (rule.orders == rule.cancels == 1)
            for batch in self._batches():
                assert isinstance(codec, BatchCodec)
                request = codec.encode_batch(batch, NOW)
                assert request.target.startswith("/")
                assert not any(secret in repr(request) for secret in self._secrets())

    def test_every_market_has_a_private_and_a_public_stream(self) -> None:
        for codec in self._codecs():
            streams = codec.streams(NOW)
            assert {stream.private for stream in streams} == {True, False}
            assert len({stream.name for stream in streams}) == len(streams)
            assert all(stream.frames for stream in streams if not stream.private)
            assert all(stream.url.startswith(LOOPBACK.ws_url) for stream in streams)

    # Listening ----------------------------------------------------------------------------------------------

    def test_no_frame_raises_anything_but_a_protocol_error(self) -> None:
        for codec in self._codecs():
            for text in garbage():
                take_frame(codec, text)
        for symbol, frame in self.frames:
            codec = self._codec(self._instrument(symbol))
            for text in damaged(frame):
                take_frame(codec, text)

    def test_no_frame_makes_its_answer_fail(self) -> None:
        for codec in self._codecs():
            for text in garbage():
                assert codec.answer_frame(text) is None or isinstance(codec.answer_frame(text), str)

    def test_orders_it_takes_on_a_socket_are_said_on_one_of_its_private_streams_and_questions_are_not(self) -> None:
        for codec in self._codecs():
            entry = codec.socket_entry if isinstance(codec, SocketCodec) else None
            if entry is None:
                continue
            assert entry.stream in {stream.name for stream in codec.streams(NOW) if stream.private}
            client_id = self.venue.facts.client_ids.compose(1, 1)
            said = entry.frame(codec.encode(submit(client_id), NOW), "7")
            assert said is not None and not any(secret in said for secret in self._secrets())
            assert entry.frame(codec.encode(QueryOpenOrders(leg=LEG), NOW), "7") is None

    def test_no_frame_of_a_stream_counts_as_an_answer_and_none_makes_looking_for_one_fail(self) -> None:
        for codec in self._codecs():
            entry = codec.socket_entry if isinstance(codec, SocketCodec) else None
            if entry is None:
                continue
            assert all(entry.answer(frame) is None for _, frame in self.frames)
            for text in (*garbage(), *(text for _, frame in self.frames for text in damaged(frame))):
                entry.answer(text)

    def test_no_reply_raises_anything_but_a_venue_error(self) -> None:
        for codec in self._codecs():
            for command in self._commands(codec):
                for response in garbage_responses():
                    take_reply(codec, command, response)
        for symbol, command, reply in self.replies:
            codec = self._codec(self._instrument(symbol))
            for body in damaged(reply.body):
                take_reply(codec, command, replace(reply, body=body))

    def test_an_amend_that_was_not_answered_is_of_unknown_outcome_and_a_refused_one_says_so(self) -> None:
        if not self.venue.facts.can_amend:
            return
        command = amend(self.venue.facts.client_ids.compose(1, 1))
        for codec in self._codecs():
            for status, body in ((503, b""), (500, b"{}"), (200, b"?")):
                response = HttpResponse(status=status, body=body)
                try:
                    codec.decode_reply(command, response, requested_ns=1, at_ns=2)
                except Unresolved:
                    continue
                raise AssertionError(f"{status} {body!r} to an amend may hide that it was carried out")
            refused = codec.decode_reply(command, HttpResponse(status=400, body=b"no"), requested_ns=1, at_ns=2)
            assert [type(event) for event in refused] == [AmendRejected]

    def test_a_question_for_funding_that_was_not_answered_is_never_an_answer_without_payments(self) -> None:
        for codec in self._codecs():
            asked = [each for each in self._commands(codec) if isinstance(each, QueryFunding)]
            for command in asked:
                for status, body in ((503, b"[]"), (500, b"{}"), (429, b"[]"), (401, b"{}"), (200, b"?")):
                    response = HttpResponse(status=status, body=body)
                    try:
                        events = codec.decode_reply(command, response, requested_ns=1, at_ns=2)
                    except VenueError:
                        continue
                    raise AssertionError(f"{status} {body!r} to a question for funding became {events}")

    def test_every_item_of_a_batch_gets_an_answer_of_its_own_or_the_batch_a_venue_error(self) -> None:
        for codec in self._codecs():
            for batch in self._batches():
                assert isinstance(codec, BatchCodec)
                for response in garbage_responses():
                    try:
                        parts = codec.split_reply(batch, response)
                    except VenueError:
                        continue
                    assert len(parts) == len(batch.items)

    def test_a_refusal_of_a_whole_batch_is_every_items(self) -> None:
        busy = HttpResponse(status=503, body=b"busy")
        for codec in self._codecs():
            for batch in self._batches():
                assert isinstance(codec, BatchCodec)
                assert list(codec.split_reply(batch, busy)) == [busy] * len(batch.items)

    def test_no_other_answer_raises_anything_but_a_venue_error(self) -> None:
        for decode in self._other_decoders():
            for response in garbage_responses():
                try:
                    decode(response)
                except VenueError:
                    continue

    def test_a_new_book_wants_a_snapshot_and_so_does_one_that_forgot(self) -> None:
        book = self.venue.book(LEG)
        assert book.wants_snapshot
        book.reset()
        assert book.wants_snapshot

    # Means --------------------------------------------------------------------------------------------------

    def _keys(self) -> Credentials:
        return self.venue.throwaway_credentials("contract suite")

    def _secrets(self) -> list[str]:
        return [value for field, value in self._keys().items() if "secret" in field or "private" in field]

    def _instrument(self, symbol: str) -> Instrument:
        return next(instrument for instrument in self.instruments if instrument.symbol == symbol)

    def _codec(self, instrument: Instrument) -> Codec:
        return self.venue.codec(leg=LEG, instrument=instrument, credentials=self._keys(), endpoints=LOOPBACK)

    def _codecs(self) -> Iterator[Codec]:
        return map(self._codec, self.instruments)

    def _batches(self) -> Iterator[Batch]:
        """The longest ones of either kind that the facts allow."""
        scheme, rule = self.venue.facts.client_ids, self.venue.facts.batches
        ids = [scheme.compose(1, number) for number in range(1, max(rule.orders, rule.cancels) + 1)]
        if rule.orders > 1:
            yield Batch(leg=LEG, items=tuple(submit(each) for each in ids[: rule.orders]))
        if rule.cancels > 1:
            cancels = [CancelOrder(leg=LEG, client_id=each, venue_order_id="7") for each in ids[: rule.cancels]]
            yield Batch(leg=LEG, items=tuple(cancels))

    def _commands(self, codec: Codec) -> list[Command]:
        client_id = self.venue.facts.client_ids.compose(1, 1)
        commands: list[Command] = [
            submit(client_id),
            CancelOrder(leg=LEG, client_id=client_id, venue_order_id="7"),
            QueryOrder(leg=LEG, client_id=client_id),
            QueryOpenOrders(leg=LEG),
            QueryOrderHistory(leg=LEG, since_ns=NOW_NS),
            QueryFills(leg=LEG, since_ns=NOW_NS),
            QueryBalances(leg=LEG),
            QueryBook(leg=LEG),
            QueryInstrument(leg=LEG),
        ]
        if self.venue.facts.can_amend:
            commands.append(amend(client_id))
        if codec.instrument.kind is MarketKind.PERP:
            commands.append(QueryPosition(leg=LEG))
            if self.venue.facts.tells_funding:
                commands.append(QueryFunding(leg=LEG, since_ns=NOW_NS))
        if self.venue.facts.dead_mans_switch:
            commands += [SetDeadMansSwitch(leg=LEG, cancel_after_s=after_s) for after_s in (600, None)]
        return commands

    def _other_decoders(self) -> Iterator[Callable[[HttpResponse], object]]:
        yield from (self.venue.decode_instruments, self.venue.decode_server_time)
        if isinstance(self.venue, CandleVenue):
            yield self.venue.decode_candles
        if isinstance(self.venue, ChainVenue):
            yield partial(self.venue.chain_differences, endpoints=LOOPBACK)
        for codec in self._codecs():
            if isinstance(codec, CollateralCodec):
                yield codec.decode_collateral
            if isinstance(codec, DepositCodec):
                yield codec.decode_deposit
            if codec.nonce_source is not None:
                yield codec.nonce_source.decode
            if codec.gate is not None:
                yield partial(codec.gate.decode, at_ns=NOW_NS)

    def _questions_beside_commands(self, codec: Codec) -> list[HttpRequest]:
        questions = [self.venue.instruments_request(), self.venue.server_time_request()]
        if isinstance(self.venue, CandleVenue):
            questions.append(self.venue.candles_request(codec.instrument, since_ns=NOW_NS))
        if codec.nonce_source is not None:
            questions.append(codec.nonce_source.request(NOW))
        if codec.gate is not None:
            questions.append(codec.gate.login(NOW))
        return questions


def take_frame(codec: Codec, text: str | bytes) -> None:
    """Decode, letting through only the two errors the contract allows."""
    try:
        events = codec.decode_frame(text, at_ns=1)
    except (ProtocolError, AuthenticationFailed):
        return
    _are_ours(events, at_ns=1)


def take_reply(codec: Codec, command: Command, response: HttpResponse) -> None:
    """Decode, letting through only what the contract allows."""
    try:
        events = codec.decode_reply(command, response, requested_ns=1, at_ns=2)
    except VenueError:
        return
    _are_ours(events, at_ns=2)


def _are_ours(events: Sequence[Event], *, at_ns: int) -> None:
    assert all(event.leg == LEG and event.at_ns == at_ns for event in events)
