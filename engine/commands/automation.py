"""Writes what lets git and pull requests ask botctl: `botctl init --hook` and `--ci`. Never over another file."""

from __future__ import annotations

import shlex
from pathlib import Path

from engine.control.git import Git
from engine.errors import Refused
from engine.host.workspace import find_workspace
from engine.resources import resource

HERE = "WORKSPACE"
"""In the starters: the workspace's folder, from the top of its repository."""


def install(root: Path, *, hook: bool, ci: bool) -> list[Path]:
    """The files that were written; Refused when one is there already."""
    git = Git(find_workspace(root).root)
    top = Path(git.ask("rev-parse", "--show-toplevel").decode().rstrip("\n"))
    here = shlex.quote(git.ask("rev-parse", "--show-prefix").decode().strip().rstrip("/") or ".")
    wanted = {}
    if hook:
        common = git.ask("rev-parse", "--git-common-dir").decode().rstrip("\n")
        wanted[(root / common).resolve() / "hooks" / "pre-commit"] = "pre-commit"
    if ci:
        wanted[top / ".github" / "workflows" / "botctl.yml"] = "github-workflow.yml"
    taken = [str(place) for place in wanted if place.exists()]
    if taken:
        raise Refused(f"there is already {', '.join(taken)}", hint="call `botctl validate --staged` from it")
    for place, starter in wanted.items():
        text = resource("templates", "starters", starter).read_text(encoding="utf-8")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text.replace(HERE, here), encoding="utf-8")
        place.chmod(0o755 if starter == "pre-commit" else 0o644)
    return list(wanted)
