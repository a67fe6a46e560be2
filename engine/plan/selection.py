"""Which bots a verb means: by name, glob, label, venue, account or market. One small language for every verb.

    sol-spot  'sol-*'                the bot's name, or a glob over names
    venue:lighter  account:alpha     where one of its legs trades
    market:'SOL*'
    label:desk=spot  label:desk      what its `metadata.labels` say, or that they say anything

Selectors of one kind widen the choice, those of another kind narrow it; whatever `--exclude` names stays out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from engine.errors import UsageError
from engine.model.value import Value
from engine.spec.types import BotSpec

KINDS = ("name", "label", "venue", "account", "market")

Bots = Mapping[str, Sequence[BotSpec]]
"""Every bot there is with everything it means: as it is declared, and as it was applied."""


class Selector(Value, frozen=True, kw_only=True):
    """One word of the language. `key` is a label's; the pattern is a glob."""

    kind: str
    pattern: str
    key: str = ""

    @property
    def dimension(self) -> tuple[str, str]:
        """Selectors of one dimension are alternatives; each label is a dimension of its own."""
        return self.kind, self.key

    @property
    def text(self) -> str:
        label = f"{self.key}=" if self.key else ""
        return self.pattern if self.kind == "name" else f"{self.kind}:{label}{self.pattern}"

    def matches(self, name: str, specs: Iterable[BotSpec]) -> bool:
        if self.kind == "name":
            return fnmatchcase(name, self.pattern)
        return any(fnmatchcase(value, self.pattern) for spec in specs for value in self._values(spec))

    def _values(self, spec: BotSpec) -> Iterator[str]:
        if self.kind == "label":
            yield from (value for key, value in spec.labels.items() if key == self.key)
        else:
            yield from (str(getattr(leg, self.kind)) for leg in spec.legs.values())


class Selection(Value, frozen=True, kw_only=True):
    """What was asked for. Nothing chosen means everything that is not excluded."""

    chosen: tuple[Selector, ...] = ()
    excluded: tuple[Selector, ...] = ()

    @property
    def is_everything(self) -> bool:
        return not self.chosen and not self.excluded

    def names(self, bots: Bots) -> frozenset[str]:
        """The bots meant, at least one. UsageError for a selector that means none: it is misspelt, or what it meant
        is gone."""
        for selector in (*self.chosen, *self.excluded):
            if not any(selector.matches(name, specs) for name, specs in bots.items()):
                raise _nobody(selector, bots)
        found = frozenset(name for name, specs in bots.items() if self._includes(name, specs))
        if not found and bots:
            raise UsageError(
                "these selectors together leave no bot", hint="those of another kind narrow the choice"
            )
        return found

    def _includes(self, name: str, specs: Sequence[BotSpec]) -> bool:
        if any(selector.matches(name, specs) for selector in self.excluded):
            return False
        dimensions: dict[tuple[str, str], bool] = {}
        for selector in self.chosen:
            is_met = dimensions.get(selector.dimension, False)
            dimensions[selector.dimension] = is_met or selector.matches(name, specs)
        return all(dimensions.values())


def selection(chosen: Iterable[str] | None, excluded: Iterable[str] | None = None) -> Selection:
    """Read selectors as they were typed. UsageError for a kind that there is not."""
    return Selection(
        chosen=tuple(_selector(text) for text in chosen or ()),
        excluded=tuple(_selector(text) for text in excluded or ()),
    )


def _selector(text: str) -> Selector:
    kind, colon, pattern = text.partition(":")
    if not colon:
        return Selector(kind="name", pattern=text)
    if kind not in KINDS or not pattern:
        raise UsageError(
            f"`{text}` selects nothing that is known",
            hint="a name or a glob, or label:KEY=VALUE, venue:NAME, account:NAME, market:NAME",
        )
    if kind != "label":
        return Selector(kind=kind, pattern=pattern)
    key, _, value = pattern.partition("=")
    return Selector(kind=kind, key=key, pattern=value or "*")


def _nobody(selector: Selector, bots: Bots) -> UsageError:
    known = ", ".join(sorted(bots)) or "none"
    return UsageError(f"`{selector.text}` is no bot here", hint=f"bots are: {known}")
