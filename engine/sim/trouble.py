"""What can go wrong between a bot and a venue, as values that print themselves, and the weather they make.

`network` asks the weather about every message. A trouble knows no venue and draws from a source of its own, so a
play goes on the same way up to the first message that a left-out trouble would have hit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import StrEnum
from random import Random

from engine.clock import NS_PER_MS, NS_PER_S
from engine.model.value import Value


class Kind(StrEnum):
    """What goes wrong. The first group hits messages while it lasts, the second all sockets at one instant."""

    LOST_REQUEST = "requests lost on their way to the venue"
    LOST_REPLY = "replies lost after the venue acted"
    SLOW_REQUEST = "slow requests"
    SLOW_REPLY = "slow replies"
    BUSY = "503 after the venue acted"
    LIMITED = "429 before the venue acted"
    LOST_FRAME = "frames lost"
    TWICE_FRAME = "frames doubled"
    LATE_FRAME = "frames late, behind later ones"
    LOST_WORDS = "frames lost on their way to the venue"
    SLOW_WORDS = "frames slow on their way to the venue, in order"
    PARTITION = "network cut"

    DEAF = "sockets stay open and say nothing more"
    HANG_UP = "sockets closed"

    @property
    def is_instant(self) -> bool:
        return self in (Kind.DEAF, Kind.HANG_UP)


class Trouble(Value, frozen=True, kw_only=True):
    """One kind of trouble from `at_ms` on; while it lasts it hits `share_pct` of the messages, or of those that
    have `only` in them (`GET /api/v1/orders`, part of a frame). Slow and late ones take up to `delay_ms` longer."""

    kind: Kind
    at_ms: int
    for_ms: int = 0
    share_pct: int = 100
    delay_ms: int = 0
    only: str = ""

    def __str__(self) -> str:
        words = [f"{self.at_ms / 1000:7.3f} s  {self.kind.value}"]
        if not self.kind.is_instant:
            words.append(f"for {self.for_ms / 1000:.3f} s, {self.share_pct} %")
        if self.delay_ms:
            words.append(f"up to {self.delay_ms} ms")
        if self.only:
            words.append(f"where they have {self.only!r}")
        return ", ".join(words)


class Weather:
    """All troubles of a play."""

    def __init__(self, troubles: Iterable[Trouble], *, seed: int) -> None:
        self._lasting: dict[Kind, list[tuple[Trouble, Random]]] = defaultdict(list)
        self.instants: list[Trouble] = []
        for trouble in troubles:
            if trouble.kind.is_instant:
                self.instants.append(trouble)
            else:
                self._lasting[trouble.kind].append((trouble, Random(f"{seed}/{trouble}")))

    def hits(self, kind: Kind, elapsed_ns: int, message: str) -> bool:
        """Whether this kind of trouble hits a message now."""
        return self._hit(kind, elapsed_ns, message) is not None

    def delay_s(self, kind: Kind, elapsed_ns: int, message: str) -> float:
        """How much longer a message takes now; mostly not at all."""
        hit = self._hit(kind, elapsed_ns, message)
        if hit is None:
            return 0.0
        trouble, random = hit
        return random.randint(1, trouble.delay_ms) * NS_PER_MS / NS_PER_S

    def _hit(self, kind: Kind, elapsed_ns: int, message: str) -> tuple[Trouble, Random] | None:
        for trouble, random in self._lasting[kind]:
            if trouble.only not in message:
                continue
            begun_ns = elapsed_ns - trouble.at_ms * NS_PER_MS
            if 0 <= begun_ns < trouble.for_ms * NS_PER_MS and random.randrange(100) < trouble.share_pct:
                return trouble, random
        return None


CALM = Weather((), seed=0)
