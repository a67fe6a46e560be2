"""Renders `supervisord.conf.j2`. A value that supervisord would read differently is refused before it is written:
one bad line makes its whole reload fail."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from engine.control.backends.interface import Program
from engine.errors import Refused
from engine.resources import resource

KILL_GRACE_S = 10
"""How long after a bot's own deadline supervisord kills it."""

_WORD = re.compile(r"[A-Za-z0-9_./:@=+,-]+")
_MISREAD = re.compile(r"""["'\\%\x00-\x1f\x7f]|\s[;#]|^\s|\s$""")
"""Quotes and backslashes end a word, `%` expands, ` ;` and ` #` start a comment, a newline starts a setting."""


def render_conf(programs: Sequence[Program], *, conf: Path, socket: Path) -> str:
    """The configuration of one supervisord, for the file `conf` in the state directory."""
    # Imported here: rendering is the only thing that needs it, and every verb would pay for it.
    from jinja2 import Environment, StrictUndefined

    safe_path(conf.parent)
    template = Environment(undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True).from_string(
        resource("supervisord.conf.j2").read_text(encoding="utf-8")
    )
    checked = [_checked(program) for program in programs]
    return template.render(name=conf.stem, socket=safe_path(socket), programs=checked)


def safe_path(path: Path) -> str:
    """The path as text; Refused when supervisord's configuration cannot hold it."""
    text = str(path)
    if _MISREAD.search(text):
        raise Refused(
            f"supervisord cannot be told about the path {text!r}",
            hint="use a folder without quotes, backslashes, percent signs, ` ;`, ` #` or control characters",
        )
    return text


def _checked(program: Program) -> dict[str, str | int]:
    for word in (program.name, *program.arguments):
        if not _WORD.fullmatch(word):
            raise Refused(f"supervisord cannot be told about {word!r}")
    words = [f'"{safe_path(Path(program.command))}"', '"%(here)s"', *program.arguments]
    return {
        "name": program.name,
        "command": " ".join(words),
        "autostart": str(program.autostart).lower(),
        "stop_wait_s": program.stop_timeout_s + KILL_GRACE_S,
    }
