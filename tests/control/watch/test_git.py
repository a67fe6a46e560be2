"""How a repository is read: as it was committed, inside bounds, without asking or running anything."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from engine.control.committed import write_tree
from engine.control.git import Commit, Git, Stopped, fetch, mirror
from engine.errors import ConfigInvalid, Unavailable
from engine.host.sources import read_sources
from engine.host.workspace import Workspace
from engine.spec.document import MAX_FILE_BYTES
from tests.control.watch.repository import Repository

FLEET = {"bots/fleet.yaml": "id: lab\naccounts: {}\n"}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "theirs")


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return mirror(tmp_path / "ours", lambda: False)


def fetched(git: Git, repository: Repository) -> Commit:
    return fetch(git, repository.url, "main")


def read(git: Git, commit: Commit, tmp_path: Path) -> dict[str, str]:
    tree = tmp_path / "state" / "tree"
    write_tree(git, commit.id, tree)
    return read_sources(Workspace(root=tmp_path, tree=tree))


def test_the_files_of_a_commit_are_read_and_no_others(git: Git, repository: Repository, tmp_path: Path) -> None:
    repository.commit({**FLEET, "bots/old.yaml": "old", "README.md": "hello"})
    read(git, fetched(git, repository), tmp_path)
    newest = repository.commit({"bots/old.yaml": None, "templates/grid.yaml": "new", "envs/paper/sol.yaml": "x"})
    commit = fetched(git, repository)
    assert commit.id == newest
    assert set(read(git, commit, tmp_path)) == {"bots/fleet.yaml", "templates/grid.yaml", "envs/paper/sol.yaml"}


def test_files_come_as_committed_whatever_the_repository_says_of_them(
    git: Git, repository: Repository, tmp_path: Path
) -> None:
    attributes = "*.yaml text eol=crlf export-ignore export-subst filter=evil\n"
    repository.commit({**FLEET, ".gitattributes": attributes, "bots/sol.yaml": "x: $Format:%H$\n"})
    assert read(git, fetched(git, repository), tmp_path)["bots/sol.yaml"] == "x: $Format:%H$\n"


def test_a_link_inside_is_followed_and_one_that_leads_out_is_refused(
    git: Git, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({**FLEET, "bots/sol.yaml": "x: 1\n"})
    (repository.folder / "bots" / "eth.yaml").symlink_to("sol.yaml")
    repository.commit({}, "a link")
    assert read(git, fetched(git, repository), tmp_path)["bots/eth.yaml"] == "x: 1\n"
    (repository.folder / "bots" / "out.yaml").symlink_to("/etc/passwd")
    repository.commit({}, "a link out")
    with pytest.raises(ConfigInvalid, match="link out of the workspace"):
        read(git, fetched(git, repository), tmp_path)


def test_a_folder_that_is_a_link_leads_nowhere_else(git: Git, repository: Repository, tmp_path: Path) -> None:
    repository.commit(FLEET)
    (repository.folder / "templates").symlink_to("/etc")
    repository.commit({}, "a link for a folder")
    assert set(read(git, fetched(git, repository), tmp_path)) == {"bots/fleet.yaml"}


def test_a_submodule_is_refused(git: Git, repository: Repository, tmp_path: Path) -> None:
    commit = repository.commit(FLEET)
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},bots/other")
    repository.git("commit", "-q", "-m", "a submodule")
    with pytest.raises(ConfigInvalid, match="bots/other is a submodule"):
        read(git, fetched(git, repository), tmp_path)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(
    git: Git, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({**FLEET, "bots/huge.yaml": "#" * (MAX_FILE_BYTES + 1)})
    with pytest.raises(ConfigInvalid, match=r"bots/huge.yaml holds \d+ bytes"):
        read(git, fetched(git, repository), tmp_path)


def test_no_hook_of_anybody_runs(git: Git, repository: Repository, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    for folder in (repository.folder / ".git" / "hooks", tmp_path / "ours" / "hooks"):
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("post-checkout", "reference-transaction", "post-merge", "pre-auto-gc"):
            (folder / name).write_text(f"#!/bin/sh\ntouch {proof}\n")
            (folder / name).chmod(0o755)
    repository.git("config", "core.hooksPath", "/dev/null")
    repository.commit(FLEET)
    read(git, fetched(git, repository), tmp_path)
    assert not proof.exists()


def test_a_branch_that_is_missing_is_unavailable_in_gits_own_words(git: Git, repository: Repository) -> None:
    repository.commit(FLEET)
    with pytest.raises(Unavailable, match=r"git fetch: .*other"):
        fetch(git, repository.url, "other")


def test_an_address_cannot_be_a_command(git: Git, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    for address in (f"ext::touch {proof}", f"--upload-pack=touch {proof}"):
        with pytest.raises(Unavailable):
            fetch(git, address, "main")
    assert not proof.exists()


class Locked(BaseHTTPRequestHandler):
    """A server that wants a password."""

    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="private"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def private_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Locked) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}/fleet.git"
        server.shutdown()


def test_git_asks_nobody_for_a_password_and_tells_none(
    git: Git, private_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    with pytest.raises(Unavailable) as failed:
        fetch(git, f"http://ann:hunter2@{private_url}", "main")
    assert "127.0.0.1" in failed.value.message and "hunter2" not in failed.value.message


def test_git_is_ended_when_it_takes_too_long_or_somebody_asks_for_an_end(tmp_path: Path) -> None:
    slow = ("-c", "alias.slow=!sleep 600", "slow")
    with pytest.raises(Unavailable, match=r"git slow took longer than 0\.3 s"):
        Git(tmp_path, timeout_s=0.3).ask(*slow)
    with pytest.raises(Stopped):
        Git(tmp_path, is_stopping=lambda: True).ask(*slow)
