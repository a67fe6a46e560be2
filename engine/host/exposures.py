"""What each bot claims of a budget that several share: a file beside a lock, one per account and one per fleet.

A bot writes what it will use before it uses it, under the lock, so the claims of all together never pass a limit by
anybody's doing. The lock is held for a read and a write and never waited for. Claims have no age: those of a bot
that died or was stopped count until it says something else, has ended flat, or is destroyed. A file that cannot be
read gives no share to anybody.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path

import msgspec

from engine.host.files import read_if_present, write_atomic
from engine.host.locks import exclusive
from engine.model.budgets import Claim, Share
from engine.model.value import Value
from engine.spec.types import BudgetSpec

NAME = "exposures.json"


class Words(Value, frozen=True, kw_only=True):
    """The last that a bot said: what it claims, and what it made on one day (of UTC, counted from the epoch)."""

    claim: Claim
    day: int
    day_pnl_usd: Decimal


class Exposures:
    """One budget's claims as one bot deals with them. `owner` is unique among all that share it."""

    def __init__(self, directory: Path, owner: str) -> None:
        self._file, self._owner = directory / NAME, owner

    def claim(self, budget: BudgetSpec, said: Words, wants: Claim) -> Share | None:
        """Claim as much of what is wanted as the others leave, and never less than what is had already (`said`).

        The share has no more than the limit leaves: what is had at its worst may turn out to be less a moment
        later, and must not be filled up again. None when somebody else is at it just now, or the file cannot be
        read or written: nothing is claimed then.
        """
        try:
            return self._claim(budget, said, wants)
        except OSError:  # A full disk: whoever hears nothing adds nothing, and goes on looking after what he has.
            return None

    def _claim(self, budget: BudgetSpec, said: Words, wants: Claim) -> Share | None:
        with _at_once(_lock(self._file)) as is_ours:
            everybody = self._read() if is_ours else None
            if everybody is None:
                return None
            others = [words for name, words in everybody.items() if name != self._owner]
            taken = _total([words.claim for words in others])
            claim = _granted(budget, said.claim, wants, taken)
            self._write(everybody, msgspec.structs.replace(said, claim=claim))
        net, gross = budget.max_net_exposure_usd, budget.max_gross_exposure_usd
        return Share(
            claimed=_total([claim, taken]),
            long_usd=None if net is None else _within(claim.long_usd, net, taken.long_usd),
            short_usd=None if net is None else _within(claim.short_usd, net, taken.short_usd),
            gross_usd=None if gross is None else _within(claim.gross_usd, gross, taken.gross_usd),
            others_day_pnl_usd=sum((w.day_pnl_usd for w in others if w.day == said.day), Decimal(0)),
        )

    def _read(self) -> dict[str, Words] | None:
        with suppress(msgspec.MsgspecError, OSError):
            return msgspec.json.decode(read_if_present(self._file) or b"{}", type=dict[str, Words])
        return None

    def _write(self, everybody: dict[str, Words], said: Words) -> None:
        if everybody.get(self._owner) != said:
            write_atomic(self._file, msgspec.json.encode({**everybody, self._owner: said}))


def forget(directory: Path, owner: str) -> None:
    """Take a bot out of a budget: it is destroyed, and what it left is in a person's hands."""
    file = directory / NAME
    if not file.exists():
        return
    with exclusive(_lock(file)):
        everybody = msgspec.json.decode(file.read_bytes(), type=dict[str, Words])
        if everybody.pop(owner, None):
            write_atomic(file, msgspec.json.encode(everybody))


def _granted(budget: BudgetSpec, has: Claim, wants: Claim, taken: Claim) -> Claim:
    """What the others leave of what is wanted; what is had is had."""
    net, gross = budget.max_net_exposure_usd, budget.max_gross_exposure_usd
    return Claim(
        long_usd=max(has.long_usd, _within(wants.long_usd, net, taken.long_usd)),
        short_usd=max(has.short_usd, _within(wants.short_usd, net, taken.short_usd)),
        gross_usd=max(has.gross_usd, _within(wants.gross_usd, gross, taken.gross_usd)),
    )


def _within(wanted: Decimal, limit: Decimal | None, taken: Decimal) -> Decimal:
    return wanted if limit is None else min(wanted, limit - taken)


def _total(claims: list[Claim]) -> Claim:
    nothing = Decimal(0)
    return Claim(
        long_usd=sum((claim.long_usd for claim in claims), nothing),
        short_usd=sum((claim.short_usd for claim in claims), nothing),
        gross_usd=sum((claim.gross_usd for claim in claims), nothing),
    )


def _lock(file: Path) -> Path:
    return file.with_suffix(".lock")


@contextmanager
def _at_once(lock: Path) -> Iterator[bool]:
    """Hold the lock, or be told at once that somebody else does."""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(handle)
