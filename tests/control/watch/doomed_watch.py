"""A look at a branch in a process of its own that is killed at a chosen step: ROOT LAUNCHER REPOSITORY STEP."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path

from engine.control import programs
from engine.control.backends.supervisor import supervisor_backend
from engine.control.fleet import Fleet
from engine.control.watch.session import watch_once
from engine.control.watch.state import Result
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.spec.types import WatchSpec
from tests.control.doomed_apply import Doom


def spec_of(repository: str) -> WatchSpec:
    return WatchSpec(repo=repository, branch="main", interval_s=Decimal(10), require_signed=False)


def main(root: str, launcher: str, repository: str, step: str) -> int:
    programs._launcher = lambda _script: launcher
    workspace = Workspace(root=Path(root))
    fleet = Fleet(workspace=workspace, backend=supervisor_backend(workspace), progress=lambda _line: None)
    sys.addaudithook(Doom(int(step)))
    verdict = watch_once(fleet, spec_of(repository), Secrets(workspace, shell={}))
    return 0 if verdict.result is Result.APPLIED else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
