"""What a bot is, after loading, overlaying defaults and checking. Every field is explicit: no defaults here,
they stand once, in schemas/, and the loader fills them in.

An effective document (the JSON in a generation) decodes straight into these types.
"""

# No `from __future__ import annotations`: msgspec would have to compile every text among them when a bot starts.

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self

import msgspec

from engine.model.value import Value
from engine.spec.policy import Policy

BASE = "base"
"""What people call no environment: the files of bots/ without any overlay."""


class Environment(StrEnum):
    SIM = "sim"
    TESTNET = "testnet"
    MAINNET = "mainnet"


class StopPolicy(StrEnum):
    """What becomes of the position when a bot stops; own orders are always cancelled."""

    KEEP = "keep"
    REDUCE = "reduce"
    FLATTEN = "flatten"


class OnLimit(StrEnum):
    """What becomes of a bot that uses more of the host than it may."""

    RESTART = "restart"
    PAUSE = "pause"


class Role(StrEnum):
    """What a bot is to the others on its accounts and markets; each is there before the next begins."""

    FEED = "feed"
    HEDGER = "hedger"
    MAKER = "maker"


class OnFailure(StrEnum):
    """What becomes of a rollout when a wave of it fails."""

    ROLLBACK = "rollback"
    STOP = "stop"


class SecretRef(Value, frozen=True, kw_only=True):
    """Where a secret is found, never the secret: an environment variable's name or a file's path."""

    env: str | None = None
    file: str | None = None


class AccountSpec(Value, frozen=True, kw_only=True):
    """One account at one venue. A simulated account has opening balances instead of credentials.

    `exclusive` is a declaration: nobody but this fleet trades on it (None: nobody said so). `dead_mans_switch_s` is
    after how long the venue cancels all orders when it has not heard of the bot; only for exclusive accounts.
    `options` is what was chosen of that which the venue lets one choose. `owner` is whose it is: accounts of one
    owner must not trade with each other. `max_leverage`: how often its equity all its bots' positions may be worth.
    `leverage`: what the account is expected to be set to at the venue; whoever looks for drift compares it.
    """

    name: str
    venue: str
    environment: Environment
    rest_url: str | None
    ws_url: str | None
    credentials: dict[str, SecretRef]
    balances: dict[str, Decimal]
    exclusive: bool | None = None
    dead_mans_switch_s: int | None = None
    options: dict[str, Any] | None = None
    owner: str | None = None
    max_leverage: Decimal | None = None
    leverage: Decimal | None = None

    @property
    def as_felt(self) -> Self:
        """The account as a process feels it: without what only plans weigh."""
        return msgspec.structs.replace(self, owner=None, max_leverage=None, leverage=None)


class LegSpec(Value, frozen=True, kw_only=True):
    """One account and market a bot trades; `account` names an entry of the bot spec's `accounts`."""

    venue: str
    account: str
    market: str


class StrategySpec(Value, frozen=True, kw_only=True):
    """A strategy's kind and its own parameters, checked by its schema fragment; decoded by the strategy."""

    kind: str
    parameters: dict[str, Any]


class RiskSpec(Value, frozen=True, kw_only=True):
    """Limits on every order before the send. `max_position` in base, money in quote (USD). None: no limit.

    Those after `max_data_age_s` are stops: they take the whole bot out of trade. Percentages are of `capital_usd`;
    `on_trip` None is the process's stop policy.
    """

    max_position: Decimal | None
    max_open_notional_usd: Decimal | None
    max_order_notional_usd: Decimal | None
    max_orders_per_minute: int
    price_band_bps: Decimal
    max_data_age_s: Decimal
    capital_usd: Decimal | None = None
    stop_loss_usd: Decimal | None = None
    stop_loss_pct: Decimal | None = None
    take_profit_usd: Decimal | None = None
    take_profit_pct: Decimal | None = None
    max_drawdown_pct: Decimal | None = None
    max_daily_loss_usd: Decimal | None = None
    max_rejects_in_a_row: int | None = None
    on_trip: StopPolicy | None = None


class ProcessSpec(Value, frozen=True, kw_only=True):
    """How the process behaves. None: no limit; of `on_limit`, a restart; of `max_restarts_per_hour`, the engine's
    own (`engine.runtime.starts`). `duration_s` None runs until stopped; `proxy` is where its venues are reached
    through (with user and password where it wants them); None: the fleet's, else directly."""

    stop_policy: StopPolicy
    stop_timeout_s: Decimal
    duration_s: Decimal | None
    log_level: str
    proxy: SecretRef | None = None
    max_memory_mb: int | None = None
    max_cpu_pct: int | None = None
    on_limit: OnLimit | None = None
    max_restarts_per_hour: int | None = None


