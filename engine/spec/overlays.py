"""Overlays: envs/NAME/FILE lies over bots/FILE, so that paper, testnet and mainnet differ only where they say so.

The rules are those of JSON Merge Patch (RFC 7396): mappings merge key by key, everything else replaces what was
there, null removes it. An overlay changes what there is: a file, an account or a key to remove that does not exist
below is a slip, and is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

from engine.spec.check import dotted
from engine.spec.diagnostics import Findings, nearest
from engine.spec.document import Entry, MappingNode, Node, Path, Place, ScalarNode, node_at
from engine.spec.masking import mask
from engine.spec.types import BASE

FOLDER = "envs/"
_BOTS = "bots/"
_NAMED_BELOW: tuple[Path, ...] = (("accounts",),)
"""Mappings of fleet.yaml whose keys are names: a new one would be another account, not another value."""


def names_of(files: Iterable[str]) -> frozenset[str]:
    """The environments that have files."""
    return frozenset(PurePosixPath(file).parts[1] for file in files if file.startswith(FOLDER))


def is_of(file: str, env: str | None) -> bool:
    """Whether a file counts in an environment: its overlays do, those of others do not."""
    return not file.startswith(FOLDER) or (env is not None and file.startswith(f"{FOLDER}{env}/"))


def target_of(file: str) -> str:
    """The file an overlay lies over."""
    return f"{_BOTS}{PurePosixPath(file).name}"


def check_choice(env: str | None, known: Collection[str], place: Place, findings: Findings) -> None:
    """Report an environment that no folder of envs/ makes."""
    if BASE in known:
        message = f"{FOLDER}{BASE}/ is never used: `{BASE}` means {_BOTS} without any overlay"
        findings.error("reserved-name", message, Place(file=f"{FOLDER}{BASE}", line=1, column=1))
    if env is not None and env not in known:
        hint = nearest(env, known) or f"there is no folder with YAML files in {FOLDER}"
        findings.error("unknown-env", f"there is no environment `{mask(env)}`", place, hint=hint)


def check_target(file: str, bots: Iterable[str], findings: Findings) -> None:
    """Report an overlay that lies over nothing."""
    known = [PurePosixPath(bot).name for bot in bots if bot.startswith(_BOTS)]
    name = PurePosixPath(file).name
    if name not in known:
        message = f"there is no {target_of(file)} for this to lie over"
        findings.error("overlays-nothing", message, Place(file=file, line=1, column=1), hint=nearest(name, known))


def patched(lower: MappingNode, upper: MappingNode, findings: Findings) -> MappingNode:
    """The document below with the overlay's words over it."""
    for path in _NAMED_BELOW:
        _refuse_new_names(lower, upper, path, findings)
    return _merged(lower, upper, (), findings)


def _refuse_new_names(lower: MappingNode, upper: MappingNode, path: Path, findings: Findings) -> None:
    over, under = node_at(upper, path), node_at(lower, path)
    if not isinstance(over, MappingNode) or not isinstance(under, MappingNode):
        return
    for name in over.entries.keys() - under.entries.keys():
        message = f"{lower.place.file} has no account `{mask(name)}`, and an overlay adds none"
        hint = nearest(name, under.entries)
        findings.error("unknown-account", message, over.entries[name].key_place, hint=hint)


def _merged(lower: MappingNode, upper: MappingNode, path: Path, findings: Findings) -> MappingNode:
    entries, place = dict(lower.entries), lower.place
    for key, entry in upper.entries.items():
        below = entries.get(key)
        if _is_null(entry.value):
            if entries.pop(key, None) is None:
                _report_nothing_to_remove((*path, key), entry.value.place, findings)
            place = entry.value.place  # where a person looks for what is missing now
        elif isinstance(entry.value, MappingNode):
            under = below.value if below and isinstance(below.value, MappingNode) else _empty(entry.value.place)
            merged = _merged(under, entry.value, (*path, key), findings)
            entries[key] = Entry(key_place=entry.key_place, value=merged)
        else:
            entries[key] = entry
    return MappingNode(entries=entries, place=place)


def _report_nothing_to_remove(path: Path, place: Place, findings: Findings) -> None:
    findings.error(
        "removes-nothing",
        f"null removes a key, and {target_of(place.file)} does not say `{dotted(path)}`",
        place,
        hint="a template's or a default's value is overlaid where it was written, or by another value here",
    )


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value is None


def _empty(place: Place) -> MappingNode:
    return MappingNode(entries={}, place=place)
