"""What no decoder may stumble over: text, JSON of every shape, bytes that are no text, nesting nobody can follow,
and a venue's own payloads with something broken in them. Drawn from a fixed seed, so a failure comes again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

from engine.exchanges.messages import HttpResponse

SHARE = 300
"""How many pieces of each kind are drawn."""
DEEP = "[" * 100_000
STATUSES = (200, 202, 400, 401, 404, 418, 429, 500, 503)
_ALWAYS = ("", "{", "null", "[]", "{}", '"text"', "1e999999999", DEEP, '{"data":' + DEEP, '{"stream":' + DEEP)
_WORDS = ("data", "code", "result", "orders", "price", "id", "channel", "type", "error")


def garbage() -> Iterator[str | bytes]:
    """Never a message of any venue, but for a rare stroke of luck."""
    yield from _ALWAYS
    yield b"\xff\xfe\x00"
    random = Random("garbage")
    for _ in range(SHARE):
        yield json.dumps(_value(random, 4))
        yield random.randbytes(random.randint(1, 60))


def garbage_responses() -> Iterator[HttpResponse]:
    """Garbage under the statuses that mean something, nesting under each of them."""
    for number, text in enumerate(garbage()):
        body = text if isinstance(text, bytes) else text.encode()
        yield HttpResponse(status=STATUSES[number % len(STATUSES)], body=body)
    for status in STATUSES:
        yield HttpResponse(status=status, body=DEEP.encode())


def damaged(payload: bytes, times: int = 20) -> Iterator[bytes]:
    """One true payload, each time with another value replaced or other bytes cut or changed."""
    random = Random(payload)
    for _ in range(times):
        yield _scratched(random, payload)
        try:
            yield json.dumps(_with_one_value_replaced(random, json.loads(payload))).encode()
        except ValueError:
            yield payload[: random.randint(0, len(payload))]


def _scratched(random: Random, payload: bytes) -> bytes:
    raw, at = bytearray(payload), random.randint(0, len(payload))
    raw[at : at + random.randint(0, 4)] = random.randbytes(random.randint(0, 3))
    return bytes(raw)


def _with_one_value_replaced(random: Random, value: object) -> object:
    if not isinstance(value, dict | list) or not value or random.randint(0, 5) == 0:
        return _value(random, 2)
    if isinstance(value, dict):
        key = random.choice(list(value))
        return {**value, key: _with_one_value_replaced(random, value[key])}
    at = random.randrange(len(value))
    return [*value[:at], _with_one_value_replaced(random, value[at]), *value[at + 1 :]]


def _value(random: Random, depth: int) -> object:
    kind = random.randint(0, 7 if depth else 5)
    if kind == 6:
        return [_value(random, depth - 1) for _ in range(random.randint(0, 3))]
    if kind == 7:
        return {random.choice(_WORDS): _value(random, depth - 1) for _ in range(random.randint(0, 4))}
    number, size = random.randint(-(10**20), 10**20), random.random() * 1e300
    return (None, True, number, size, "x" * random.randint(0, 9), "1.5")[kind]