class BudgetSpec(Value, frozen=True, kw_only=True):
    """Limits on all bots of an account or of the fleet together, in quote (USD). None: no limit."""

    max_net_exposure_usd: Decimal | None = None
    max_gross_exposure_usd: Decimal | None = None
    max_daily_loss_usd: Decimal | None = None


class BudgetsSpec(Value, frozen=True, kw_only=True):
    """The shared budgets of fleet.yaml; of a bot, only those it draws on."""

    fleet: BudgetSpec | None = None
    accounts: dict[str, BudgetSpec] = {}


class BotSpec(Value, frozen=True, kw_only=True):
    """One bot, whole. `legs` maps leg name to leg; a one-leg bot's is called `main`. `budgets` None: it shares
    none with other bots. `role` None is a maker. `protected`, `role` and `depends_on` are for plans: the process
    does not feel them."""

    name: str
    labels: dict[str, str]
    enabled: bool
    legs: dict[str, LegSpec]
    accounts: dict[str, AccountSpec]
    strategy: StrategySpec
    risk: RiskSpec
    process: ProcessSpec
    budgets: BudgetsSpec | None = None
    protected: bool = False
    renamed_from: str | None = None
    """What the bot was called before; None for one that has its first name."""
    role: Role | None = None
    depends_on: tuple[str, ...] = ()

    @property
    def shared_budgets(self) -> dict[str, BudgetSpec]:
        """What the bot shares with others, by the name that people are told: `fleet`, `account NAME`."""
        if self.budgets is None:
            return {}
        fleet = {"fleet": self.budgets.fleet} if self.budgets.fleet else {}
        return fleet | {f"account {name}": budget for name, budget in sorted(self.budgets.accounts.items())}


Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""How many of all, from 0 to 1."""


class FaultSpec(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes wrong between a simulated venue and its clients; nothing by default. Each can be switched while the
    simulator runs.

    Of frames: `drop` loses one, `gap` loses several in a row, `duplicate` says one twice, `reorder` lets the next
    one pass it, `disconnect` closes the socket, `zombie` leaves it open and never speaks on it again. Of requests:
    `rate_limited` is refused with 429 unseen by the venue, `server_error` is carried out and answered 503, `slow`
    is answered `slow_ms` late. `clock_skew_ms` is how far the venue's clock is ahead.
    """

    latency_ms: Annotated[int, msgspec.Meta(ge=0)] = 0
    jitter_ms: Annotated[int, msgspec.Meta(ge=0)] = 0
    drop: Share = 0.0
    gap: Share = 0.0
    duplicate: Share = 0.0
    reorder: Share = 0.0
    disconnect: Share = 0.0
    zombie: Share = 0.0
    rate_limited: Share = 0.0
    server_error: Share = 0.0
    slow: Share = 0.0
    slow_ms: Annotated[int, msgspec.Meta(ge=0)] = 3_000
    clock_skew_ms: int = 0


class SimSpec(Value, frozen=True, kw_only=True):
    """One simulated venue of a fleet. `accounts` maps account name to opening balances by asset.

    `speed` multiplies the pace of the market flow; `recording` is a file of recorded flow instead of the
    seeded generator. `tiers` are of the accounts that chose one. `funding_interval_s` None: as long as the real
    venue's.
    """

    venue: str
    seed: int
    speed: Decimal
    latency_ms: int
    taker_delay_ms: int
    recording: str | None
    accounts: dict[str, dict[str, Decimal]]
    faults: FaultSpec | None = None
    tiers: dict[str, str] | None = None
    funding_interval_s: int | None = None
    funding_rate: Decimal | None = None


class SentinelSpec(Value, frozen=True, kw_only=True):
    """Whether somebody looks after bots without a process, and how long one may be without."""

    enabled: bool
    grace_s: Decimal


class CommitStatusSpec(Value, frozen=True, kw_only=True):
    """Where a repository's host is told how a commit fared: its API address of the repository, and a token."""

    url: str
    token: SecretRef


