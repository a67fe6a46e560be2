"""What the sentinel does about a bot that uses more than it may: start it again, or pause it, as declared.

A process that answers does it in good order; one that does not is killed, which its supervisor answers with a
start, and its journal with the state it had.
"""

from __future__ import annotations

import logging
import time

from engine.errors import BotctlError
from engine.host.control_client import call
from engine.host.holders import kill_holder, verified_holder
from engine.host.holds import Hold, HoldKind, place_hold, read_hold
from engine.host.workspace import Workspace
from engine.runtime.strain import Strain, read_usage
from engine.spec.types import OnLimit, ProcessSpec

log = logging.getLogger(__name__)

ANSWER_S = 2.0
KILL_GRACE_S = 10.0
"""As supervisord's, beyond the bot's own deadline."""
SENTINEL = "sentinel"


class Relief:
    """Looks at the processes of bots that have limits, and acts on those that are over one."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._strain = Strain()
        self._ending: dict[str, tuple[int, float]] = {}
        """Process ids that were asked to end, and until when they may take."""

    def look(self, bot: str, process: ProcessSpec, now_s: float) -> None:
        """One bot, at one moment. What cannot be done now is done at the next look."""
        try:
            holder = verified_holder(self._workspace.locks / bot)
            if holder is None or holder.passing or self._is_ending(bot, holder.pid, now_s):
                return
            usage = read_usage(holder.pid, now_s)
            if usage and (why := self._strain.complaint(bot, usage, process)):
                log.warning("over a limit", extra={"facts": {"bot": bot, "why": why}})
                self._act(bot, holder.pid, process, why, now_s)
        except BotctlError as error:
            log.warning("not relieved", extra={"facts": {"bot": bot, "why": error.message}})

    def _act(self, bot: str, pid: int, process: ProcessSpec, why: str, now_s: float) -> None:
        if process.on_limit is not OnLimit.PAUSE:
            self._ending[bot] = (pid, now_s + float(process.stop_timeout_s) + KILL_GRACE_S)
            self._ask(bot, "stop", {"why": why, "again": True})
        elif read_hold(self._workspace, bot) is None:
            hold = Hold(bot=bot, kind=HoldKind.PAUSE, who=SENTINEL, since_ns=time.time_ns(), why=why)
            place_hold(self._workspace, hold)
            self._ask(bot, "pause", {"who": SENTINEL, "why": why})

    def _ask(self, bot: str, verb: str, arguments: dict[str, str | bool]) -> None:
        try:
            call(self._workspace.control_socket(bot), verb, arguments, timeout_s=ANSWER_S)
        except BotctlError:
            self._kill(bot)

    def _is_ending(self, bot: str, pid: int, now_s: float) -> bool:
        asked, until_s = self._ending.get(bot, (0, 0.0))
        if asked != pid:
            self._ending.pop(bot, None)
            return False
        if now_s > until_s:
            self._kill(bot)
        return True

    def _kill(self, bot: str) -> None:
        log.warning("killing a bot that does not answer", extra={"facts": {"bot": bot}})
        kill_holder(self._workspace.locks / bot)
