"""`botctl-watch STATE_DIR`: the watch as a program of the fleet, started where fleet.yaml has `watch:`."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

from engine.control.backends.supervisor import supervisor_backend
from engine.control.fleet import Fleet
from engine.control.watch.session import watch
from engine.errors import BotctlError, UsageError
from engine.host.generation import read_current_fleet
from engine.host.process import die_with_parent
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace, workspace_of_state
from engine.runtime.logs import JsonLines, start_log
from engine.spec.types import WatchSpec

log = logging.getLogger("engine.control.watch")

CRASHED_S = 5.0
"""supervisord starts it again at once."""


def main() -> int:
    """The console script."""
    try:
        if len(sys.argv) != 2:
            raise UsageError("usage: botctl-watch STATE_DIR")
        _watch(workspace_of_state(Path(sys.argv[1])))
    except BotctlError as error:
        print(f"error: {error.message}", file=sys.stderr)
        return error.exit_code
    return 0


def _watch(workspace: Workspace) -> None:
    die_with_parent()
    workspace.prepare()
    handler = JsonLines(workspace.logs / "watch.jsonl", beside=lambda work: work())
    start_log(handler, "info")
    fleet = Fleet(workspace=workspace, backend=supervisor_backend(workspace), progress=log.info)
    try:
        watch(fleet, lambda: _in_force(workspace), Secrets(workspace, shell={}), is_patient=True)
        log.info("asked to end, or nothing to watch any more")
    except BotctlError:
        raise
    except Exception:
        log.exception("the watch crashed")
        time.sleep(CRASHED_S)
        raise
    finally:
        handler.close()


def _in_force(workspace: Workspace) -> WatchSpec | None:
    fleet = read_current_fleet(workspace)
    return fleet.watch if fleet else None


if __name__ == "__main__":
    sys.exit(main())
