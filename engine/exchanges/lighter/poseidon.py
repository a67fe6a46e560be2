"""Poseidon2 over Goldilocks, width 12, rate 8: Lighter's hash of transactions, tokens and signatures.

Inputs are absorbed by overwriting and without padding, as the venue's own signer does it.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.exchanges.lighter.field import Element, P
from engine.exchanges.lighter.poseidon_constants import DIAG, EXTERNAL_RC, INTERNAL_RC

RATE = 8
WIDTH = 12
_HALF = len(EXTERNAL_RC) // 2


def hash5(values: Sequence[int]) -> Element:
    """Any number of field elements to five."""
    s = _absorbed(values)
    return s[0], s[1], s[2], s[3], s[4]


def hash4(values: Sequence[int]) -> tuple[int, int, int, int]:
    s = _absorbed(values)
    return s[0], s[1], s[2], s[3]


def _absorbed(values: Sequence[int]) -> list[int]:
    state = [0] * WIDTH
    for start in range(0, len(values), RATE):
        chunk = values[start : start + RATE]
        state[: len(chunk)] = chunk
        state = permute(state)
    return state


def permute(state: list[int]) -> list[int]:
    state = _external_layer(state)
    for constants in EXTERNAL_RC[:_HALF]:
        state = _external_round(state, constants)
    for constant in INTERNAL_RC:
        state[0] = pow(state[0] + constant, 7, P)
        total = sum(state)
        state = [(x * factor + total) % P for x, factor in zip(state, DIAG, strict=True)]
    for constants in EXTERNAL_RC[_HALF:]:
        state = _external_round(state, constants)
    return state


def _external_round(state: list[int], constants: Sequence[int]) -> list[int]:
    return _external_layer([pow(x + constant, 7, P) for x, constant in zip(state, constants, strict=True)])


def _external_layer(s: list[int]) -> list[int]:
    """Each block of four times [[2,3,1,1],[1,2,3,1],[1,1,2,3],[3,1,1,2]], then the blocks' sums on top."""
    mixed = []
    for block in (0, 4, 8):
        a, b, c, d = s[block : block + 4]
        total = a + b + c + d
        mixed += [total + a + 2 * b, total + b + 2 * c, total + c + 2 * d, total + d + 2 * a]
    sums = [mixed[i] + mixed[i + 4] + mixed[i + 8] for i in range(4)]
    return [(x + sums[i & 3]) % P for i, x in enumerate(mixed)]
