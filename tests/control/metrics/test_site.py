"""The pages themselves: who is answered, with what, and how often a fleet is looked at for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest

from engine.control.metrics.site import Site
from engine.control.metrics.snapshot import Snapshot
from engine.errors import Unavailable
from tests.control.metrics.snapshots import calm, snapshot


async def ask(
    site: Site, path: str = "/metrics", *, method: str = "GET", host: str = "127.0.0.1:9464"
) -> tuple[int, dict[str, str], bytes]:
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await site({"type": "http", "method": method, "path": path, "headers": [(b"host", host.encode())]}, None, send)
    start, *parts = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], headers, b"".join(part["body"] for part in parts)


def answered(look: Callable[[], Snapshot] = calm, **question: Any) -> tuple[int, dict[str, str], bytes]:
    return asyncio.run(ask(Site(look, only_loopback=True), **question))


def test_metrics_are_told_in_prometheus_own_format() -> None:
    status, headers, body = answered()
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=")
    assert b'botctl_leg_position{account="alpha",bot="maker"' in body


def test_a_fleet_that_needs_nobody_is_healthy() -> None:
    status, _, body = answered(path="/healthz")
    assert (status, json.loads(body)["healthy"]) == (200, True)


@pytest.mark.parametrize(
    ("ill", "where", "what"),
    [
        (snapshot(), "bots", {"mute": {"state": "unknown", "why": "does not answer"}}),
        (snapshot(statuses=(), companions={"sentinel": False}), "companions_down", ["sentinel"]),
        (snapshot(statuses=(), supervisor_answers=False), "supervisor_answers", False),
    ],
    ids=["a mute bot", "no sentinel", "a mute supervisor"],
)
def test_a_fleet_that_needs_somebody_is_not_and_says_where(ill: Snapshot, where: str, what: Any) -> None:
    status, _, body = answered(lambda: ill, path="/healthz")
    told = json.loads(body)
    assert (status, told["healthy"]) == (503, False)
    told["bots"].pop("maker", None)
    assert told[where] == what


@pytest.mark.parametrize(
    ("question", "status"),
    [
        ({"path": "/"}, 404),
        ({"method": "POST"}, 405),
        ({"host": "evil.example"}, 403),
        ({"host": "127.0.0.1.evil.example:9464"}, 403),
        ({"host": ""}, 403),
        ({"host": "localhost"}, 200),
        ({"host": "[::1]:9464"}, 200),
    ],
    ids=str,
)
def test_only_questions_for_this_page_are_answered(question: dict[str, str], status: int) -> None:
    assert answered(**question)[0] == status


def test_a_head_has_no_body() -> None:
    assert answered(method="HEAD")[::2] == (200, b"")


def test_a_fleet_that_cannot_be_looked_at_is_no_empty_fleet() -> None:
    def damaged() -> Snapshot:
        raise Unavailable("the generation cannot be read")

    status, _, body = answered(damaged)
    assert (status, body) == (503, b"the generation cannot be read\n")


def test_all_who_ask_at_once_are_told_of_one_look() -> None:
    looks: list[Snapshot] = []

    def look() -> Snapshot:
        looks.append(calm())
        return looks[-1]

    async def crowd() -> None:
        site = Site(look, only_loopback=False)
        await asyncio.gather(*(ask(site, host="elsewhere.example") for _ in range(20)))

    asyncio.run(crowd())
    assert len(looks) == 1
