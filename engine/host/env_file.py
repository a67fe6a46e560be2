"""Reads the workspace's `.env`: KEY=value lines, as shells and other tools write them.

Nothing is expanded and nothing is executed; an error names the line, never its content.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path

from engine.errors import ConfigInvalid, Refused
from engine.host.files import read_if_present

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")

_QUOTED = re.compile(r"""(['"])(.*)\1(?:\s+#.*)?""")


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a `.env`; none when there is no such file. Refused when others can read it."""
    content = read_if_present(path)
    if content is None:
        return {}
    require_private(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigInvalid(f"{path} is not UTF-8 text", hint="save it as UTF-8 in your editor") from error
    variables = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = _LINE.fullmatch(line.strip())
        if parts is None:
            raise ConfigInvalid(
                f"{path}:{number} is not a KEY=value line",
                hint="a key has letters, digits and _; put # before what is a remark",
            )
        variables[parts[1]] = _value(parts[2])
    return variables


def require_private(path: Path) -> None:
    """Refuse a secret that other users of this host can read."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise Refused(f"other users can read the secrets in {path}", hint=f"chmod 600 {path}")


def _value(text: str) -> str:
    if quoted := _QUOTED.fullmatch(text):
        return quoted[2]
    return re.split(r"\s+#", text, maxsplit=1)[0].strip()
