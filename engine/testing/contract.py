"""The contract suite: what botctl relies on in every venue, whoever wrote it. A package's own tests inherit it:

    from engine.testing.contract import VenueContract

    class TestMyVenue(VenueContract):
        venue = VENUE
        instruments = (SOL_PERP,)
        client_id_bits = 64

Needs no test framework but one that calls methods named `test_…`. Garbage is drawn from a fixed seed, so a failure
comes again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import ClassVar

from engine.clock import NS_PER_S, NS_PER_US
from engine.errors import ProtocolError, Unresolved, VenueError
from engine.exchanges.interface import BatchCodec, Codec, Context, Endpoints, NonceRule, Venue
from engine.exchanges.messages import HttpResponse
from engine.model.commands import (
    AmendOrder,
    Batch,
    CancelOrder,
    Command,
    QueryBalances,
    QueryBook,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    QueryOrderHistory,
    QueryPosition,
    SetDeadMansSwitch,
    SubmitOrder,
)
from engine.model.events import AmendRejected
from engine.model.instrument import Instrument, MarketKind
from engine.model.order import ApprovedOrder, OrderRequest, Side

NOW_NS = 1_790_000_000 * NS_PER_S
NOW = Context(now_ns=NOW_NS, nonce=NOW_NS // NS_PER_US, token="token")
LEG = "main"
LONGEST_LIFE_NS = 15 * 60 * NS_PER_S
"""An order that can still arrive after a quarter of an hour could not be given up."""
GARBAGE = 300
DEEP = "[" * 100_000


def submit(client_id: int) -> SubmitOrder:
    request = OrderRequest(leg=LEG, client_id=client_id, slot="bid.0", side=Side.BUY, ticks=100, lots=100)
    return SubmitOrder(leg=LEG, order=ApprovedOrder(request=request))


def amend(client_id: int) -> AmendOrder:
    return AmendOrder(leg=LEG, order=submit(client_id).order, executed_lots=20, venue_order_id="7")


class VenueContract:
    """Inherit, and say what `venue` is, a few of its `instruments`, and its room for client ids."""

    venue: ClassVar[Venue]
    instruments: ClassVar[tuple[Instrument, ...]]
    client_id_bits: ClassVar[int]

    # Facts --------------------------------------------------------------------------------------------------

    def test_its_facts_are_sane(self) -> None:
        facts = self.venue.facts
        assert facts.name and facts.kinds and facts.credential_fields
        assert 0 < facts.send_lifetime_ns <= LONGEST_LIFE_NS
        assert facts.requests_per_minute > 0

    def test_its_addresses_are_encrypted(self) -> None:
        for endpoints in self.venue.facts.endpoints.values():
            assert endpoints.rest_url.startswith("https://") and not endpoints.rest_url.endswith("/")
            assert endpoints.ws_url.startswith("wss://")

    def test_its_client_ids_fit_the_venues_room(self) -> None:
        scheme = self.venue.facts.client_ids
        assert scheme.compose(scheme.max_tag, scheme.sequences - 1) < 1 << self.client_id_bits

    def test_throwaway_keys_come_from_the_seed_and_have_every_field(self) -> None:
        mine, again, other = (self.venue.throwaway_credentials(seed) for seed in ("a", "a", "b"))
        assert mine == again and set(mine) == set(self.venue.facts.credential_fields)
        assert self.venue.account_identity(mine) != self.venue.account_identity(other)

    def test_a_nonce_source_is_there_exactly_where_nonces_are_a_sequence(self) -> None:
        wants_one = self.venue.facts.nonces is NonceRule.SEQUENCE
        assert all((codec.nonce_source is not None) is wants_one for codec in self._codecs())

    # Speaking -----------------------------------------------------------------------------------------------

    def test_every_command_has_a_request_without_a_secret(self) -> None:
        secrets = [value for field, value in self._keys().items() if "secret" in field or "private" in field]
        for codec in self._codecs():
            for command in self._commands(codec):
                request = codec.encode(command, NOW)
                assert request.target.startswith("/")
                assert not any(secret in repr(request) for secret in secrets)

    def test_batches_are_spoken_exactly_where_the_facts_name_them(self) -> None:
        rule = self.venue.facts.batches
        secrets = [value for field, value in self._keys().items() if "secret" in field or "private" in field]
        for codec in self._codecs():
            assert isinstance(codec, BatchCodec) or (rule.orders == rule.cancels == 1)
            for batch in self._batches():
                assert isinstance(codec, BatchCodec)
                request = codec.encode_batch(batch, NOW)
                assert request.target.startswith("/")
                assert not any(secret in repr(request) for secret in secrets)

    def test_every_market_has_a_private_and_a_public_stream(self) -> None:
        for codec in self._codecs():
            streams = codec.streams(NOW)
            assert {stream.private for stream in streams} == {True, False}
            assert len({stream.name for stream in streams}) == len(streams)

    # Listening ----------------------------------------------------------------------------------------------

    def test_no_frame_raises_anything_but_a_protocol_error(self) -> None:
        for codec in self._codecs():
            for text in _garbage():
                try:
                    events = codec.decode_frame(text, at_ns=1)
                except ProtocolError:
                    continue
                assert all(event.leg == LEG and event.at_ns == 1 for event in events)

    def test_no_frame_makes_its_answer_fail(self) -> None:
        for codec in self._codecs():
            for text in _garbage():
                assert codec.answer_frame(text) is None or isinstance(codec.answer_frame(text), str)

    def test_no_reply_raises_anything_but_a_venue_error(self) -> None:
        for codec in self._codecs():
            for command in self._commands(codec):
                for response in _responses():
                    try:
                        events = codec.decode_reply(command, response, requested_ns=1, at_ns=2)
                    except VenueError:
                        continue
                    assert all(event.leg == LEG and event.at_ns == 2 for event in events)

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

    def test_every_item_of_a_batch_gets_an_answer_of_its_own_or_the_batch_a_venue_error(self) -> None:
        for codec in self._codecs():
            for batch in self._batches():
                assert isinstance(codec, BatchCodec)
                for response in _responses():
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

    def test_no_public_answer_raises_anything_but_a_venue_error(self) -> None:
        for decode in (self.venue.decode_instruments, self.venue.decode_server_time):
            for response in _responses():
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

    def _keys(self) -> dict[str, str]:
        return dict(self.venue.throwaway_credentials("contract suite"))

    def _codecs(self) -> Iterator[Codec]:
        endpoints = Endpoints(rest_url="http://127.0.0.1", ws_url="ws://127.0.0.1/")
        for instrument in self.instruments:
            yield self.venue.codec(leg=LEG, instrument=instrument, credentials=self._keys(), endpoints=endpoints)

    def _batches(self) -> Iterator[Batch]:
        """The longest ones of either kind that the facts allow."""
        scheme, rule = self.venue.facts.client_ids, self.venue.facts.batches
        ids = [scheme.compose(1, number) for number in range(1, max(rule.orders, rule.cancels) + 1)]
        if rule.orders > 1:
            yield Batch(leg=LEG, items=tuple(submit(each) for each in ids[: rule.orders]), charge=1)
        if rule.cancels > 1:
            cancels = [CancelOrder(leg=LEG, client_id=each, venue_order_id="7") for each in ids[: rule.cancels]]
            yield Batch(leg=LEG, items=tuple(cancels), charge=1)

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
        ]
        if self.venue.facts.can_amend:
            commands.append(amend(client_id))
        if codec.instrument.kind is MarketKind.PERP:
            commands.append(QueryPosition(leg=LEG))
        if self.venue.facts.dead_mans_switch:
            commands += [SetDeadMansSwitch(leg=LEG, cancel_after_s=after_s) for after_s in (600, None)]
        return commands


def _garbage() -> Iterator[str | bytes]:
    """Text, JSON of every shape, bytes that are no text, and nesting that nobody can follow."""
    yield from ("", "{", "null", "[]", "{}", '"text"', "1e999999999", DEEP, '{"data":' + DEEP, b"\xff\xfe\x00")
    random = Random("garbage")
    for _ in range(GARBAGE):
        yield json.dumps(_value(random, 4))
        yield random.randbytes(random.randint(1, 60))


def _responses() -> Iterator[HttpResponse]:
    statuses = (200, 202, 400, 401, 404, 418, 429, 500, 503)
    for number, text in enumerate(_garbage()):
        body = text if isinstance(text, bytes) else text.encode()
        yield HttpResponse(status=statuses[number % len(statuses)], body=body)


def _value(random: Random, depth: int) -> object:
    kind = random.randint(0, 7 if depth else 5)
    if kind == 6:
        return [_value(random, depth - 1) for _ in range(random.randint(0, 3))]
    if kind == 7:
        words = ("data", "code", "result", "orders", "price", "id", "channel", "type", "error")
        return {random.choice(words): _value(random, depth - 1) for _ in range(random.randint(0, 4))}
    number, size = random.randint(-(10**20), 10**20), random.random() * 1e300
    return (None, True, number, size, "x" * random.randint(0, 9), "1.5")[kind]
