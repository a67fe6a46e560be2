"""Depth streams that come at most so often: changes add up and leave as one update."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from engine.clock import NS_PER_MS
from engine.sim.matching import Level
from engine.sim.schedule import Schedule
from engine.sim.subscriptions import StreamName


@dataclass(slots=True)
class Window:
    """What changed since the last update: newest size by price, and the first update it belongs to."""

    name: StreamName
    first_id: int | None = None
    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)


class DepthWindows:
    """All windowed depth streams anybody ever listened to; `publish` says whether somebody still does."""

    def __init__(self, schedule: Schedule, publish: Callable[[Window, int], bool]) -> None:
        self._schedule = schedule
        self._publish = publish
        self._windows: dict[str, Window] = {}

    def start(self, name: StreamName, now_ns: int) -> None:
        if name.text not in self._windows:
            window = self._windows[name.text] = Window(name)
            self._schedule_next(window, now_ns)

    def changed(self, symbol: str, update_id: int, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        for window in self._windows.values():
            if window.name.symbol == symbol:
                window.first_id = window.first_id or update_id
                window.bids.update(bids)
                window.asks.update(asks)

    def _schedule_next(self, window: Window, now_ns: int) -> None:
        width_ns = window.name.window_ms * NS_PER_MS
        self._schedule.at(now_ns - now_ns % width_ns + width_ns, lambda at_ns: self._close(window, at_ns))

    def _close(self, window: Window, now_ns: int) -> None:
        if self._publish(window, now_ns):
            self._windows[window.name.text] = window = Window(window.name)
            self._schedule_next(window, now_ns)
        else:
            del self._windows[window.name.text]
