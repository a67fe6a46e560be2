"""Text → a document tree with places, or diagnostics. No text whatever makes it fail in any other way.

It reads PyYAML's events instead of its objects: events carry positions, arrive one by one so that bounds hold
before memory is spent, and let every scalar keep its exact text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from engine.model.value import Value
from engine.spec.diagnostics import LINE_BREAK, Findings
from engine.spec.document import MAX_FILE_BYTES, Entry, MappingNode, Node, Place, ScalarNode, SequenceNode, children
from engine.spec.masking import mask
from engine.spec.scalars import FORBIDDEN, NumberOutOfRange, meaning_of

MAX_DEPTH = 32
MAX_NODES = 50_000
"""Counted after aliases are followed, so that nine lines cannot become a billion values."""

# libyaml's parser is ten times faster; without it the pure one gives the same events.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ODD_INDENT = re.compile(r"[ ]*[\t\u00a0](?=[ \t\u00a0]*[^ \t\u00a0#])")
_ENCODING_HINT = "save the file as UTF-8 in your editor"
_REFERENCE_HINT = 'between { and } a reference needs quotes: "${VARIABLE}"'
_EXPRESSION_HINT = 'a template expression needs quotes: "{{ … }}"'


def load_yaml(file: str, text: str, findings: Findings) -> MappingNode | None:
    """The mapping a file holds; None, and a diagnostic, when it holds none."""
    text = text.removeprefix("\ufeff")
    start = Place(file=file, line=1, column=1)
    if not _is_readable(start, text, findings):
        return None
    try:
        root = _Composer(file, text, findings).document()
    except _Unreadable as wrong:
        findings.error(wrong.code, wrong.message, wrong.place, hint=wrong.hint)
        return None
    if root is None or (isinstance(root, ScalarNode) and root.value is None):
        findings.error("empty-file", "the file is empty", start, hint="remove it, or write a mapping of keys")
        return None
    if not isinstance(root, MappingNode):
        findings.error("wrong-type", "the file must hold a mapping of keys", root.place)
        return None
    return root


def _is_readable(start: Place, text: str, findings: Findings) -> bool:
    """Refuse what a parser should not even see: size, bytes that are no text, tabs as indentation."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_FILE_BYTES:
        findings.error("too-large", f"the file is larger than {MAX_FILE_BYTES >> 10} KiB", start)
        return False
    fine = True
    for number, line in enumerate(LINE_BREAK.split(text), start=1):
        if found := FORBIDDEN.search(line):
            place = Place(file=start.file, line=number, column=found.start() + 1)
            hint = _ENCODING_HINT if _is_byte(found[0]) else None
            findings.error("bad-character", _character_message(found[0]), place, hint=hint)
            return False
        if found := _ODD_INDENT.match(line):
            place = Place(file=start.file, line=number, column=len(found[0]))
            what = "tab" if found[0][-1] == "\t" else "no-break space"
            findings.error("tab", f"a {what} cannot indent YAML", place, hint="indent with spaces")
            fine = False
    return fine


def _is_byte(character: str) -> bool:
    """Whether it stands for a byte that could not be decoded."""
    return 0xDC80 <= ord(character) <= 0xDCFF


def _character_message(character: str) -> str:
    code = ord(character)
    if _is_byte(character):
        return f"byte 0x{code - 0xDC00:02X} is not UTF-8 text"
    return f"character U+{code:04X} is not allowed"


