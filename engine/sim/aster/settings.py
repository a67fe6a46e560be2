"""How the simulated Aster behaves where the real one may differ from day to day, or is not documented."""

from __future__ import annotations

from engine.model.value import Value


class AsterSettings(Value, frozen=True, kw_only=True):
    """`crossing_post_only_expires`: a post-only order that would cross is taken and expires at once; else it is
    refused with `crossing_post_only_code` (undocumented: relatives say -5022, -5021, or -2010 in spot).
    `costs_are_negative`: the trade list writes paid commissions below zero, as documented; else above, as captured.
    `funding_interval_s`: how long a funding interval is; the real one says so market by market.
    `duplicate_nonce_code`: the code for a nonce used before (undocumented).
    """

    crossing_post_only_expires: bool = True
    crossing_post_only_code: int = -5022
    costs_are_negative: bool = False
    duplicate_nonce_code: int = -4225
    nonce_window_ms: int = 10_000
    nonces_kept: int = 100
    listen_key_lifetime_s: int = 3_600
    weight_per_minute: int = 2_400
    orders_per_minute: int = 1_200
    orders_per_10_s: int = 300
    funding_interval_s: int = 8 * 3_600
