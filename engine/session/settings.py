"""Which leg a session serves and how patient it is. Made by whoever makes the session."""

from __future__ import annotations

from engine.model.value import Value


class SessionSettings(Value, frozen=True, kw_only=True):
    """`leg` stands in every event; a book older than `max_data_age_s` is lost (law 7).

    `depth_doubt_s`: a book that did not change for so long is compared with a snapshot although other public data
    comes. `echo_s`: a stream that does not mention what the venue is known to have done, an order it took or a
    book that moved on, is by then a dead socket that merely looks open. `dead_mans_switch_s` is set for exclusive
    accounts only, and where the venue's facts say that it has one.
    """

    leg: str
    max_data_age_s: float = 10.0
    depth_doubt_s: float = 30.0
    echo_s: float = 10.0
    order_timeout_s: float = 5.0
    query_timeout_s: float = 10.0
    connect_timeout_s: float = 10.0
    snapshot_interval_s: float = 1.0
    clock_refresh_s: float = 600.0
    reconnect_first_s: float = 0.5
    reconnect_ceiling_s: float = 15.0
    login_ceiling_s: float = 60.0
    healthy_s: float = 30.0
    dead_mans_switch_s: int | None = None
