"""A YAML document as a tree that remembers where everything was written.

The loader builds it, variables and templates rewrite it, diagnostics point into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from engine.model.value import Value

Plain = str | int | Decimal | bool | None
"""What one scalar can mean; never a float."""

MAX_FILE_BYTES = 1 << 20
"""The largest file that is read at all; here, because whoever reads files must not load a YAML parser for it."""

Path = tuple[str | int, ...]
"""Keys and indexes from the root to a node."""


class Place(Value, frozen=True, kw_only=True, order=True):
    """Where something was written; lines and columns count from one."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Given(Value, frozen=True, kw_only=True):
    """Where a name that an expression used got its value: `parameter`, `default` or `matrix`."""

    by: str
    name: str
    place: Place

    def __str__(self) -> str:
        return f"{self.by} `{self.name}`"


class ScalarNode(Value, frozen=True, kw_only=True):
    """One value. `text` is what was written, `value` what it means.

    `private` values came out of the environment: a diagnostic shows their text, never their value. A value that
    an expression made names in `given` what it was made from, step by step.
    """

    value: Plain
    text: str
    place: Place
    quoted: bool = False
    private: bool = False
    given: tuple[Given, ...] = ()

    @property
    def origin(self) -> Place:
        """Where a person changes the value: where it was given, if that is one place; else the expression."""
        is_one_chain = len({given.by for given in self.given}) == len(self.given)
        return self.given[-1].place if self.given and is_one_chain else self.place


class SequenceNode(Value, frozen=True, kw_only=True):
    items: tuple[Node, ...]
    place: Place


class Entry(Value, frozen=True, kw_only=True):
    """One key of a mapping and what it holds."""

    key_place: Place
    value: Node


class MappingNode(Value, frozen=True, kw_only=True):
    entries: dict[str, Entry]
    place: Place

    def get(self, key: str) -> Node | None:
        """The node under a key; None when the key is absent."""
        entry = self.entries.get(key)
        return entry.value if entry else None

    def mapping(self, key: str) -> MappingNode:
        """The mapping under a key; an empty one when there is none."""
        node = self.get(key)
        return node if isinstance(node, MappingNode) else MappingNode(entries={}, place=self.place)

    def without(self, *keys: str) -> MappingNode:
        """The same mapping less some keys."""
        kept = {key: entry for key, entry in self.entries.items() if key not in keys}
        return MappingNode(entries=kept, place=self.place)


Node = ScalarNode | SequenceNode | MappingNode


def data_of(node: Node) -> Any:
    """The bare data, as a schema wants to see it."""
    if isinstance(node, MappingNode):
        return {key: data_of(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, SequenceNode):
        return [data_of(item) for item in node.items]
    return node.value


def node_at(node: Node, path: Sequence[str | int]) -> Node | None:
    """The node a path leads to; None when it leads nowhere."""
    for step in path:
        if isinstance(node, MappingNode) and isinstance(step, str) and step in node.entries:
            node = node.entries[step].value
        elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            return None
    return node


def place_at(root: Node, path: Sequence[str | int]) -> Place:
    """Where a person looks for a path: a scalar's own place, a container's key; else the nearest one above."""
    node = node_at(root, path)
    if not path or isinstance(node, ScalarNode):
        return (node or root).place
    parent = node_at(root, path[:-1])
    if isinstance(parent, MappingNode) and isinstance(path[-1], str) and path[-1] in parent.entries:
        return parent.entries[path[-1]].key_place
    return node.place if node else place_at(root, path[:-1])


def overlay(upper: MappingNode, lower: MappingNode) -> MappingNode:
    """Both mappings as one; where both say something, `upper` wins, key by key."""
    entries = dict(lower.entries)
    for key, entry in upper.entries.items():
        below = lower.get(key)
        if isinstance(entry.value, MappingNode) and isinstance(below, MappingNode):
            entry = Entry(key_place=entry.key_place, value=overlay(entry.value, below))
        entries[key] = entry
    return MappingNode(entries=entries, place=upper.place)


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below a node."""
    if isinstance(node, MappingNode):
        return tuple(entry.value for entry in node.entries.values())
    return node.items if isinstance(node, SequenceNode) else ()


def scalars(node: Node) -> Iterator[ScalarNode]:
    """Every scalar below a node."""
    if isinstance(node, ScalarNode):
        yield node
    for child in children(node):
        yield from scalars(child)
