"""Imports a package as if another, which it can do without, were not installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(package: str) -> Iterator[None]:
    """Inside, importing `package` fails with ImportError, which its users take for an option that is missing;
    afterwards it can be imported. None in `sys.modules` means just that (The Python Language Reference, 5.3.1)."""
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]  # typeshed leaves out what the reference says
    try:
        yield
    finally:
        del sys.modules[package]
