"""Book channels: fifteen levels a side, at most every 50 or 100 ms, whole or as changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.clock import NS_PER_MS
from engine.exchanges.paradex.wire_streams import BookRow, BookUpdate
from engine.model.order import Side
from engine.sim.paradex.channels import Channel
from engine.sim.paradex.render import SIDES, level
from engine.sim.schedule import Schedule
from engine.sim.venue_market import VenueMarket

DEPTH = 15

Levels = dict[tuple[Side, int], int]
"""Lots by side and price."""


@dataclass(slots=True)
class BookFeed:
    """One channel: what its listeners were last told."""

    channel: Channel
    at: VenueMarket
    told: Levels = field(default_factory=dict)
    seq_no: int = 0

    def start(self) -> None:
        """The state from which the first listener goes on."""
        self.told, self.seq_no = _levels(self.at), self.at.update_id

    def whole(self, now_ns: int) -> BookUpdate:
        """What was last told, as a snapshot."""
        return self._update("s", now_ns, self.told, {}, {})

    def news(self, now_ns: int) -> BookUpdate | None:
        """What is to be told now; None when nothing changed."""
        if self.seq_no == self.at.update_id:
            return None
        before, self.told, self.seq_no = self.told, _levels(self.at), self.at.update_id
        if self.channel.feed != "deltas":
            return self.whole(now_ns)
        inserts = {key: lots for key, lots in self.told.items() if key not in before}
        updates = {key: lots for key, lots in self.told.items() if before.get(key, lots) != lots}
        deletes = {key: 0 for key in before if key not in self.told}
        return self._update("d", now_ns, inserts, updates, deletes)

    def _update(self, kind: str, now_ns: int, inserts: Levels, updates: Levels, deletes: Levels) -> BookUpdate:
        return BookUpdate(
            market=self.at.market.symbol,
            seq_no=self.seq_no,
            last_updated_at=now_ns // NS_PER_MS,
            update_type=kind,
            inserts=self._rows(inserts),
            updates=self._rows(updates),
            deletes=self._rows(deletes),
        )

    def _rows(self, levels: Levels) -> tuple[BookRow, ...]:
        rows = ((side, *level(self.at, ticks, lots)) for (side, ticks), lots in levels.items())
        return tuple(BookRow(side=SIDES[side], price=price, size=size) for side, price, size in rows)


class BookFeeds:
    """All book channels anybody listens to; `publish` says whether somebody still does."""

    def __init__(self, schedule: Schedule, publish: Callable[[Channel, object | None], bool]) -> None:
        self._schedule = schedule
        self._publish = publish
        self._feeds: dict[str, BookFeed] = {}

    def greeting(self, channel: Channel, at: VenueMarket, now_ns: int) -> BookUpdate:
        """The snapshot a new listener begins with; its channel runs from now on."""
        feed = self._feeds.get(channel.text)
        if feed is None:
            feed = self._feeds[channel.text] = BookFeed(channel, at)
            feed.start()
            self._schedule_next(feed, now_ns)
        return feed.whole(now_ns)

    def _schedule_next(self, feed: BookFeed, now_ns: int) -> None:
        width_ns = feed.channel.window_ms * NS_PER_MS
        self._schedule.at(now_ns - now_ns % width_ns + width_ns, lambda at_ns: self._tick(feed, at_ns))

    def _tick(self, feed: BookFeed, now_ns: int) -> None:
        if self._publish(feed.channel, feed.news(now_ns)):
            self._schedule_next(feed, now_ns)
        else:
            del self._feeds[feed.channel.text]


def _levels(at: VenueMarket) -> Levels:
    return {(side, ticks): lots for side in Side for ticks, lots in at.book.levels(side, DEPTH)}
