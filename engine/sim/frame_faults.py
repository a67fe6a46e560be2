"""What may become of a frame on its way from a simulated venue to a client. Used by `faults`."""

from __future__ import annotations

from collections.abc import Callable

from engine.sim.machine import Outbound, SocketDropped, SocketSent
from engine.spec.types import FaultSpec

FRAMES_PER_GAP = 5
CLOSE_ABNORMAL = 1011


class FrameFaults:
    """Remembers of every socket what is wrong with it. `chance` draws."""

    def __init__(self, chance: Callable[[float], bool]) -> None:
        self._chance = chance
        self._silent: set[int] = set()
        self._swallowing: dict[int, int] = {}
        self._held: dict[int, SocketSent] = {}

    def forget(self, socket_id: int) -> None:
        """The socket is gone."""
        self._silent.discard(socket_id)
        self._swallowing.pop(socket_id, None)
        self._held.pop(socket_id, None)

    def pass_on(self, frame: SocketSent, faults: FaultSpec) -> list[Outbound]:
        """The frames that arrive now instead of this one."""
        socket_id = frame.socket_id
        if socket_id in self._silent or self._is_swallowed(socket_id):
            return []
        if self._chance(faults.zombie):
            self._silent.add(socket_id)
            return []
        if self._chance(faults.disconnect):
            self.forget(socket_id)
            return [SocketDropped(socket_id=socket_id, code=CLOSE_ABNORMAL)]
        if self._chance(faults.gap):
            self._swallowing[socket_id] = FRAMES_PER_GAP - 1
            return []
        return [] if self._chance(faults.drop) else self._arrive(frame, faults)

    def _arrive(self, frame: SocketSent, faults: FaultSpec) -> list[Outbound]:
        """The frame, perhaps twice, before one that it overtakes; or later, when the next one has overtaken it."""
        held = self._held.pop(frame.socket_id, None)
        if held is None and self._chance(faults.reorder):
            self._held[frame.socket_id] = frame
            return []
        copies = 2 if self._chance(faults.duplicate) else 1
        return [*[frame] * copies, *([held] if held else [])]

    def _is_swallowed(self, socket_id: int) -> bool:
        left = self._swallowing.get(socket_id, 0)
        if left:
            self._swallowing[socket_id] = left - 1
        return left > 0
