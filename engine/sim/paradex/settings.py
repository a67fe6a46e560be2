"""How the simulated Paradex behaves where the real one may differ from day to day, or is not documented."""

from __future__ import annotations

from engine.model.value import Value


class ParadexSettings(Value, frozen=True, kw_only=True):
    """`queue_ms`: how long an order or cancel waits behind its 201 or 204 before it is carried out.

    `interactive_delay_ms`: how much longer with a token of `token_usage=interactive`.
    `clears_remaining`: whether an order that is cancelled shows a remaining size of 0 (undocumented).
    `refuses_reused_timestamps`: whether a signature timestamp may serve an account only once (undocumented).
    `refuses_live_client_ids`: whether two open orders may not share a client id.
    `funding_interval_s`: how long a funding interval is. The real one reckons all the time, and pays what has come
    together whenever a position changes.
    `future_tolerance_ms`: how far ahead of the venue's clock a signature may lie (undocumented).
    """

    queue_ms: int = 5
    interactive_delay_ms: int = 300
    token_lifetime_s: int = 300
    clears_remaining: bool = False
    refuses_reused_timestamps: bool = False
    refuses_live_client_ids: bool = True
    future_tolerance_ms: int = 10_000
    orders_per_second: int = 800
    private_reads_per_minute: int = 600
    public_per_minute: int = 1_500
    funding_interval_s: int = 8 * 3_600
