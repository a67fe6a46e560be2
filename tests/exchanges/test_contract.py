"""What every registered venue promises: sane facts, and a codec that no message can surprise."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.errors import AuthenticationFailed, ConfigInvalid, ProtocolError, VenueError
from engine.exchanges.interface import Codec, Context
from engine.exchanges.messages import HttpResponse
from engine.exchanges.registry import find_venue, venue_names
from tests.exchanges import samples

NOW = Context(now_ns=1_761_955_200_123_456_789, nonce=7, token="token")

each_venue = pytest.mark.parametrize("name", venue_names())
codecs = cache(samples.codecs)
frames = cache(samples.frames)
replies = cache(samples.replies)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just("1e999999999"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
NESTED_TOO_DEEP = "[" * 100_000


# Facts -------------------------------------------------------------------------------------------------------


@each_venue
def test_a_venues_facts_are_sane(name: str) -> None:
    facts = find_venue(name).facts
    assert facts.name == name
    assert facts.kinds
    assert 0 < facts.send_lifetime_ns <= 600_000_000_000
    assert facts.requests_per_minute > 0
    assert facts.credential_fields
    for endpoints in facts.endpoints.values():
        assert re.fullmatch(r"https://[^/]+[^?]*[^/]", endpoints.rest_url)
        assert endpoints.ws_url.startswith("wss://")


@each_venue
def test_client_ids_fit_the_venues_room(name: str) -> None:
    scheme = find_venue(name).facts.client_ids
    last = scheme.compose(scheme.max_tag, scheme.sequences - 1)
    assert last < 1 << samples.CLIENT_ID_BITS[name]
    written = {str(last), f"{scheme.tag_of(last)}-{scheme.sequence_of(last)}"}
    for codec in codecs(name).values():
        body = codec.encode(samples.submit(client_id=last), NOW).body.decode()
        assert any(text in body for text in written)


@each_venue
def test_throwaway_credentials_come_from_the_seed_and_have_every_field(name: str) -> None:
    venue = find_venue(name)
    mine, again, other = (venue.throwaway_credentials(seed) for seed in ("a", "a", "b"))
    assert mine == again
    assert set(mine) == set(venue.facts.credential_fields)
    assert venue.account_identity(mine) != venue.account_identity(other)


def is_secret(field: str) -> bool:
    return "secret" in field or "private" in field


@each_venue
def test_an_accounts_identity_holds_no_secret(name: str) -> None:
    venue = find_venue(name)
    credentials = venue.throwaway_credentials("a")
    identity = venue.account_identity(credentials)
    assert identity
    assert not any(value in identity for field, value in credentials.items() if is_secret(field))


def test_an_unknown_venue_is_a_configuration_error_that_names_the_known_ones() -> None:
    with pytest.raises(ConfigInvalid) as caught:
        find_venue("mtgox")
    assert "backpack" in (caught.value.hint or "")


# Encoding ----------------------------------------------------------------------------------------------------


@each_venue
def test_the_same_command_and_context_give_the_same_bytes(name: str) -> None:
    if name in samples.SIGNS_AT_RANDOM:
        pytest.skip("its native signer draws randomness; its own tests compare what the Python one signs")
    for leg, codec in codecs(name).items():
        again = samples.codec(name, samples.instruments(name)[leg])
        for command in samples.commands(name).values():
            assert codec.encode(command, NOW) == again.encode(command, NOW)
        assert codec.streams(NOW) == again.streams(NOW)


@each_venue
def test_no_request_and_no_frame_holds_the_secret(name: str) -> None:
    credentials = find_venue(name).throwaway_credentials("contract suite")
    secrets = [value for field, value in credentials.items() if is_secret(field)]
    for codec in codecs(name).values():
        said = [repr(codec.encode(command, NOW)) for command in samples.commands(name).values()]
        said += [repr(codec.streams(NOW)), repr(codec)]
        assert not any(secret in text for secret in secrets for text in said)


steps = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(1, 99), st.integers(-12, 3)
)


@pytest.mark.parametrize("name", sorted(set(venue_names()) - samples.SPEAKS_INTEGERS))
@given(tick=steps, lot=steps, ticks=st.integers(1, 10**12), lots=st.integers(1, 10**12))
def test_no_price_or_size_is_ever_written_with_an_exponent(
    name: str, tick: Decimal, lot: Decimal, ticks: int, lots: int
) -> None:
    for instrument in samples.instruments(name).values():
        market = msgspec.structs.replace(instrument, tick_size=tick, lot_size=lot)
        request = samples.codec(name, market).encode(samples.submit(ticks=ticks, lots=lots), NOW)
        body = request.body.decode()
        assert not re.search(r'[":][-\d.]+[eE][-+]?\d+[",}]', body)
        assert market.price_text(ticks) in body
        assert market.size_text(lots) in body


@each_venue
def test_every_leg_has_a_private_and_a_public_stream(name: str) -> None:
    for codec in codecs(name).values():
        streams = codec.streams(NOW)
        assert {stream.private for stream in streams} == {True, False}
        assert len({stream.name for stream in streams}) == len(streams)
        assert all(stream.frames for stream in streams if not stream.private)
        assert all(stream.url.startswith("ws://127.0.0.1/") for stream in streams)


# Decoding ----------------------------------------------------------------------------------------------------


def take_frame(codec: Codec, frame: str | bytes) -> None:
    """Decode, letting through only the two errors the contract allows."""
    try:
        events = codec.decode_frame(frame, at_ns=1)
    except (ProtocolError, AuthenticationFailed):
        return
    assert all(event.at_ns == 1 and event.leg == "main" for event in events)


def take_reply(codec: Codec, command: Any, response: HttpResponse) -> None:
    try:
        events = codec.decode_reply(command, response, requested_ns=1, at_ns=2)
    except VenueError:
        return
    assert all(event.at_ns == 2 and event.leg == "main" for event in events)


@each_venue
@given(frame=st.binary(max_size=200) | st.text(max_size=200) | json_values.map(json.dumps))
def test_no_frame_raises_anything_but_a_protocol_error(name: str, frame: str | bytes) -> None:
    for codec in codecs(name).values():
        take_frame(codec, frame)


@each_venue
@given(data=st.data())
def test_no_damaged_frame_raises_anything_but_a_protocol_error(name: str, data: st.DataObject) -> None:
    leg, frame = data.draw(st.sampled_from(frames(name)))
    take_frame(codecs(name)[leg], data.draw(damaged(frame)))


@each_venue
@given(
    status=st.integers(100, 599),
    body=st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()),
    data=st.data(),
)
def test_no_reply_raises_anything_but_a_venue_error(
    name: str, status: int, body: bytes, data: st.DataObject
) -> None:
    response = HttpResponse(status=status, body=body)
    command = data.draw(st.sampled_from(list(samples.commands(name).values())))
    for codec in codecs(name).values():
        take_reply(codec, command, response)


@each_venue
@given(data=st.data())
def test_no_damaged_reply_raises_anything_but_a_venue_error(name: str, data: st.DataObject) -> None:
    leg, command, response = data.draw(st.sampled_from(replies(name)))
    try:
        body = json.loads(response.body)
    except ValueError:
        body = response.body.decode()
    harmed = HttpResponse(status=response.status, body=data.draw(damaged(body)))
    take_reply(codecs(name)[leg], command, harmed)


@each_venue
@pytest.mark.parametrize("before", ["", '{"unknown":', '{"stream":', '{"data":'])
def test_nesting_too_deep_to_follow_is_only_garbage(name: str, before: str) -> None:
    garbage = before + NESTED_TOO_DEEP
    for codec in codecs(name).values():
        take_frame(codec, garbage)
        for command in samples.commands(name).values():
            for status in (200, 400):
                take_reply(codec, command, HttpResponse(status=status, body=garbage.encode()))


@each_venue
@given(body=st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
@example(body=NESTED_TOO_DEEP.encode())
def test_no_public_answer_raises_anything_but_a_venue_error(name: str, body: bytes) -> None:
    venue = find_venue(name)
    for status in (200, 400, 429, 503):
        for decode in (venue.decode_instruments, venue.decode_server_time):
            try:
                decode(HttpResponse(status=status, body=body))
            except VenueError:
                continue


@st.composite
def damaged(draw: st.DrawFn, payload: Any) -> bytes:
    """A golden payload with one value replaced, or some bytes cut or changed."""
    if draw(st.booleans()):
        return json.dumps(draw(with_one_value_replaced(payload))).encode()
    raw = bytearray(json.dumps(payload).encode())
    at = draw(st.integers(0, len(raw)))
    raw[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=3))
    return bytes(raw)


@st.composite
def with_one_value_replaced(draw: st.DrawFn, value: Any) -> Any:
    children = (
        list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    )
    if not children or draw(st.integers(0, 5)) == 0:
        return draw(json_values)
    key = draw(st.sampled_from(children))
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = draw(with_one_value_replaced(copy[key]))
    return copy
