"""Looks at the fleet again and again, and tells each channel what it is owed."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable

from engine.clock import seconds_to_ns
from engine.control.alerts import ledger as book
from engine.control.alerts.channels import beat, send
from engine.control.alerts.conditions import BLIND, blind, conditions
from engine.control.alerts.file import read_ledger, write_ledger
from engine.control.alerts.ledger import Condition
from engine.control.alerts.message import message
from engine.control.metrics.snapshot import Snapshot
from engine.errors import BotctlError
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.spec.types import AlertsSpec, ChannelSpec
from engine.transport.backoff import Backoff

FIRST_S, CEILING_S = 10.0, 600.0
"""A channel that did not get through is left alone for a random part of this, which doubles up to the second."""

log = logging.getLogger("engine.control.alerts")


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
        self._ledger = read_ledger(workspace)
        self._tries = dict[str, Try]()
        self._beat_s = 0.0

    def round(self, spec: AlertsSpec) -> None:
        """One look, and to each channel what it is owed; one that does not get through is tried again later."""
        found = self._conditions()
        at_ns, rules = time.time_ns(), rules_of(spec)
        ledger = book.seen(book.only(self._ledger, spec.channels), found, rules, at_ns)
        secrets = Secrets(self._workspace, shell={})
        for name, channel in spec.channels.items():
            if news := book.owed(ledger, name, rules, at_ns):
                ledger = self._tell(ledger, name, channel, news, secrets)
        self._keep(ledger)
        if spec.heartbeat is not None and not any(condition.key == BLIND for condition in found):
            self._beat(spec, secrets)

    def _conditions(self) -> list[Condition]:
        try:
            return list(conditions(self._look()))
        except BotctlError as error:
            return [blind(error.message)]

    def _tell(
        self, ledger: book.Ledger, name: str, channel: ChannelSpec, news: book.News, secrets: Secrets
    ) -> book.Ledger:
        attempt = self._tries.setdefault(name, Try())
        if not attempt.is_due:
            return ledger
        try:
            send(channel, name, secrets, self._fleet_id, message(self._fleet_id, news))
        except BotctlError as error:
            attempt.failed()
            log.warning("not told", extra={"facts": {"channel": name, "why": error.message}})
            return book.missed(ledger, name, error.message)
        attempt.worked()
        log.info("told", extra={"facts": {"channel": name, "keys": [*news.begun, *news.lasting, *news.over]}})
        return book.heard(ledger, name, news, time.time_ns())

    def _keep(self, ledger: book.Ledger) -> None:
        if ledger != self._ledger:
            write_ledger(self._workspace, ledger)
        self._ledger = ledger

    def _beat(self, spec: AlertsSpec, secrets: Secrets) -> None:
        now_s = time.monotonic()
        if spec.heartbeat is None or now_s - self._beat_s < float(spec.heartbeat_s):
            return
        self._beat_s = now_s
        try:
            beat(secrets.resolve("alerts: heartbeat", spec.heartbeat))
        except BotctlError as error:
            log.warning("the heartbeat was not heard", extra={"facts": {"why": error.message}})


class Try:
    """When a channel may be tried again."""

    def __init__(self) -> None:
        self._backoff = Backoff(random.Random(), first_s=FIRST_S, ceiling_s=CEILING_S)
        self._next_s = 0.0

    @property
    def is_due(self) -> bool:
        return time.monotonic() >= self._next_s

    def failed(self) -> None:
        self._next_s = time.monotonic() + self._backoff.delay_s()

    def worked(self) -> None:
        self._backoff.reset()
