"""What a process does not need is not loaded, and can still be had."""

from __future__ import annotations

import subprocess
import sys

LOADED = """
import sys
import engine.transport.websocket
print("python_socks" in sys.modules)
import python_socks
print("python_socks" in sys.modules)
"""


def test_a_websocket_does_not_load_the_proxies_package_and_a_proxy_still_can() -> None:
    said = subprocess.run([sys.executable, "-c", LOADED], check=True, capture_output=True, text=True).stdout
    assert said.split() == ["False", "True"]
