"""`${NAME}` and `${NAME:-default}` in values, taken from the environment the caller hands in.

Under the keys of SECRET_PLACES nothing is replaced: there a reference stays a reference, and everything else is
refused by the schema. A variable used as a secret anywhere may not be used outside them, where it would be
stored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.spec.diagnostics import Findings
from engine.spec.document import Entry, MappingNode, Node, ScalarNode, SequenceNode, scalars
from engine.spec.masking import SECRET_PLACES
from engine.spec.scalars import FORBIDDEN, NumberOutOfRange, meaning_of

_PART = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-[^}]*)?\}|\$\{(?P<wrong>[^}]{0,40})")
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def secret_names(node: Node) -> frozenset[str]:
    """The variables that stand where secrets do, anywhere in a document."""
    if isinstance(node, SequenceNode):
        return frozenset().union(*(secret_names(item) for item in node.items))
    if not isinstance(node, MappingNode):
        return frozenset()
    return frozenset().union(
        *(
            _references(entry.value) if key in SECRET_PLACES else secret_names(entry.value)
            for key, entry in node.entries.items()
        )
    )


def _references(node: Node) -> frozenset[str]:
    return frozenset(found[1] for scalar in scalars(node) if (found := _REFERENCE.fullmatch(scalar.text)))


class Substitution:
    """Replaces variables in documents, reporting each that is missing, malformed or a secret."""

    def __init__(self, environment: Mapping[str, str], secrets: frozenset[str]) -> None:
        self._environment = environment
        self._secrets = secrets

    def apply(self, root: MappingNode, findings: Findings) -> MappingNode:
        """The document with its variables replaced; values that could not be stay as they are written."""
        entries = {
            key: entry
            if key in SECRET_PLACES
            else Entry(key_place=entry.key_place, value=self._node(entry.value, findings))
            for key, entry in root.entries.items()
        }
        return MappingNode(entries=entries, place=root.place)

    def _node(self, node: Node, findings: Findings) -> Node:
        if isinstance(node, MappingNode):
            return self.apply(node, findings)
        if isinstance(node, SequenceNode):
            return SequenceNode(items=tuple(self._node(item, findings) for item in node.items), place=node.place)
        if isinstance(node.value, str) and "${" in node.value:
            return self._scalar(node, node.value, findings)
        return node

    def _scalar(self, node: ScalarNode, text: str, findings: Findings) -> ScalarNode:
        problems = [problem for part in _PART.finditer(text) if (problem := self._problem(part))]
        for code, message, hint in problems:
            findings.error(code, message, node.place, hint=hint)
        if problems:
            return node
        replaced = _PART.sub(self._value, text)
        if FORBIDDEN.search(replaced):
            findings.error("bad-character", f"the value of {text} holds a character that is not text", node.place)
            return node
        try:
            value = replaced if node.quoted else meaning_of(replaced)
        except NumberOutOfRange:
            findings.error("number-out-of-range", f"the value of {text} is no usable number", node.place)
            return node
        used = any(part["name"] for part in _PART.finditer(text))
        return ScalarNode(value=value, text=node.text, place=node.place, quoted=node.quoted, private=used)

    def _problem(self, part: re.Match[str]) -> tuple[str, str, str] | None:
        name = part["name"]
        if part["wrong"] is not None:
            hint = "write ${NAME}, ${NAME:-default}, or $${ where ${ is meant"
            return "bad-variable", "this is not a variable", hint
        if name in self._secrets:
            return (
                "secret-variable",
                f"{name} is a secret",
                "a secret may only stand under `credentials`, `proxy`, `token` or `webhook`",
            )
        if name and name not in self._environment and part["default"] is None:
            hint = f"put {name}=… into .env, or write ${{{name}:-default}}"
            return "missing-variable", f"the variable {name} is not set", hint
        return None

    def _value(self, part: re.Match[str]) -> str:
        if not part["name"]:
            return "${"
        value = self._environment.get(part["name"], "")
        return value or (part["default"] or ":-").removeprefix(":-")
