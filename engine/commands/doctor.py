"""`botctl doctor`: is this host, this workspace and every venue fit to run the fleet?"""

from __future__ import annotations

import platform
from importlib.metadata import version
from itertools import chain

from engine import __version__
from engine.commands.options import Directory
from engine.control.account_checkup import account_checkup
from engine.control.checkup import checkup
from engine.control.finding import Grade
from engine.control.fleet import open_fleet


def command(directory: Directory = None) -> int:
    """Check host, workspace, the venues' clocks and every account. Exit code 1 when something must be mended."""
    print(f"ok    botctl {__version__}, Python {platform.python_version()}, supervisor {version('supervisor')}")
    worst = Grade.OK
    fleet = open_fleet(directory, verb="doctor")
    for finding in chain(checkup(fleet), account_checkup(fleet.workspace)):
        print(f"{finding.grade:<4}  {finding.what}", flush=True)
        if finding.hint and finding.grade is not Grade.OK:
            print(f"      {finding.hint}")
        worst = finding.grade if finding.grade is Grade.FAIL else worst
    return 1 if worst is Grade.FAIL else 0
