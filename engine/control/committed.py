"""Writes the files that declare a fleet out of a commit into a folder, exactly as they were committed.

Only YAML and links are taken, so that `engine.host.sources` finds what it would find in a checkout, and judges it
by the same rules; a link that leads elsewhere is refused there.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from engine.control.git import Git
from engine.errors import ConfigInvalid, Unavailable
from engine.host.sources import MAX_TOTAL_BYTES, SUFFIXES
from engine.host.workspace import Workspace
from engine.model.value import Value
from engine.spec.document import MAX_FILE_BYTES

FOLDERS = ("bots", "templates", "envs")
MAX_FILES = 20_000
MAX_LINK_BYTES = 4096

_LINK, _SUBMODULE = "120000", "160000"


class Entry(Value, frozen=True, kw_only=True):
    """One file of a commit."""

    mode: str
    blob: str
    size_bytes: int
    path: str

    @property
    def is_link(self) -> bool:
        return self.mode == _LINK


def write_tree(git: Git, tree: str, folder: Path) -> None:
    """Replace a folder's content by the files of a commit or tree; ConfigInvalid for what is no fleet's."""
    entries = [entry for entry in _entries(git, tree) if entry.is_link or entry.path.endswith(SUFFIXES)]
    _require_bounded(entries)
    contents = _contents(git, entries)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    for entry in sorted(entries, key=lambda entry: entry.is_link):  # Links last: nothing is written through one.
        _write(folder / entry.path, entry, contents[entry.blob])


@contextmanager
def workspace_at(workspace: Workspace, revision: str) -> Iterator[Workspace]:
    """The workspace as its repository has it at a revision, e.g. a branch; its secrets and facts are today's."""
    with _reading(workspace, Git(workspace.root).commit(revision).id) as reading:
        yield reading


@contextmanager
def workspace_staged(workspace: Workspace) -> Iterator[Workspace]:
    """The workspace as `git commit` would record it now."""
    with _reading(workspace, Git(workspace.root).ask("write-tree").decode().strip()) as reading:
        yield reading


@contextmanager
def _reading(workspace: Workspace, tree: str) -> Iterator[Workspace]:
    with TemporaryDirectory(prefix="botctl-") as folder:
        write_tree(Git(workspace.root), tree, Path(folder) / "tree")
        yield msgspec.structs.replace(workspace, tree=Path(folder) / "tree")


def _entries(git: Git, tree: str) -> list[Entry]:
    listing = git.ask("ls-tree", "-r", "-z", "-l", tree, "--", *FOLDERS)
    found = []
    for line in listing.split(b"\0")[:-1]:
        facts, _, name = line.partition(b"\t")
        mode, _kind, blob, size = facts.decode().split()
        path = _safe(name)
        if mode == _SUBMODULE:
            raise ConfigInvalid(
                f"{path} is a submodule", hint="commit its files: what is applied must be one commit"
            )
        found.append(Entry(mode=mode, blob=blob, size_bytes=int(size), path=path))
    return found


def _safe(name: bytes) -> str:
    try:
        path = name.decode()
    except UnicodeDecodeError as error:
        raise ConfigInvalid(f"the file name {name!r} is no UTF-8 text") from error
    if not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise ConfigInvalid(f"no file may be called {path!r}")
    return path


def _require_bounded(entries: list[Entry]) -> None:
    if len(entries) > MAX_FILES:
        raise ConfigInvalid(f"the commit has {len(entries)} files in {', '.join(FOLDERS)}, more than {MAX_FILES}")
    for entry in entries:
        if entry.size_bytes > (MAX_LINK_BYTES if entry.is_link else MAX_FILE_BYTES):
            raise ConfigInvalid(f"{entry.path} holds {entry.size_bytes} bytes, more than a fleet's file may")
    if sum(entry.size_bytes for entry in entries) > MAX_TOTAL_BYTES:
        raise ConfigInvalid(f"the commit's files hold more than {MAX_TOTAL_BYTES >> 20} MiB")


def _contents(git: Git, entries: list[Entry]) -> dict[str, bytes]:
    """By blob. git answers `ID blob SIZE`, a newline, so many bytes, a newline."""
    wanted = sorted({entry.blob for entry in entries})
    answer = git.ask("cat-file", "--batch", given="".join(f"{blob}\n" for blob in wanted).encode())
    contents, at = {}, 0
    for blob in wanted:
        end = answer.index(b"\n", at)
        name, kind, size = answer[at:end].decode().split()
        if (name, kind) != (blob, "blob"):
            raise Unavailable(f"git has no file {blob}: its copy of the repository is damaged")
        contents[blob] = answer[end + 1 : end + 1 + int(size)]
        at = end + 1 + int(size) + 1
    return contents


def _write(path: Path, entry: Entry, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if entry.is_link:
        if b"\0" in content or not content:
            raise ConfigInvalid(f"the link {entry.path} leads nowhere")
        path.symlink_to(content.decode("utf-8", "surrogateescape"))
    else:
        path.write_bytes(content)
