"""Tells others how a commit fares: a webhook of any kind, and the commit statuses of the repository's host.

A report that does not arrive is tried again at the next look; it never keeps a commit from being applied. Neither
the webhook's address nor the token is ever said.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import httpx
import msgspec

from engine.control.watch.state import Result, WatchStatus
from engine.errors import BotctlError
from engine.host.secrets import Secrets
from engine.spec.types import CommitStatusSpec, SecretRef, WatchSpec

log = logging.getLogger("engine.control.watch")

TIMEOUT_S = 5.0
DESCRIPTION_CHARS = 140

_STATES = {
    Result.APPLIED: "success",
    Result.REFUSED: "failure",
    Result.WAITING: "pending",
    Result.FAILED: "error",
}


class Reports:
    """Remembers what was told to whom."""

    def __init__(self, secrets: Secrets, fleet_id: str) -> None:
        self._secrets = secrets
        self._fleet_id = fleet_id
        self._told: dict[str, object] = {}

    def tell(self, spec: WatchSpec, status: WatchStatus) -> None:
        """Everybody who does not know yet."""
        if (hook := spec.webhook) is not None:
            self._once("webhook", status, lambda: self._webhook(hook, status))
        if spec.commit_status is not None and status.commit and status.result in _STATES:
            target = spec.commit_status
            self._once("commit status", status, lambda: self._commit_status(target, status))

    def _once(self, whom: str, status: WatchStatus, post: Callable[[], httpx.Response]) -> None:
        if self._told.get(whom) == status.news:
            return
        try:
            answer = post()
        except (httpx.HTTPError, httpx.InvalidURL, BotctlError) as error:
            why = error.message if isinstance(error, BotctlError) else type(error).__name__
            log.warning("a report did not arrive", extra={"facts": {"whom": whom, "why": why}})
            return
        if answer.is_success:
            self._told[whom] = status.news
        else:
            log.warning("a report was not taken", extra={"facts": {"whom": whom, "status": answer.status_code}})

    def _webhook(self, hook: SecretRef, status: WatchStatus) -> httpx.Response:
        address = self._secrets.resolve("watch: webhook", hook)
        return _post(address, {"fleet": self._fleet_id, **msgspec.to_builtins(status)}, {})

    def _commit_status(self, target: CommitStatusSpec, status: WatchStatus) -> httpx.Response:
        token = self._secrets.resolve("watch: commit_status token", target.token)
        return _post(
            f"{target.url}/statuses/{status.commit}",
            {
                "state": _STATES[status.result],
                "context": f"botctl/{self._fleet_id}",
                "description": _brief(status),
            },
            {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"},
        )


def _brief(status: WatchStatus) -> str:
    words = f"{status.result}: {status.why}" if status.why else str(status.result)
    return " ".join(words.split())[:DESCRIPTION_CHARS]


def _post(address: str, document: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
    return httpx.post(address, json=document, headers=headers, timeout=TIMEOUT_S, follow_redirects=False)
