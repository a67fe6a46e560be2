"""Which bot waits for which: by its own `depends_on`, and by role for those who share an account or a market.

Feeds come before hedgers, hedgers before makers. Checked for circles with the files, used by plans and by apply.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter

from engine.spec.types import BotSpec, Role

Graph = dict[str, frozenset[str]]
"""For every bot, those that must run before it."""


def dependencies(bots: Mapping[str, BotSpec]) -> Graph:
    """Every bot with those it waits for, among these bots."""
    servers: dict[str, set[str]] = defaultdict(set)
    for name, spec in bots.items():
        if _rank(spec) < _LAST:
            for meeting in _meetings(spec):
                servers[meeting].add(name)
    return {
        name: frozenset({*_declared(spec, bots), *_served_by(spec, servers, bots)}) for name, spec in bots.items()
    }


def circle(graph: Graph) -> tuple[str, ...]:
    """Bots of which each waits for the one before it, the first one again at the end; nothing when none do."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return tuple(error.args[1])
    return ()


def levels(graph: Graph, names: Collection[str]) -> tuple[tuple[str, ...], ...]:
    """These names in steps: what a step waits for is in an earlier one. Stopping takes the steps backwards."""
    sorter = TopologicalSorter(graph)
    sorter.prepare()
    steps = []
    while sorter.is_active():
        ready = sorter.get_ready()
        steps.append(tuple(sorted(name for name in ready if name in names)))
        sorter.done(*ready)
    return tuple(step for step in steps if step)


_RANKS = {Role.FEED: 0, Role.HEDGER: 1, Role.MAKER: 2}
_LAST = _RANKS[Role.MAKER]


def _rank(spec: BotSpec) -> int:
    return _RANKS[spec.role or Role.MAKER]


def _meetings(spec: BotSpec) -> set[str]:
    """Where bots can meet."""
    return {word for leg in spec.legs.values() for word in (f"account {leg.account}", f"market {leg.market}")}


def _declared(spec: BotSpec, bots: Mapping[str, BotSpec]) -> list[str]:
    return [name for name in spec.depends_on if name in bots]


def _served_by(spec: BotSpec, servers: Mapping[str, Collection[str]], bots: Mapping[str, BotSpec]) -> set[str]:
    met = {name for meeting in _meetings(spec) for name in servers.get(meeting, ())}
    return {name for name in met if _rank(bots[name]) < _rank(spec)}
