"""`matrix:` in a bot file: one bot for every combination of values, as `{{ expressions }}` of the file use them.

It is laid out before templates are: a combination may choose the template's parameters. How many bots a file may
make is bounded, because ten short lists already make more than any host can run.
"""

from __future__ import annotations

from itertools import product
from math import prod

from engine.spec.check import check, shown
from engine.spec.diagnostics import Findings, nearest
from engine.spec.document import MappingNode, Node, ScalarNode, SequenceNode, data_of, node_at, scalars
from engine.spec.expressions import is_expression
from engine.spec.filling import Argument, check_expressions, fill

MAX_BOTS = 1_000
"""How many bots one file may make."""

_KEY = "matrix"
_NO_AXES = ("exclude", "include")

Combination = dict[str, ScalarNode]


def spread(root: MappingNode, findings: Findings) -> tuple[MappingNode, ...]:
    """The bots a file declares: itself, or one for each combination of its matrix; none when that is wrong."""
    if _KEY not in root.entries:
        return (root,)
    body = root.without(_KEY)
    combinations = _checked(root, body, findings)
    bots = tuple(fill(body, _arguments(combination), findings) for combination in combinations)
    return _one_of_each_name(bots, combinations, findings)


def _checked(root: MappingNode, body: MappingNode, findings: Findings) -> list[Combination]:
    """The combinations, if the matrix and all that use its values are fine."""
    if not check(root, _KEY, findings, at=(_KEY,)):
        return []
    combinations = _combinations(root.mapping(_KEY), findings)
    if combinations:
        check_expressions(body, "the matrix has no key", combinations[0], findings)
    return [] if findings.has_errors else combinations


def _arguments(combination: Combination) -> dict[str, Argument]:
    return {key: Argument(by=_KEY, node=node) for key, node in combination.items()}


def _combinations(matrix: MappingNode, findings: Findings) -> list[Combination]:
    """All of them, in the order of the file; empty when the matrix makes no sense, which is reported."""
    axes = {key: _scalars(matrix.get(key)) for key in matrix.entries if key not in _NO_AXES}
    rows = [_row(node) for node in _items(matrix.get("include"))]
    _check_values(matrix, findings)
    crossings = prod(map(len, axes.values())) if axes else 0
    _check_count(matrix, crossings + len(rows), findings)
    _check_rows(matrix, frozenset(axes or (rows[0] if rows else ())), findings)
    if findings.has_errors:
        return []
    crossed = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())] if axes else []
    found = [*_kept(crossed, matrix, findings), *rows]
    if not found:
        findings.error("empty-matrix", "this matrix leaves no bot", matrix.place, hint="remove the file instead")
    return found


def _check_count(matrix: MappingNode, count: int, findings: Findings) -> None:
    if count > MAX_BOTS:
        message = f"this matrix makes {count} bots, and a file makes at most {MAX_BOTS}"
        findings.error("too-many-bots", message, matrix.place, hint="split it into several files")


def _check_values(matrix: MappingNode, findings: Findings) -> None:
    for scalar in scalars(matrix):
        if is_expression(scalar.text) and not scalar.private:
            findings.error("bad-expression", "a matrix holds plain values, no expressions", scalar.place)


def _check_rows(matrix: MappingNode, keys: frozenset[str], findings: Findings) -> None:
    """Rows of `exclude` name some keys, rows of `include` all of them; neither names others."""
    for name in _NO_AXES:
        for row in _items(matrix.get(name)):
            assert isinstance(row, MappingNode)
            for key in row.entries.keys() - keys:
                place, hint = row.entries[key].key_place, nearest(key, keys)
                findings.error("unknown-key", f"the matrix has no key `{key}`", place, hint=hint)
            lacking = ", ".join(f"`{key}`" for key in sorted(keys - row.entries.keys()))
            if lacking and name == "include":
                findings.error("missing-key", f"this combination lacks {lacking}", row.place)


def _kept(crossed: list[Combination], matrix: MappingNode, findings: Findings) -> list[Combination]:
    """Those that no row excludes. A row that excludes none is a slip, and the bot it meant would trade."""
    for node in _items(matrix.get("exclude")):
        row = _row(node)
        left = [combination for combination in crossed if not _matches(row, combination)]
        if len(left) == len(crossed):
            words = ", ".join(f"{key} {shown(value)}" for key, value in row.items())
            findings.error("excludes-nothing", f"no combination has {words}", node.place)
        crossed = left
    return crossed


def _matches(row: Combination, combination: Combination) -> bool:
    return all(_same(value, combination[key]) for key, value in row.items())


def _same(one: ScalarNode, other: ScalarNode) -> bool:
    """Equal and of one kind: to Python, true is 1."""
    return one.value == other.value and isinstance(one.value, bool) == isinstance(other.value, bool)


def _one_of_each_name(
    bots: tuple[MappingNode, ...], made_of: list[Combination], findings: Findings
) -> tuple[MappingNode, ...]:
    """Every combination needs a name of its own, or one bot would silently take the place of another."""
    kept: dict[str, tuple[MappingNode, Combination]] = {}
    for bot, combination in zip(bots, made_of, strict=True):
        name = node_at(bot, ("metadata", "name"))
        bot_before, before = kept.setdefault(str(data_of(name)) if name else "", (bot, combination))
        if bot_before is not bot and name is not None:
            message = f"two combinations make a bot called {shown(name)}"
            findings.error("duplicate-name", message, name.place, hint=_name_hint(before, combination))
    return tuple(bot for bot, _ in kept.values())


def _name_hint(one: Combination, other: Combination) -> str:
    differing = [key for key in one if not _same(one[key], other[key])]
    if not differing:
        return "the same combination stands here twice"
    pattern = "-".join(f"{{{{ {key} | slug }}}}" for key in differing)
    return f'let the name hold what differs: "NAME-{pattern}"'


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, SequenceNode) else ()


def _scalars(node: Node | None) -> list[ScalarNode]:
    return [item for item in _items(node) if isinstance(item, ScalarNode)]


def _row(node: Node) -> Combination:
    assert isinstance(node, MappingNode)
    return {key: entry.value for key, entry in node.entries.items() if isinstance(entry.value, ScalarNode)}
