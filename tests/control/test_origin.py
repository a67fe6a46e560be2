"""What git says of a workspace's files, asked of a real git with real ssh signatures."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from engine.control.origin import head_of, origin_of
from engine.plan.policy_facts import Signature

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="these ask git, which is not installed")
needs_ssh = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="git signs with ssh-keygen, which is not installed"
)


class Repository:
    """A workspace under git, with a configuration of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q")
        self.git("config", "user.name", "Ann")
        self.git("config", "user.email", "ann@example.org")
        self.write("bots/fleet.yaml", "id: lab\n")
        self.write(".gitignore", ".botctl/\nbots/private.yaml\nbots/*.bak\n")
        self.commit()

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True)

    def write(self, name: str, text: str) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def commit(self, *options: str) -> None:
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", "a change", *options)

    def key(self, name: str) -> Path:
        """Git signs with it from now on."""
        file = self.root.parent / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)
        self.git("config", "gpg.format", "ssh")
        self.git("config", "user.signingkey", str(file))
        return file

    def allow(self, key: Path) -> None:
        signers = self.root.parent / "allowed_signers"
        signers.write_text(f"ann@example.org {key.with_name(key.name + '.pub').read_text()}")
        self.git("config", "gpg.ssh.allowedSignersFile", str(signers))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    root = tmp_path / "work"
    root.mkdir()
    return Repository(root)


def test_a_commit_with_everything_in_it_is_clean_and_not_signed(repository: Repository) -> None:
    found = origin_of(repository.root)
    assert (found.id, found.dirty, found.signature) == (head_of(repository.root), (), Signature.NONE)


@pytest.mark.parametrize(
    "name", ["bots/new.yaml", "templates/new.yaml", "envs/mainnet/fleet.yaml", "bots/private.yaml"]
)
def test_a_file_that_was_never_committed_is_named_also_when_git_ignores_it(
    repository: Repository, name: str
) -> None:
    repository.write(name, "metadata: {name: new}\n")
    assert origin_of(repository.root).dirty == (name,)


def test_edits_removals_and_what_is_staged_are_named(repository: Repository) -> None:
    for name in ("edited", "removed", "renamed"):
        repository.write(f"bots/{name}.yaml", f"metadata: {{name: {name}}}\n" * 3)
    repository.commit()
    repository.write("bots/edited.yaml", "metadata: {name: other}\n")
    (repository.root / "bots" / "removed.yaml").unlink()
    repository.git("mv", "bots/renamed.yaml", "bots/with a space.yaml")
    repository.write("bots/staged.yaml", "metadata: {name: staged}\n")
    repository.git("add", "bots/staged.yaml")
    assert set(origin_of(repository.root).dirty) == {
        "bots/edited.yaml",
        "bots/removed.yaml",
        "bots/with a space.yaml",
        "bots/staged.yaml",
    }


def test_what_no_bot_is_made_of_may_differ(repository: Repository) -> None:
    repository.write("notes.txt", "buy milk\n")
    repository.write("bots/fleet.yaml.bak", "id: old\n")
    repository.write(".botctl/audit.jsonl", "{}\n")
    assert origin_of(repository.root).dirty == ()


def test_an_edit_that_git_was_told_not_to_see_is_seen(repository: Repository) -> None:
    repository.git("update-index", "--assume-unchanged", "bots/fleet.yaml")
    repository.write("bots/fleet.yaml", "id: other\n")
    assert origin_of(repository.root).dirty == ("bots/fleet.yaml (hidden from git status)",)


def test_a_workspace_below_the_top_of_its_repository_is_judged_by_its_own_files(repository: Repository) -> None:
    repository.write("desk/bots/fleet.yaml", "id: desk\n")
    repository.commit()
    repository.write("bots/fleet.yaml", "id: another\n")
    assert origin_of(repository.root / "desk").dirty == ()
    repository.write("desk/bots/fleet.yaml", "id: edited\n")
    assert origin_of(repository.root / "desk").dirty == ("desk/bots/fleet.yaml",)


@needs_ssh
def test_a_signature_by_an_allowed_signer_is_good(repository: Repository) -> None:
    repository.allow(repository.key("ann"))
    repository.commit("-S")
    found = origin_of(repository.root)
    assert found.signature is Signature.GOOD
    assert "ann@example.org" in found.says


@needs_ssh
def test_a_signature_by_somebody_else_is_bad(repository: Repository) -> None:
    repository.allow(repository.key("ann"))
    repository.key("mallory")
    repository.commit("-S")
    assert origin_of(repository.root).signature is Signature.BAD


@needs_ssh
def test_a_signature_is_bad_while_nobody_is_allowed_to_sign(repository: Repository) -> None:
    repository.key("ann")
    repository.commit("-S")
    assert origin_of(repository.root).signature is Signature.BAD


@needs_ssh
def test_a_commit_that_was_changed_under_its_signature_is_bad(repository: Repository) -> None:
    repository.allow(repository.key("ann"))
    repository.commit("-S")
    whole = subprocess.run(
        ["git", "cat-file", "commit", "HEAD"], cwd=repository.root, capture_output=True, check=True
    )
    forged = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
        cwd=repository.root,
        input=whole.stdout.replace(b"a change", b"a forgery"),
        capture_output=True,
        check=True,
    )
    repository.git("update-ref", "HEAD", forged.stdout.decode().strip())
    assert origin_of(repository.root).signature is Signature.BAD


def test_without_a_repository_a_commit_or_git_nothing_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = origin_of(tmp_path)
    assert not outside.id
    assert "not a git repository" in outside.says
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    assert not origin_of(tmp_path).id
    monkeypatch.setenv("PATH", str(tmp_path))
    assert origin_of(tmp_path).says == "git is not installed here"
    assert head_of(tmp_path) is None