class WatchSpec(Value, frozen=True, kw_only=True):
    """The branch whose commits are applied by themselves. `repo` is an address, or a folder (from the workspace).

    `allowed_signers` None: whom git on this host trusts. `accept` are the risks that need no person, `env` the
    environment (None: the one that fleet.yaml chooses). What reports to whom is None: nobody.
    """

    repo: str
    branch: str
    interval_s: Decimal
    require_signed: bool
    allowed_signers: str | None = None
    env: str | None = None
    accept: tuple[str, ...] = ()
    webhook: SecretRef | None = None
    commit_status: CommitStatusSpec | None = None


class MetricsSpec(Value, frozen=True, kw_only=True):
    """Where the fleet's metrics are served."""

    host: str
    port: int


class TelegramSpec(Value, frozen=True, kw_only=True):
    """A chat that a bot of Telegram's writes to. `url` is of the Bot API, which may be a server of one's own."""

    token: SecretRef
    chat: str
    url: str


class EmailSpec(Value, frozen=True, kw_only=True):
    """Who gets mail, by which server (`smtps://` or, with STARTTLS, `smtp://`). Without `user` nobody logs in."""

    server: str
    sender: str
    to: tuple[str, ...]
    user: str | None = None
    password: SecretRef | None = None


class ChannelSpec(Value, frozen=True, kw_only=True):
    """A way to a person: exactly one of these."""

    webhook: SecretRef | None = None
    telegram: TelegramSpec | None = None
    email: EmailSpec | None = None


class AlertsSpec(Value, frozen=True, kw_only=True):
    """Who is told what is wrong, by channel. Something is told once it lasts `for_s`, and again after `repeat_s`
    (None: never). `heartbeat` is an address that is asked every `heartbeat_s` while all this works."""

    channels: dict[str, ChannelSpec]
    for_s: Decimal
    repeat_s: Decimal | None
    heartbeat_s: Decimal
    heartbeat: SecretRef | None = None


class CanarySpec(Value, frozen=True, kw_only=True):
    """Who takes new settings first, at which share of the size, and what is held against them after `for_s`.

    `bots` is a number or names; None: all with these `labels`, or one bot where none are given. A bound that is
    None is not judged.
    """

    bots: int | tuple[str, ...] | None
    labels: dict[str, str]
    size_pct: Decimal
    for_s: Decimal
    max_rejects_in_a_row: int | None
    min_fills: int | None
    max_loss_usd: Decimal | None
    max_stale_s: Decimal | None


class FreezeSpec(Value, frozen=True, kw_only=True):
    """A window in which nothing is changed: it opens at `cron` (UTC)."""

    cron: str
    for_minutes: int
    why: str


class RolloutSpec(Value, frozen=True, kw_only=True):
    """How an apply goes about many bots, and what it does not do unless told. None: no bound."""

    max_unavailable: int | None
    max_unavailable_usd: Decimal | None
    health_timeout_s: Decimal
    on_failure: OnFailure
    canary: CanarySpec | None
    freeze: tuple[FreezeSpec, ...]
    freeze_funding_minutes: int | None
    max_changes: int | None
    max_stopped_pct: Decimal | None
    max_notional_usd: Decimal | None


MAX_PROGRAMS = 300
"""As the schema has it; what generations from before the setting mean."""


class FleetSpec(Value, frozen=True, kw_only=True):
    """The fleet around the bots. `live_allowed` must be said before any account may trade on mainnet.

    `requests_per_minute` is the most this fleet may use of one account's budget; None: all the venue allows.
    `sentinel` is None in generations from before there was one. `rollout` None: everything at once. `env` is the
    environment whose overlays lie over the files; None: no environment's. `policy` is what plans are judged by; no
    process feels it. `watch` None: nothing is applied but by people. `max_programs` is what one supervisord keeps.
    `metrics` None: served to nobody. `alerts` None: nobody is told.
    """

    id: str
    live_allowed: bool
    accounts: dict[str, AccountSpec]
    sims: dict[str, SimSpec]
    requests_per_minute: int | None = None
    budgets: BudgetsSpec | None = None
    sentinel: SentinelSpec | None = None
    env: str | None = None
    rollout: RolloutSpec | None = None
    policy: Policy = {}
    watch: WatchSpec | None = None
    metrics: MetricsSpec | None = None
    alerts: AlertsSpec | None = None
    max_programs: int = MAX_PROGRAMS

    @property
    def is_monitored(self) -> bool:
        """Whether somebody looks at it for others."""
        return self.metrics is not None or self.alerts is not None
