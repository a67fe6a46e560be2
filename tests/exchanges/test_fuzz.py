"""No message can surprise a venue's decoders: fuzzed by Hypothesis, which finds the smallest offender."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.errors import VenueError
from engine.exchanges.messages import HttpResponse
from engine.exchanges.registry import find_venue, venue_names
from engine.testing.contract import take_frame, take_reply
from engine.testing.garbage import DEEP
from tests.exchanges import samples

each_venue = pytest.mark.parametrize("name", venue_names())
codecs = cache(samples.codecs)
frames = cache(samples.frames)
replies = cache(samples.replies)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just("1e999999999"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


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
@given(body=st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
@example(body=DEEP.encode())
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
