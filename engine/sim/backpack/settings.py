"""How the simulated Backpack behaves where the real one may differ from day to day, or is not documented."""

from __future__ import annotations

from engine.model.value import Value


class BackpackSettings(Value, frozen=True, kw_only=True):
    """`taker_delay_ms`: every order that is not post-only waits this long before it reaches the book.

    `accept_cancels_only`: cancels are answered 202 without a body and carried out `cancel_delay_ms` later.
    `allow_duplicate_client_ids`: whether two live orders of an account may share a client id (undocumented).
    `snapshot_lag_ms`: how far lists of orders and fills asked for over REST are behind (seen under load).
    `funding_interval_s`: how long a funding interval is; every market of the real one has an hour.
    `future_tolerance_ms`: how far ahead of the venue's clock a request's timestamp may lie (undocumented).
    """

    taker_delay_ms: int = 100
    accept_cancels_only: bool = False
    cancel_delay_ms: int = 50
    allow_duplicate_client_ids: bool = True
    requests_per_minute: int = 2_000
    window_max_ms: int = 60_000
    future_tolerance_ms: int = 1_000
    snapshot_lag_ms: int = 0
    funding_interval_s: int = 3_600
