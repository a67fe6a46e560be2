"""Looks at the fleet again and again, and tells each channel what it is owed."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from engine.clock import seconds_to_ns
from engine.control.alerts import ledger as book
from engine.control.alerts.attempt import Attempts
from engine.control.alerts.channels import beat, send
from engine.control.alerts.conditions import blind, conditions, hidden, unwritten
from engine.control.alerts.file import read_ledger, write_ledger
from engine.control.alerts.ledger import Condition
from engine.control.alerts.message import message
from engine.control.metrics.snapshot import Snapshot
from engine.errors import BotctlError
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.spec.types import AlertsSpec

TELLING_S = 12.0
"""For all channels together: the rest of what SIGTERM leaves is for a look at a fleet that is slow to answer."""
BEAT_S = 5.0

log = logging.getLogger("engine.control.alerts")


class Sight(NamedTuple):
    """What one look saw, and of which keys it could see nothing."""

    wrong: tuple[Condition, ...]
    is_hidden: Callable[[str], bool]
    is_blind: bool = False


def rules_of(spec: AlertsSpec) -> book.Rules:
    """As declared, in nanoseconds."""
    repeat_ns = None if spec.repeat_s is None else seconds_to_ns(float(spec.repeat_s))
    return book.Rules(for_ns=seconds_to_ns(float(spec.for_s)), repeat_ns=repeat_ns)


class Teller:
    """Remembers in `.botctl/alerts.json` who was told what, so that a restart tells nobody again."""

    def __init__(self, workspace: Workspace, fleet_id: str, look: Callable[[], Snapshot]) -> None:
        self._workspace = workspace
        self._fleet_id = fleet_id
        self._look = look
        self._ledger = self._written = read_ledger(workspace)
        self._unwritten = ""
        self._channels = defaultdict[str, Attempts](Attempts)
        self._heartbeat = Attempts()
        self._beat_s = float("-inf")

    def round(self, spec: AlertsSpec) -> None:
        """One look, and to each channel what it is owed; one that does not get through is tried again later."""
        sight = self._sight()
        at_ns, rules = time.time_ns(), rules_of(spec)
        found = (*sight.wrong, *unwritten(self._unwritten))
        ledger = book.seen(book.only(self._ledger, spec.channels), found, rules, at_ns, sight.is_hidden)
        secrets = Secrets(self._workspace, shell={})
        owed = {name: news for name in spec.channels if (news := book.owed(ledger, name, rules, at_ns))}
        self._keep(self._told(ledger, spec, owed, secrets))
        if not sight.is_blind:
            self._beat(spec, secrets)

    def rest(self) -> None:
        """Nobody looks for a while."""
        self._keep(book.at_rest(self._ledger))

    def _sight(self) -> Sight:
        try:
            snapshot = self._look()
            return Sight(tuple(conditions(snapshot)), hidden(snapshot))
        except BotctlError as error:
            why = error.message
        except Exception as error:  # Whatever keeps it from seeing is for a person to hear, not for it to die of.
            log.exception("cannot look")
            why = f"{type(error).__name__}: {error}"
        return Sight((blind(why),), lambda _key: True, is_blind=True)

    def _told(
        self, ledger: book.Ledger, spec: AlertsSpec, owed: dict[str, book.News], secrets: Secrets
    ) -> book.Ledger:
        """After all channels were told at once, as far as they may be tried."""
        due = {name: news for name, news in owed.items() if self._channels[name].is_due}
        for name, news in due.items():
            words = message(self._fleet_id, news)
            self._channels[name].begin(partial(send, spec.channels[name], name, secrets, self._fleet_id, words))
        deadline_s = time.monotonic() + TELLING_S
        for name, news in due.items():
            if why := self._channels[name].result(deadline_s):
                log.warning("not told", extra={"facts": {"channel": name, "why": why}})
                ledger = book.missed(ledger, name, why)
            else:
                keys = [*news.begun, *news.lasting, *news.over]
                log.info("told", extra={"facts": {"channel": name, "keys": keys}})
                ledger = book.heard(ledger, name, news, time.time_ns())
        return ledger

    def _keep(self, ledger: book.Ledger) -> None:
        """A disk that is full takes nothing: what is not written down is tried again, and holds in this process."""
        self._ledger = ledger
        if ledger == self._written:
            return
        try:
            write_ledger(self._workspace, ledger)
        except OSError as error:
            self._unwritten = error.strerror or type(error).__name__
            log.warning("not written down who was told", extra={"facts": {"why": self._unwritten}})
        else:
            self._written, self._unwritten = ledger, ""

    def _beat(self, spec: AlertsSpec, secrets: Secrets) -> None:
        now_s = time.monotonic()
        if spec.heartbeat is None or now_s - self._beat_s < float(spec.heartbeat_s) or self._heartbeat.is_busy:
            return
        self._beat_s, reference = now_s, spec.heartbeat
        self._heartbeat.begin(lambda: beat(secrets.resolve("alerts: heartbeat", reference)))
        if why := self._heartbeat.result(now_s + BEAT_S):
            log.warning("the heartbeat was not heard", extra={"facts": {"why": why}})
