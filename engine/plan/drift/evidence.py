"""What was seen, as far as it could be: `engine.control.drift.looking` gathers it. What could not is Unknown."""

from __future__ import annotations

from decimal import Decimal

from engine.model.value import Value
from engine.plan.desired import Desired
from engine.plan.observed import Observed, Unknown
from engine.spec.types import BotSpec

Place = tuple[str, str]
"""An account and a market."""


class RestingOrder(Value, frozen=True, kw_only=True):
    """One order at the venue. `owner`: the bot whose journal knows it; empty when none does. `tagged`: whose
    tag its client id begins with, where no journal knows it: `fleet/bot`."""

    venue_order_id: str
    side: str
    price: str
    size: str
    owner: str = ""
    tagged: str = ""


class SetLeverage(Value, frozen=True, kw_only=True):
    """How leverage is set at the venue, and whether it can be set from here."""

    times: Decimal
    is_of_account: bool
    can_change: bool


class MarketLook(Value, frozen=True, kw_only=True):
    """What a venue says of one market of an account. `position` is None for spot; `explained` is what the bots'
    journals make of it, None when something was filled meanwhile. `leverage` None: not asked, or not told."""

    orders: tuple[RestingOrder, ...]
    position: Decimal | None = None
    explained: Decimal | None = Decimal(0)
    leverage: SetLeverage | None = None


class AccountLook(Value, frozen=True, kw_only=True):
    """What of an account's balances nothing explains, by asset, since `since`. `why_not`: it was not compared."""

    unexplained: dict[str, Decimal] = {}
    since: str = ""
    why_not: str = ""


class Left(Value, frozen=True, kw_only=True):
    """A bot that was run in the foreground and killed, and how many of its orders its journal knows to be alive."""

    spec: BotSpec
    orders: int


class Evidence(Value, frozen=True, kw_only=True):
    """The four sides: the files, the generation in force (None before the first), what runs, and the venues."""

    declared: Desired | Unknown
    applied: Desired | None
    observed: Observed
    markets: dict[Place, MarketLook | Unknown] = {}
    accounts: dict[str, AccountLook | Unknown] = {}
    left: tuple[Left, ...] = ()
