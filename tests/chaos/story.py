"""What will happen in a play, drawn from its seed: which bots, on what kind of venue, and every trouble.

A story is a value, so that a failing one can be told again without some of its troubles.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from random import Random

from engine.exchanges.lighter.options import OrderEntry, Tier
from engine.model.value import Value
from engine.sim.trouble import Kind, Trouble

TROUBLED_MS = 20_000
"""How long a play is troubled; afterwards everything works and the market rests."""
TROUBLES_MOST = 9
HEDGES_EVERY = 4
"""One story in so many is of a bot that hedges."""
PAIRS = ("spot and perp", "two accounts", "backpack and paradex", "backpack and aster")
VENUES = ("backpack", "backpack", "aster")
"""Backpack has spot, slow takers and snapshots that lag; Aster's perps amend orders, and cancel several at once."""

AIMED, LIGHTER = "aimed", "lighter"
"""Stories of families of their own (`aims`, `numbered`), with seeds of their own."""
KINDS = ("hedge", "backpack", "aster", AIMED, LIGHTER)


class Blow(StrEnum):
    """What hits a process or its host, and not the wire."""

    CRASH = "killed after some more effects"
    DISK = "disk full"
    CLOCK = "wall clock jumps"
    STOP = "stopped and started again"
    RELOAD = "reloaded in place"


class Mishap(Value, frozen=True, kw_only=True):
    """One blow to one bot. `amount` counts effects for a crash and milliseconds otherwise."""

    blow: Blow
    bot: str
    at_ms: int
    amount: int = 0

    def __str__(self) -> str:
        return f"{self.at_ms / 1000:7.3f} s  {self.bot} {self.blow.value}, {self.amount}"


class LighterHabits(Value, frozen=True, kw_only=True):
    """What an account on Lighter has chosen, and what of the venue is not settled. Bots of one account share its
    key, and so its numbers. `says_which`: whether a refusal on the socket names what was refused.
    `transactions_come_first`: whether an order's transaction is told of before the order."""

    tier: Tier
    order_entry: OrderEntry
    tx_lifetime_s: int
    says_which: bool
    transactions_come_first: bool

    def __str__(self) -> str:
        unsaid = "" if self.says_which else ", refusals that name nothing"
        unsaid += ", transactions told before orders" if self.transactions_come_first else ""
        return f"{self.tier} by {self.order_entry}, sends end after {self.tx_lifetime_s} s{unsaid}"


class Story(Value, frozen=True, kw_only=True):
    """`pace` is the market's speed. Of the `venue`'s habits `taker_delay_ms`, `cancels_later` and `lag_ms` (how far
    behind its own snapshots are) are Backpack's, `expires_crossing` is Aster's: a post-only order that would cross
    ends instead of being refused. A story with a `pair` is of one bot that hedges over these two legs; one with an
    `aim` lets whatever goes wrong on the wire hit messages of that kind only."""

    seed: int
    venue: str
    bots: tuple[str, ...]
    pace: float
    flatten: bool
    latency_ms: int
    taker_delay_ms: int
    cancels_later: bool
    lag_ms: int
    expires_crossing: bool
    troubles: tuple[Trouble | Mishap, ...]
    pair: str = ""
    aim: str = ""
    lighter: LighterHabits | None = None

    @property
    def has_budget(self) -> bool:
        """Whether the bots, or the legs of one, share one: a third of all stories, and nothing is drawn for it."""
        return self.seed % 3 == 0

    @property
    def kind(self) -> str:
        """One of `KINDS`: on Lighter, with an aim, a bot that hedges, or else the venue."""
        if self.lighter is not None:
            return LIGHTER
        return AIMED if self.aim else "hedge" if self.pair else self.venue

    @property
    def again(self) -> str:
        """How to ask for this story."""
        return f"--of {self.kind} --from {self.seed}" if self.kind in (AIMED, LIGHTER) else f"--from {self.seed}"

    def __str__(self) -> str:
        habits = [f"pace {self.pace:g}", f"latency up to {self.latency_ms} ms"]
        habits += [f"takers wait {self.taker_delay_ms} ms"] if self.taker_delay_ms else []
        habits += ["cancels are answered 202"] if self.cancels_later else []
        habits += [f"snapshots {self.lag_ms} ms behind"] if self.lag_ms else []
        habits += [str(self.lighter)] if self.lighter else []
        habits += ["stop flattens"] if self.flatten else []
        habits += [f"the {'legs' if self.pair else 'bots'} share a budget"] if self.has_budget else []
        who = f"{' and '.join(self.bots)} {f'over {self.pair}' if self.pair else f'on {self.venue}'}"
        lines = [f"seed {self.seed}{f', aimed at {self.aim}' if self.aim else ''}: {who}; {', '.join(habits)}"]
        return "\n".join(lines + [f"  {number:2}  {each}" for number, each in enumerate(self.troubles)])


