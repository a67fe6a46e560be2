"""A leg whose own orders are told on more than one private stream."""

from __future__ import annotations

from engine.model.events import Event
from engine.session.account_feed import AccountFeed
from engine.session.settings import SessionSettings
from engine.transport.live import LiveWorld
from tests.session.toy import LEG


def test_a_leg_is_connected_while_all_of_its_private_streams_are() -> None:
    events: list[Event] = []
    feed = AccountFeed(LiveWorld(), {"orders", "fills"}, events.append, SessionSettings(leg=LEG))

    def told() -> list[str]:
        names = [type(event).__name__ for event in events]
        events.clear()
        return names

    feed.connected("orders")
    assert told() == []
    feed.connected("fills")
    assert told() == ["LegConnected"]
    feed.disconnected("fills", "closed")
    assert told() == ["LegDisconnected"]
    feed.disconnected("orders", "closed")
    assert told() == []
