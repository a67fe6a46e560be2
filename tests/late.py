"""Libraries that judge take seconds to import. Every worker collects every test, and one of them needs the library:
so it is imported when something of it is first used."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def late(name: str) -> Any:
    """The module of this name, as far as one can tell."""
    return _Late(name)


class _Late:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        """Some of these libraries raise Python's recursion limit a hundredfold, which turns garbage nested too deep
        from an error into a crash: it is put back. What pytest looks for while it collects is private."""
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        limit = sys.getrecursionlimit()
        try:
            return getattr(importlib.import_module(self._name), attribute)
        finally:
            sys.setrecursionlimit(limit)
