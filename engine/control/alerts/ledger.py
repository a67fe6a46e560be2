"""What is wrong, since when, and who has been told: the difference is what each channel is still owed.

Telling is a reconciliation like any other. Nothing waits in a queue: what a channel that did not get through is
owed is worked out anew, so it hears of what counts then, once. A crash between telling and noting it tells twice,
and never not at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from engine.model.value import Value


class Condition(NamedTuple):
    """One thing that is not as it should be. It has the same `key` for as long as it lasts, whatever its words
    become. What `is_urgent` is told at once; all else passes by itself often enough to be given a while."""

    key: str
    text: str
    is_urgent: bool = False


class Active(Value, frozen=True, kw_only=True):
    """Something that is wrong since an instant, or was until `gone_ns`: what comes and goes is one thing."""

    text: str
    is_urgent: bool
    since_ns: int
    gone_ns: int | None = None


class Told(Value, frozen=True, kw_only=True):
    """What a channel heard last of one thing, and when."""

    at_ns: int
    text: str


class Ledger(Value, frozen=True, kw_only=True):
    """All that is wrong by key; by channel, what it was told of; and why a channel does not get through."""

    active: dict[str, Active] = {}
    told: dict[str, dict[str, Told]] = {}
    failing: dict[str, str] = {}


class Rules(Value, frozen=True, kw_only=True):
    """How long something lasts before it is told, or must be over to be over, and after which time a channel is
    reminded of what goes on; None: never."""

    for_ns: int
    repeat_ns: int | None


class News(Value, frozen=True, kw_only=True):
    """What one channel is owed, as text by key. Falsy when that is nothing."""

    begun: dict[str, str] = {}
    lasting: dict[str, str] = {}
    over: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self.begun or self.lasting or self.over)


def seen(ledger: Ledger, conditions: Iterable[Condition], rules: Rules, at_ns: int) -> Ledger:
    """After one more look."""
    now = {condition.key: condition for condition in conditions}
    active = {key: _known(ledger.active.get(key), condition, at_ns) for key, condition in now.items()}
    for key, known in ledger.active.items():
        if key in now:
            continue
        gone_ns = at_ns if known.gone_ns is None else known.gone_ns
        if at_ns - gone_ns < rules.for_ns:
            active[key] = replace(known, gone_ns=gone_ns)
    return replace(ledger, active=active)


def _known(before: Active | None, condition: Condition, at_ns: int) -> Active:
    since_ns = before.since_ns if before else at_ns
    return Active(text=condition.text, is_urgent=condition.is_urgent, since_ns=since_ns)


def owed(ledger: Ledger, channel: str, rules: Rules, at_ns: int) -> News:
    """What a channel has not heard yet."""
    told = ledger.told.get(channel, {})
    going_on = {key: each for key, each in ledger.active.items() if each.gone_ns is None}
    ripe = {key for key, each in going_on.items() if each.is_urgent or at_ns - each.since_ns >= rules.for_ns}
    due = {key for key, last in told.items() if rules.repeat_ns and at_ns - last.at_ns >= rules.repeat_ns}
    return News(
        begun={key: going_on[key].text for key in sorted(ripe - told.keys())},
        lasting={key: going_on[key].text for key in sorted(due & going_on.keys())},
        over={key: told[key].text for key in sorted(told.keys() - ledger.active.keys())},
    )


def heard(ledger: Ledger, channel: str, news: News, at_ns: int) -> Ledger:
    """After a channel took its news."""
    told = {key: last for key, last in ledger.told.get(channel, {}).items() if key not in news.over}
    told |= {key: Told(at_ns=at_ns, text=text) for key, text in {**news.begun, **news.lasting}.items()}
    failing = {name: why for name, why in ledger.failing.items() if name != channel}
    return replace(ledger, told={**ledger.told, channel: told}, failing=failing)


def missed(ledger: Ledger, channel: str, why: str) -> Ledger:
    """After a channel did not get through."""
    return replace(ledger, failing={**ledger.failing, channel: why})


def only(ledger: Ledger, channels: Iterable[str]) -> Ledger:
    """Without what channels that are declared no more were told."""
    kept = set(channels)
    return replace(
        ledger,
        told={name: told for name, told in ledger.told.items() if name in kept},
        failing={name: why for name, why in ledger.failing.items() if name in kept},
    )
