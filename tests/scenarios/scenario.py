"""A scenario as its file says it: bots as their owner would write them, a market, troubles, and what must be true.

The files are `tests/cases/scenarios/*.yaml`, one for every known way to lose money.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import yaml

from engine.model.order import Side
from engine.model.value import Value
from engine.sim.trouble import Kind, Trouble
from tests.chaos.story import Blow, Mishap

FOLDER = Path(__file__).parents[1] / "cases" / "scenarios"


class Line(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What others do on a market at `at_s`: the best prices become `bid` and `ask`; or somebody trades.

    `sell` and `buy` are sizes somebody takes from the book, up to the price `limit`. `by_hand` is an order that the
    account's owner rests beside the bot.
    """

    at_s: float
    bid: Decimal | None = None
    ask: Decimal | None = None
    size: Decimal = Decimal(1000)
    sell: Decimal | None = None
    buy: Decimal | None = None
    limit: Decimal | None = None
    by_hand: ByHand | None = None


class ByHand(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    account: str
    side: Side
    price: Decimal
    size: Decimal


class Bad(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Trouble on the wire, see `engine.sim.trouble.Trouble`; `kind` is a name of its Kind."""

    kind: str
    at_s: float
    for_s: float = 0
    share_pct: int = 100
    delay_s: float = 0
    only: str = ""

    @property
    def trouble(self) -> Trouble:
        return Trouble(
            kind=Kind[self.kind],
            at_ms=round(self.at_s * 1000),
            for_ms=round(self.for_s * 1000),
            share_pct=self.share_pct,
            delay_ms=round(self.delay_s * 1000),
            only=self.only,
        )


class Hit(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One blow to one bot's process, see `tests.chaos.story.Mishap`; `blow` is a name of its Blow."""

    blow: str
    bot: str
    at_s: float
    amount: int = 0

    @property
    def mishap(self) -> Mishap:
        return Mishap(blow=Blow[self.blow], bot=self.bot, at_ms=round(self.at_s * 1000), amount=self.amount)


class Expected(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must be true of a bot at `at_s`; what is not named does not matter.

    `orders`, `buys` and `sells` (their prices), `sizes` (all that may still fill), `held`, and `by_hand` (orders
    of the account's owner) are what the venue itself has; the rest is what the bot says of itself.
    """

    at_s: float
    bot: str
    leg: str = "main"
    orders: int | None = None
    buys: list[Decimal] | None = None
    sells: list[Decimal] | None = None
    sizes: Decimal | None = None
    by_hand: int | None = None
    held: Decimal | None = None
    position: Decimal | None = None
    fills: int | None = None
    unresolved: int | None = None
    ready: bool | None = None
    why_not: str | None = None
    state: str | None = None
    realised_pnl: Decimal | None = None
    funding: Decimal | None = None
    funding_why_not: str | None = None


class Scenario(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`most_orders` may never be exceeded at the venue, not even for a moment, by each bot and leg. What stands in
    `never_answered` no venue may have said: a status, or part of a refusal."""

    id: str
    title: str
    wrong: str
    right: str
    fleet: dict[str, Any]
    bots: dict[str, dict[str, Any]]
    markets: dict[str, list[Line]]
    lasts_s: float
    expect: list[Expected]
    troubles: list[Bad] = []
    mishaps: list[Hit] = []
    settings: dict[str, dict[str, Any]] = {}
    latency_ms: tuple[int, int] = (1, 5)
    most_orders: int | None = None
    never_answered: tuple[str, ...] = ()
    ends_stopped: bool = False


def read_scenario(path: Path) -> Scenario:
    """The scenario of a file; msgspec.ValidationError names what it does not understand."""
    return msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), Scenario)


def scenario_files() -> list[Path]:
    return sorted(FOLDER.glob("*.yaml"))
