"""A bucket of what a venue counts, shared by every process of this user on this host (law 12).

It lies in a file of the account's directory, or of the network address's where the venue counts by that. A process
leases tokens from it in small blocks, so that the order path nearly always counts in its own memory; the file is
locked for a read and a write, never across a wait, and never waited for. A lease lasts a second: what was not used
by then goes back. Whoever dies takes its lease along, so less is sent, never more. A bucket that is missing,
damaged or from before a reboot starts empty.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

import msgspec

from engine.clock import NS_PER_MS, NS_PER_S
from engine.model.account import BudgetUse
from engine.model.value import Value
from engine.trading.records import Budget
from engine.transport.pacing import RESERVED_FOR_CANCEL_AND_REDUCE, RESERVED_FOR_REDUCE, Bucket

LEASE_NS = NS_PER_S
SOONEST_NS = 20 * NS_PER_MS
"""A process that runs out looks into the file again no sooner than this."""
BLOCK_SHARE = 0.125
"""The part of the burst that one process takes at a time, of each reserve and of the rest."""
SMALLEST_BLOCK = 4.0
"""One round of a leg's questions, where each weighs one: with less at a time a small account would never learn how
it stands."""
ENOUGH_BLOCKS = 2.5
"""Of the three blocks of a whole lease, half a one may be spent before more is looked for."""
LARGEST_FILE = 4_096
APART_NS = 60 * NS_PER_S
"""How much later than our instant others may have written; beyond it the clock has begun anew."""


class Stored(Value, frozen=True, kw_only=True):
    """The file's content; `updated_ns` is monotonic and means nothing after a reboot."""

    boot_id: str
    updated_ns: int
    tokens: float
    pace: float
    used: float


class Lease(Value, frozen=True, kw_only=True):
    """Tokens for any purpose, and two reserves above them."""

    place: float = 0.0
    cancel: float = 0.0
    reduce: float = 0.0

    @property
    def whole(self) -> float:
        return self.place + self.cancel + self.reduce


class HostPace:
    """One process's view of a shared bucket; as `engine.transport.pacing.Pace`. `block`: the least worth taking."""

    def __init__(self, file: Path, per_minute: int, *, boot_id: str, block: float = SMALLEST_BLOCK) -> None:
        self._handle = open(file, "r+b", buffering=0, opener=_private)  # noqa: SIM115 - kept open
        self._boot_id = boot_id
        self._bucket = Bucket(per_minute, slack_ns=LEASE_NS)
        self._block = max(block, self._bucket.burst * BLOCK_SHARE)
        self._lease = Lease()
        self._spent = 0
        self._spent_ns = 0
        self._leased_ns: int | None = None
        self._must_slow_down = False

    def budget(self, now_ns: int) -> Budget:
        if self._is_due(now_ns) and not self._renew(now_ns) and self._age_ns(now_ns) >= LEASE_NS:
            return Budget(reduce=0, cancel=0, place=0)
        left = self._left
        return Budget(
            reduce=max(0, int(left)),
            cancel=max(0, int(left - self._lease.reduce)),
            place=max(0, int(left - self._lease.reduce - self._lease.cancel)),
        )

    def spent(self, requests: int, now_ns: int) -> None:
        self._spent += requests
        self._spent_ns = now_ns

    def rate_limited(self, _now_ns: int) -> None:
        self._must_slow_down = True
        self._leased_ns = None

    def use(self, _now_ns: int) -> BudgetUse:
        """As the whole account stands, as of the last look into the file."""
        return self._bucket.use

    def close(self) -> None:
        """Write down what was spent since the last look; a command that asks once never looks before."""
        if self._spent:
            self._renew(self._spent_ns)
        self._handle.close()

    @property
    def _left(self) -> float:
        return self._lease.whole - self._spent

    def _age_ns(self, now_ns: int) -> int:
        return LEASE_NS if self._leased_ns is None else now_ns - self._leased_ns

    def _is_due(self, now_ns: int) -> bool:
        age_ns = self._age_ns(now_ns)
        return age_ns >= LEASE_NS or (age_ns >= SOONEST_NS and self._left < ENOUGH_BLOCKS * self._block)

    def _renew(self, now_ns: int) -> bool:
        """Give back what is left, pay what is owed, take a new lease; False when the file is busy just now."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        try:
            self._read(now_ns)
            self._exchange()
            self._write()
        finally:
            fcntl.flock(self._handle, fcntl.LOCK_UN)
        self._leased_ns = now_ns
        return True

    def _exchange(self) -> None:
        bucket = self._bucket
        bucket.tokens = min(bucket.burst, bucket.tokens + self._left)
        bucket.used += self._spent
        self._spent = 0
        if self._must_slow_down:
            bucket.slow_down()
            self._must_slow_down = False
        self._lease = Lease(
            place=self._take(RESERVED_FOR_CANCEL_AND_REDUCE),
            cancel=self._take(RESERVED_FOR_REDUCE),
            reduce=self._take(0.0),
        )

    def _take(self, reserved_share: float) -> float:
        taken = min(self._block, self._bucket.above(reserved_share))
        self._bucket.tokens -= taken
        return taken

    def _read(self, now_ns: int) -> None:
        bucket, stored = self._bucket, self._stored()
        if stored is None or stored.boot_id != self._boot_id or stored.updated_ns > now_ns + APART_NS:
            bucket.tokens, bucket.pace, bucket.used, bucket.updated_ns = 0.0, 1.0, 0.0, now_ns
        else:
            bucket.tokens, bucket.pace, bucket.used = stored.tokens, stored.pace, stored.used
            bucket.updated_ns = stored.updated_ns
        bucket.refill(now_ns)

    def _stored(self) -> Stored | None:
        with suppress(msgspec.MsgspecError):
            return msgspec.json.decode(os.pread(self._handle.fileno(), LARGEST_FILE, 0), type=Stored)
        return None

    def _write(self) -> None:
        """Written first: a full disk takes what lies in a block it has. A process killed between the two calls may
        leave a file that cannot be read: an empty bucket."""
        bucket = self._bucket
        content = msgspec.json.encode(
            Stored(
                boot_id=self._boot_id,
                updated_ns=bucket.updated_ns,
                tokens=bucket.tokens,
                pace=bucket.pace,
                used=bucket.used,
            )
        )
        os.ftruncate(self._handle.fileno(), os.pwrite(self._handle.fileno(), content, 0))


def boot_id() -> str:
    """What monotonic instants belong to; empty where the system does not tell."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o600)