def tell(seed: int) -> Story:
    """The story of a seed."""
    random = Random(f"story/{seed}")
    venue = Random(f"venue/{seed}").choice(VENUES)
    bots: tuple[str, ...] = random.choice((("spot",), ("perp",), ("spot", "perp")))
    hedges = seed % HEDGES_EVERY == 0
    if hedges:
        bots = ("hedge",)
    elif venue == "aster":
        bots = ("perp",)
    troubles = [_trouble(random, bots) for _ in range(random.randint(1, TROUBLES_MOST))]
    return Story(
        seed=seed,
        venue=venue,
        bots=bots,
        pace=random.choice((1.0, 3.0, 5.0)),
        flatten=random.random() < 0.25,
        latency_ms=random.choice((5, 40, 200)),
        taker_delay_ms=random.choice((0, 100)),
        cancels_later=random.random() < 0.25,
        lag_ms=random.choice((0, 0, 50, 400)),
        expires_crossing=seed % 2 == 0,
        troubles=tuple(sorted(troubles, key=lambda each: each.at_ms)),
        pair=PAIRS[seed // HEDGES_EVERY % len(PAIRS)] if hedges else "",
    )


def _trouble(random: Random, bots: tuple[str, ...]) -> Trouble | Mishap:
    return mishap(random, random.choice(bots)) if random.random() < 0.45 else on_the_wire(random, ORDINARY)


def on_the_wire(random: Random, kinds: Sequence[Kind]) -> Trouble:
    """Something that goes wrong between all bots and the venue, drawn."""
    kind = random.choice(kinds)
    at_ms = random.randrange(TROUBLED_MS)
    if kind.is_instant:
        return Trouble(kind=kind, at_ms=at_ms)
    return Trouble(
        kind=kind,
        at_ms=at_ms,
        for_ms=min(random.choice((300, 2_000, 12_000)), TROUBLED_MS - at_ms),
        share_pct=100 if kind is Kind.PARTITION else random.choice((5, 30, 100)),
        delay_ms=random.choice((30, 400, 6_000)) if kind in SLOW else 0,
    )


def mishap(random: Random, bot: str) -> Mishap:
    """One blow to a bot, drawn."""
    blow = random.choice((Blow.CRASH, Blow.CRASH, *Blow))
    amounts = {
        Blow.CRASH: random.randrange(60),
        Blow.DISK: random.randrange(50, 3_000),
        Blow.CLOCK: random.choice((-10_000, -900, -50, 50, 900, 10_000)),
        Blow.STOP: random.randrange(100, 4_000),
        Blow.RELOAD: random.choice((6, 14)),
    }
    return Mishap(blow=blow, bot=bot, at_ms=random.randrange(TROUBLED_MS), amount=amounts[blow])


TO_SOCKETS = (Kind.LOST_WORDS, Kind.SLOW_WORDS)
"""What hits bots that say more than subscriptions on a socket."""
ORDINARY = tuple(kind for kind in Kind if kind not in TO_SOCKETS)
SLOW = (Kind.SLOW_REQUEST, Kind.SLOW_REPLY, Kind.LATE_FRAME, Kind.SLOW_WORDS)
