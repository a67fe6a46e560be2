"""How the simulated Lighter behaves where the real one differs by tier, or is not documented."""

from __future__ import annotations

from engine.model.value import Value


class LighterSettings(Value, frozen=True, kw_only=True):
    """Delays are those of a standard account: what the sequencer waits before it looks at a transaction. A premium
    account's makers and cancels do not wait.

    `chain_id`: goes into every hash, so that a client on another chain has no valid signature.
    `requests_per_minute`: per account, over the last minute; None does not count. `premium_weight_per_minute` is
    the same for premium accounts, whose requests weigh differently.
    `limit_status`: the HTTP status of a rate limit (undocumented).
    `funding_interval_s`: how long a funding interval is; every market of the real one has an hour.
    `book_interval_ms`: changes of a book leave together at most this often.
    `all_channels_need_tokens`: whether positions, trades and the like want a token too (unsettled).
    `socket_refusals_say_which`: whether a refused transaction of the socket is named in its refusal (unsettled).
    `transactions_come_first`: whether an order's transaction is told of before the order (unsettled).
    `tokens_end_streams`: whether a channel falls silent when the token it was opened with ends (unsettled).
    """

    chain_id: int = 304
    taker_delay_ms: int = 300
    maker_delay_ms: int = 200
    cancel_delay_ms: int = 200
    requests_per_minute: int | None = 60
    premium_weight_per_minute: int = 24_000
    limit_status: int = 429
    book_interval_ms: int = 50
    verify_signatures: bool = True
    all_channels_need_tokens: bool = True
    socket_refusals_say_which: bool = True
    transactions_come_first: bool = False
    tokens_end_streams: bool = False
    token_life_max_s: int = 8 * 3_600
    batch_max: int = 50
    funding_interval_s: int = 3_600