class _Unreadable(Exception):
    """Reading the file cannot go on."""

    def __init__(self, code: str, message: str, place: Place, hint: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.place, self.hint = code, message, place, hint


class _Anchored(Value, frozen=True, kw_only=True):
    """A node that aliases may stand for, and what each of them adds."""

    node: Node
    size: int
    height: int


def _hint_of(wrong: yaml.MarkedYAMLError) -> str | None:
    """Where the mistake began, which is often before the place at which no parser could go on."""
    begins, found = wrong.context_mark, wrong.problem_mark
    if begins and found and begins.line < found.line and "block" not in str(wrong.context):
        return f"what is not finished begins on line {begins.line + 1}: look for a quote, a bracket or a colon"
    if re.search("mapping values|expected key|block", f"{wrong.context} {wrong.problem}"):
        return "compare how far this line and the one above are indented"
    return None


def _height(node: Node) -> int:
    return 1 + max(map(_height, children(node)), default=0)


class _Composer:
    """Builds the tree from events. Recursion is safe: depth is bounded on the way down."""

    def __init__(self, file: str, text: str, findings: Findings) -> None:
        self._file = file
        self._findings = findings
        self._events = self._parsed(text)
        self._anchors: dict[str, _Anchored | None] = {}
        self._nodes = 0

    def document(self) -> Node | None:
        """The only document of the stream; None when there is none."""
        root = None
        started = False
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                if started:
                    raise _Unreadable(
                        "many-documents",
                        "a second document starts here",
                        self._place(event),
                        "a file holds one document: put the second into a file of its own",
                    )
                started = True
                root = self._node(next(self._events), 1)
        return root

    def _parsed(self, text: str) -> Iterator[Event]:
        try:
            yield from yaml.parse(text, Loader=_LOADER)
        except yaml.MarkedYAMLError as wrong:
            mark = wrong.problem_mark or wrong.context_mark
            place = self._at(mark.line, mark.column) if mark else self._at(0, 0)
            message = ", ".join(mask(part) for part in (wrong.context, wrong.problem) if part)
            hint = _REFERENCE_HINT if "flow" in message and "${" in text else _hint_of(wrong)
            raise _Unreadable("syntax", message, place, hint) from wrong
        except (yaml.YAMLError, ValueError, OverflowError) as wrong:  # the pure parser's slips on odd escapes
            raise _Unreadable("syntax", "this is not YAML", self._at(0, 0)) from wrong

    def _node(self, event: Event, depth: int) -> Node:
        place = self._place(event)
        self._bound_depth(depth, place)
        if isinstance(event, AliasEvent):
            return self._alias(event, place, depth)
        before = self._nodes
        self._count(1, place)
        self._refuse_tag(event, place)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[anchor] = None
        node = self._content(event, place, depth)
        if anchor is not None:
            self._anchors[anchor] = _Anchored(node=node, size=self._nodes - before, height=_height(node))
        return node

    def _content(self, event: Event, place: Place, depth: int) -> Node:
        if isinstance(event, MappingStartEvent):
            return self._mapping(place, depth)
        if isinstance(event, SequenceStartEvent):
            return SequenceNode(items=tuple(self._items(depth)), place=place)
        return self._scalar(event, place)

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _mapping(self, place: Place, depth: int) -> MappingNode:
        entries: dict[str, Entry] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key_place = self._place(event)
            key = self._key(event, key_place, depth)
            value = self._node(next(self._events), depth + 1)
            if key in entries:
                hint = f"first on line {entries[key].key_place.line}"
                self._findings.error("duplicate-key", f"`{mask(key)}` is written twice", key_place, hint=hint)
            elif key is not None:
                entries[key] = Entry(key_place=key_place, value=value)
        return MappingNode(entries=entries, place=place)

    def _key(self, event: Event, place: Place, depth: int) -> str | None:
        """A key's text as written, so that `on:` and `1:` stay what they look like; None when refused."""
        node = self._node(event, depth + 1)
        if not isinstance(node, ScalarNode):
            hint = _EXPRESSION_HINT if isinstance(node, MappingNode) else None
            self._findings.error("bad-key", "a key must be a single word", place, hint=hint)
            return None
        if node.text == "<<" and not node.quoted:
            self._findings.error("merge-key", "merge keys are not used here", place, hint="write the keys out")
            return None
        return node.text

    def _scalar(self, event: Event, place: Place) -> ScalarNode:
        assert isinstance(event, ScalarEvent)
        text, quoted = str(event.value), bool(event.style)
        if found := FORBIDDEN.search(text):
            self._findings.error("bad-character", _character_message(found[0]), place)
            text = ""
        try:
            value = text if quoted else meaning_of(text)
        except NumberOutOfRange as wrong:
            self._findings.error("number-out-of-range", str(wrong), place)
            value = 0
        return ScalarNode(value=value, text=text, place=place, quoted=quoted)

    def _alias(self, event: AliasEvent, place: Place, depth: int) -> Node:
        name = str(event.anchor)
        anchored = self._anchors.get(name)
        if anchored is None:
            what = "refers to itself" if name in self._anchors else "refers to nothing"
            raise _Unreadable("bad-alias", f"alias *{mask(name)} {what}", place)
        self._bound_depth(depth + anchored.height - 1, place)
        self._count(anchored.size, place)
        return anchored.node

    def _bound_depth(self, depth: int, place: Place) -> None:
        if depth > MAX_DEPTH:
            raise _Unreadable("too-deep", f"nested deeper than {MAX_DEPTH} levels", place)

    def _count(self, nodes: int, place: Place) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise _Unreadable("too-many-values", f"more than {MAX_NODES} values, aliases counted", place)

    def _refuse_tag(self, event: Event, place: Place) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None:
            hint = "leave it out; quote a value to make it text"
            self._findings.error("tag", f"the tag {mask(tag)} is not used here", place, hint=hint)

    def _place(self, event: Event) -> Place:
        mark: Any = event.start_mark
        return self._at(mark.line, mark.column)

    def _at(self, line: int, column: int) -> Place:
        return Place(file=self._file, line=line + 1, column=column + 1)
