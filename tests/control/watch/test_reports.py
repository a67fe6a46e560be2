"""What a webhook and the repository's host are told, over a real socket."""

from __future__ import annotations

import logging
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.control.watch.reports import Reports
from engine.control.watch.state import Result, WatchStatus
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.spec.types import CommitStatusSpec, SecretRef, WatchSpec
from tests.control.heard import Heard

STATUS = WatchStatus(
    repo="file:///there", branch="main", result=Result.REFUSED, why="bots/sol.yaml:3:\nno", commit="ab12"
)
TOKEN = "a-token-of-some-length"


@pytest.fixture
def spec(heard: Heard) -> WatchSpec:
    return WatchSpec(
        repo="file:///there",
        branch="main",
        interval_s=Decimal(10),
        require_signed=False,
        webhook=SecretRef(env="HOOK"),
        commit_status=CommitStatusSpec(url=f"{heard.url}/repos/a/b", token=SecretRef(env="TOKEN")),
    )


@pytest.fixture
def reports(heard: Heard, tmp_path: Path) -> Reports:
    (tmp_path / ".env").write_text(f"HOOK={heard.url}/hooks/of-nobody-else\nTOKEN={TOKEN}\n")
    (tmp_path / ".env").chmod(0o600)
    return Reports(Secrets(Workspace(root=tmp_path), shell={}), "lab")


def test_both_are_told_once_until_there_is_news(heard: Heard, spec: WatchSpec, reports: Reports) -> None:
    reports.tell(spec, STATUS)
    reports.tell(spec, replace(STATUS, checked_at="later"))
    (path, _, hook), (api, headers, said) = heard.told
    assert path == "/hooks/of-nobody-else"
    assert (hook["fleet"], hook["result"], hook["commit"]) == ("lab", "refused", "ab12")
    assert api == "/repos/a/b/statuses/ab12" and headers["Authorization"] == f"Bearer {TOKEN}"
    assert said == {"state": "failure", "context": "botctl/lab", "description": "refused: bots/sol.yaml:3: no"}
    reports.tell(spec, replace(STATUS, result=Result.APPLIED, why=""))
    assert [body.get("state", body.get("result")) for _, _, body in heard.told[2:]] == ["applied", "success"]


def test_a_report_that_was_not_taken_is_made_again_and_no_secret_is_said(
    heard: Heard, spec: WatchSpec, reports: Reports, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    heard.answer = 503
    reports.tell(spec, STATUS)
    heard.answer = 201
    reports.tell(spec, STATUS)
    reports.tell(spec, STATUS)
    assert len(heard.told) == 4
    facts = [record.__dict__["facts"] for record in caplog.records]
    assert facts == [{"whom": "webhook", "status": 503}, {"whom": "commit status", "status": 503}]


def test_nobody_who_listens_and_no_secret_that_is_there_stop_the_watch(
    heard: Heard, spec: WatchSpec, reports: Reports, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / ".env").write_text("HOOK=http://127.0.0.1:1/of-nobody-else\n")
    reports.tell(spec, STATUS)
    assert heard.told == []
    facts = [record.__dict__["facts"] for record in caplog.records]
    assert facts[0] == {"whom": "webhook", "why": "ConnectError"}
    assert "TOKEN is not in" in facts[1]["why"]
    assert "of-nobody-else" not in caplog.text


def test_an_unreachable_repository_says_nothing_of_a_commit(
    heard: Heard, spec: WatchSpec, reports: Reports
) -> None:
    reports.tell(spec, replace(STATUS, result=Result.UNREACHABLE))
    assert [path for path, _, _ in heard.told] == ["/hooks/of-nobody-else"]
