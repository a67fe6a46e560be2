"""What a process does not need is not loaded, and can still be had."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOADED = """
import sys
import engine.transport.websocket
print("{0}" in sys.modules)
import {0}
print({0}.{1}.__name__)
"""


@pytest.mark.parametrize(
    ("package", "member"),
    [("python_socks", "ProxyType"), ("urllib.request", "urlopen"), ("importlib.metadata", "version")],
)
def test_a_websocket_does_not_load_what_it_never_asks_and_others_still_can(package: str, member: str) -> None:
    code = LOADED.format(package, member)
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.split() == ["False", member]
