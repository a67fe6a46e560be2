"""Numbers of requests, shared by every process of this user on this host (law 12).

Both files are eight bytes behind an OS lock. Who dies leaves them safe: a clock that is behind is overtaken by the
real one, a sequence is dirty from the moment it is held until it is given back, and the next holder asks the venue.
"""

from __future__ import annotations

import fcntl
import os
import struct
from hashlib import sha256
from pathlib import Path
from typing import IO

from engine.clock import NS_PER_US
from engine.host.accounts import AccountIdentity, host_directory
from engine.host.files import private_directory

NUMBER = struct.Struct("<q")
DIRTY = -1


class _NumberFile:
    """One integer in a private file, kept open."""

    def __init__(self, file: Path) -> None:
        self._handle = open(file, "r+b", buffering=0, opener=_private)  # noqa: SIM115 - kept open

    def close(self) -> None:
        """Also lets go of the lock."""
        self._handle.close()

    def _read(self, otherwise: int) -> int:
        content = os.pread(self._handle.fileno(), NUMBER.size, 0)
        return int(NUMBER.unpack(content)[0]) if len(content) == NUMBER.size else otherwise

    def _write(self, number: int) -> None:
        os.pwrite(self._handle.fileno(), NUMBER.pack(number), 0)


class HostClockNonces(_NumberFile):
    """Unique microseconds for all processes of a user; as `engine.session.nonces.ClockNonces`. The lock is waited
    for, because it is never held for longer than a read and a write."""

    def __call__(self, now_ns: int) -> int:
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        try:
            number = max(self._read(0) + 1, now_ns // NS_PER_US)
            self._write(number)
        finally:
            fcntl.flock(self._handle, fcntl.LOCK_UN)
        return number


class KeyLease(_NumberFile):
    """The right to number one key's requests; as `engine.session.nonces.Lease`. Held from the first number to the
    last answer, and never waited for in a call.

    A second lock is the turn: only who has it may try the key, and who waits keeps it. So a holder that lets go
    cannot take the key again before the one who waited.
    """

    next_nonce: int | None = None

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self._turn = open(f"{file}-turn", "r+b", buffering=0, opener=_private)  # noqa: SIM115 - kept open
        self._has_turn = False

    def close(self) -> None:
        super().close()
        self._turn.close()

    def hold(self, *, waits: bool = False) -> bool:
        waits = waits or self._has_turn
        if not self._has_turn and not _lock(self._turn):
            return False
        self._has_turn = True
        is_ours = _lock(self._handle)
        if is_ours or not waits:
            self.forgo()
        if is_ours:
            left = self._read(DIRTY)
            self._write(DIRTY)
            self.next_nonce = None if left == DIRTY else left
        return is_ours

    def forgo(self) -> None:
        if self._has_turn and not self._turn.closed:
            fcntl.flock(self._turn, fcntl.LOCK_UN)
        self._has_turn = False

    @property
    def is_awaited(self) -> bool:
        if not _lock(self._turn):
            return True
        fcntl.flock(self._turn, fcntl.LOCK_UN)
        return False

    def release(self, next_nonce: int | None) -> None:
        """After `close` the lock is gone and the number in doubt, as if we had died."""
        if self._handle.closed:
            return
        self._write(DIRTY if next_nonce is None else next_nonce)
        fcntl.flock(self._handle, fcntl.LOCK_UN)


def clock_file(identity: AccountIdentity) -> Path:
    """Where a user's clock numbers are kept: one file for all the accounts of that user, because a wallet's numbers
    are counted together wherever it trades (Aster's futures and spot are two venues to us)."""
    user = sha256(f"{identity.environment}\n{identity.key}".encode()).hexdigest()[:16]
    return private_directory(host_directory() / "users") / f"nonces-{user}"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o600)


def _lock(handle: IO[bytes]) -> bool:
    """True when nobody else has it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
