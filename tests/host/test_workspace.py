from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from engine.errors import Refused, UsageError
from engine.host.files import private_directory, write_atomic
from engine.host.workspace import Workspace, find_workspace, workspace_of_state


def test_the_nearest_parent_with_a_fleet_is_the_workspace(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = workspace.root / "bots" / "deep" / "er"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert find_workspace() == workspace


def test_a_named_directory_wins_over_the_environment_and_the_environment_over_the_parents(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    shutil.copytree(workspace.root, other)
    monkeypatch.chdir(workspace.root)
    monkeypatch.setenv("BOTCTL_WORKSPACE", str(other))
    assert find_workspace().root == other
    assert find_workspace(workspace.root).root == workspace.root


def test_a_named_directory_without_a_fleet_is_refused_and_no_parent_is_tried(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match=r"no bots/fleet\.yaml in .*/bots$") as refusal:
        find_workspace(workspace.bots)
    assert "botctl init" in (refusal.value.hint or "")


def test_an_engine_finds_its_workspace_from_the_state_directory(workspace: Workspace) -> None:
    assert workspace_of_state(workspace.state) == workspace


def test_looking_at_a_workspace_writes_nothing(workspace: Workspace) -> None:
    _ = (workspace.control_socket("a"), workspace.supervisor_socket, workspace.current)
    assert not workspace.state.exists()
    assert not workspace.runtime_dir.exists()


def test_prepared_directories_are_private_and_socket_paths_short(workspace: Workspace) -> None:
    workspace.prepare()
    for directory in (workspace.state, workspace.runtime_dir):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    name = workspace.control_socket("b" * 40).relative_to(workspace.runtime_dir.parent)
    assert len(f"/run/user/1000/botctl/{name}") < 100


def test_a_prepared_workspace_is_prepared_again_without_writing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who comes to a full disk wants to stop what trades."""
    workspace.prepare()

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.host.workspace.write_atomic", full)
    workspace.prepare()


def test_a_session_without_xdg_finds_the_sockets_of_one_with_it(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.prepare()
    before = workspace.runtime_dir
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert workspace.runtime_dir == before


def test_a_copied_workspace_never_speaks_to_the_sockets_of_the_original(
    workspace: Workspace, tmp_path: Path
) -> None:
    workspace.prepare()
    copy = tmp_path / "copy"
    shutil.copytree(workspace.root, copy)
    assert Workspace(root=copy).runtime_dir != workspace.runtime_dir


def test_a_directory_that_is_a_link_to_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours").symlink_to(tmp_path / "theirs")
    with pytest.raises(Refused, match="does not belong to this user"):
        private_directory(tmp_path / "ours")


def test_a_directory_that_others_could_enter_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o777)
    private_directory(tmp_path / "open")
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o700


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "state.json"
    write_atomic(file, b"old")

    def break_off(_self: Path, _target: Path) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "replace", break_off)
    with pytest.raises(OSError, match="no space"):
        write_atomic(file, b"new")
    assert file.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["state.json"]
