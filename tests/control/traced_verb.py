"""A verb in a process of its own that prints every step which leaves a trace outside of it: LAUNCHER WORD…."""

from __future__ import annotations

import os
import sys
from typing import Any

import cli
from engine.control import programs
from tests.control.doomed_apply import step_of


def trace(event: str, arguments: tuple[Any, ...]) -> None:
    if name := step_of(event, arguments):
        os.write(2, f"step: {name}\n".encode())


def main(launcher: str, *words: str) -> int:
    programs._launcher = lambda _script: launcher
    sys.addaudithook(trace)
    return cli.run(list(words))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
