"""Bots of a plan that cannot be parted, and the order that such *bonds* are changed in.

Two bots are bonded when both stop and one needs the other, when one takes the account and market that the other
leaves, and when the simulated venue of both starts over. A bond waits for the bonds its bots depend on; those that
only leave come last, when what stays has proved itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush
from itertools import pairwise

from engine.plan.actions import Action, Kind
from engine.spec.dependencies import Graph, circle, dependencies
from engine.spec.types import BotSpec, Environment

Bond = tuple[str, ...]
"""Names, sorted."""

Pair = tuple[str, str]

LEAVING = (Kind.STOP, Kind.RETIRE)


@dataclass(frozen=True, kw_only=True)
class Touched:
    """The bots that a plan changes: what they were, what they will be, and whose simulated venue starts over."""

    actions: Mapping[str, Action]
    before: Mapping[str, BotSpec]
    after: Mapping[str, BotSpec]
    restarting: tuple[str, ...]

    @cached_property
    def order(self) -> Graph:
        return start_order(self.before, self.after)

    def needs(self, name: str) -> set[str]:
        """Those of the changed bots that this one depends on."""
        return {other for other in self.order.get(name, ()) if other in self.actions}

    def is_leaving(self, names: Iterable[str]) -> bool:
        return all(self.actions[name].kind in LEAVING for name in names)

    def simulated(self, name: str) -> set[str]:
        """The simulated venues that a bot trades, or traded, on."""
        specs = [spec for spec in (self.before.get(name), self.after.get(name)) if spec]
        legs = [(spec.accounts[leg.account], leg) for spec in specs for leg in spec.legs.values()]
        return {leg.venue for account, leg in legs if account.environment is Environment.SIM}


def start_order(before: Mapping[str, BotSpec], after: Mapping[str, BotSpec]) -> Graph:
    """Who waits for whom among bots that leave and bots that stay; those that leave wait for nobody where the two
    fleets contradict each other."""
    graph = dependencies({**before, **after})
    if not circle(graph):
        return graph
    return {**dict.fromkeys(before, frozenset[str]()), **dependencies(after)}


def bonds(touched: Touched, first: Collection[str]) -> tuple[Bond, ...]:
    """All of them in the order they are changed in; where nothing else decides, those of `first` come first."""
    pairs = [*_downs(touched), *_successions(touched), *_restarts(touched)]
    while True:
        found = _joined(touched.actions, pairs)
        try:
            return _in_order(found, touched, first)
        except CycleError as error:
            # Each of these waits for another: one bond.
            pairs += pairwise(name for bond in error.args[1] for name in bond)


def awaited(chosen: Collection[str], among: Iterable[Bond], touched: Touched) -> frozenset[Bond]:
    """The bonds of the chosen bots and, all the way, those that they wait for."""
    home = {name: bond for bond in among for name in bond}
    wanted, found = [home[name] for name in chosen], set[Bond]()
    while wanted:
        bond = wanted.pop()
        if bond not in found:
            found.add(bond)
            wanted += [home[other] for name in bond for other in touched.needs(name)]
    return frozenset(found)


def _downs(touched: Touched) -> Iterator[Pair]:
    """What others need is not taken away beneath them."""
    for name, action in touched.actions.items():
        if action.kind.stops_process:
            yield from ((name, other) for other in touched.needs(name) if touched.actions[other].kind.stops_process)


def _successions(touched: Touched) -> Iterator[Pair]:
    """One bot per account and market: who takes a place comes with who leaves it."""
    left = {
        place: name
        for name, action in touched.actions.items()
        for place in _places(touched.before.get(name))
        if action.kind in LEAVING or place not in _places(touched.after.get(name))
    }
    for name in touched.actions:
        for place in _places(touched.after.get(name)):
            if left.get(place, name) != name:
                yield name, left[place]


def _restarts(touched: Touched) -> Iterator[Pair]:
    for venue in touched.restarting:
        yield from pairwise(name for name in touched.actions if venue in touched.simulated(name))


def _places(spec: BotSpec | None) -> set[tuple[str, str]]:
    return {(leg.account, leg.market) for leg in spec.legs.values()} if spec else set()


def _joined(names: Iterable[str], pairs: Iterable[Pair]) -> list[Bond]:
    """Names in groups: whoever is in a pair is in the same group."""
    group = {name: {name} for name in names}
    for one, other in pairs:
        if group[one] is not group[other]:
            group[one] |= group[other]
            for member in group[other]:
                group[member] = group[one]
    return [tuple(sorted(members)) for members in {id(found): found for found in group.values()}.values()]


def _in_order(found: Iterable[Bond], touched: Touched, first: Collection[str]) -> tuple[Bond, ...]:
    """What a bond waits for is before it; CycleError where that cannot be."""
    home = {name: bond for bond in found for name in bond}
    sorter = TopologicalSorter({bond: _waits_for(bond, home, touched) for bond in found})
    sorter.prepare()
    ready: list[tuple[bool, bool, Bond]] = []
    order = []
    while sorter.is_active():
        for bond in sorter.get_ready():
            heappush(ready, (touched.is_leaving(bond), not any(name in first for name in bond), bond))
        *_, bond = heappop(ready)
        order.append(bond)
        sorter.done(bond)
    return tuple(order)


def _waits_for(bond: Bond, home: Mapping[str, Bond], touched: Touched) -> set[Bond]:
    return {home[other] for name in bond for other in touched.needs(name)} - {bond}
