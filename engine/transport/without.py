"""Imports a package as if others, which it can do without, were not there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Inside, the modules named are empty: importing one costs nothing, and taking a name from it is the
    ImportError of an option that is missing. Afterwards they can be imported as ever. One that is loaded stays."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update((name, ModuleType(name)) for name in absent)
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
