"""Files on disk: what is read of a workspace, what is refused, and the cache of venue facts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.errors import ConfigInvalid
from engine.host import sources
from engine.host.facts import cached_facts, read_facts, write_facts
from engine.host.sources import read_sources
from engine.host.workspace import Workspace
from engine.spec.document import MAX_FILE_BYTES
from engine.spec.facts import no_facts
from engine.spec.load import load_fleet
from engine.spec.types import Environment
from tests.spec.cases import MARKETS


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "workspace"
    (root / "bots").mkdir(parents=True)
    (root / "templates").mkdir()
    (root / "bots" / "fleet.yaml").write_text("id: x\naccounts: {}\n")
    return Workspace(root=root)


def test_bots_and_templates_are_read_and_nothing_else(workspace: Workspace) -> None:
    for name in ("bots/a.yaml", "bots/b.yml", "templates/t.yaml"):
        (workspace.root / name).write_text("x: 1\n")
    for name in (
        "bots/.hidden.yaml",
        "bots/a.yaml~",
        "bots/#a.yaml#",
        "bots/a.yaml.bak",
        "bots/note.txt",
        "c.yaml",
    ):
        (workspace.root / name).write_text("never")
    assert sorted(read_sources(workspace)) == ["bots/a.yaml", "bots/b.yml", "bots/fleet.yaml", "templates/t.yaml"]


def test_a_workspace_without_templates_is_fine(workspace: Workspace) -> None:
    workspace.templates.rmdir()
    assert list(read_sources(workspace)) == ["bots/fleet.yaml"]


def test_a_link_out_of_the_workspace_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text("x: 1\n")
    (workspace.bots / "a.yaml").symlink_to(tmp_path / "outside.yaml")
    with pytest.raises(ConfigInvalid, match="link out of the workspace"):
        read_sources(workspace)


def test_a_folder_linked_out_of_the_workspace_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "t.yaml").write_text("x: 1\n")
    workspace.templates.rmdir()
    workspace.templates.symlink_to(tmp_path / "outside")
    with pytest.raises(ConfigInvalid, match="link out of the workspace"):
        read_sources(workspace)


def test_a_link_within_the_workspace_is_followed(workspace: Workspace) -> None:
    (workspace.bots / "a.yaml").symlink_to("fleet.yaml")
    assert read_sources(workspace)["bots/a.yaml"] == "id: x\naccounts: {}\n"


@pytest.mark.parametrize("target", ["a.yaml", "gone.yaml"])
def test_a_link_to_nothing_is_refused(workspace: Workspace, target: str) -> None:
    (workspace.bots / "a.yaml").symlink_to(target)
    with pytest.raises(ConfigInvalid, match="cannot be read"):
        read_sources(workspace)


def test_a_pipe_is_refused_instead_of_waited_for(workspace: Workspace) -> None:
    os.mkfifo(workspace.bots / "a.yaml")
    with pytest.raises(ConfigInvalid, match="not a regular file"):
        read_sources(workspace)


def test_bot_files_in_a_subfolder_are_not_silently_left_out(workspace: Workspace) -> None:
    (workspace.bots / "desk").mkdir()
    read_sources(workspace)
    (workspace.bots / "desk" / "a.yaml").write_text("x: 1\n")
    with pytest.raises(ConfigInvalid, match="only the files directly in"):
        read_sources(workspace)


def test_bytes_that_are_no_text_reach_the_loader_with_their_place(workspace: Workspace) -> None:
    (workspace.bots / "a.yaml").write_bytes(b"x: 1\ny: \xe9\n")
    loaded = load_fleet(read_sources(workspace), environment={}, facts=no_facts)
    assert [(str(found.place), found.code) for found in loaded.diagnostics] == [
        ("bots/a.yaml:2:4", "bad-character")
    ]


def test_a_huge_file_is_not_read_to_its_end(workspace: Workspace) -> None:
    (workspace.bots / "a.yaml").write_bytes(b"#" * (3 * MAX_FILE_BYTES))
    assert len(read_sources(workspace)["bots/a.yaml"]) == MAX_FILE_BYTES + 1


def test_facts_come_back_as_they_were_written(workspace: Workspace) -> None:
    assert read_facts(workspace, "backpack", Environment.SIM) is None
    write_facts(workspace, "backpack", Environment.SIM, MARKETS)
    lookup = cached_facts(workspace)
    assert lookup("backpack", Environment.SIM) == MARKETS
    assert lookup("backpack", Environment.MAINNET) is None


def test_damaged_facts_count_as_never_fetched(workspace: Workspace) -> None:
    write_facts(workspace, "backpack", Environment.SIM, MARKETS)
    (workspace.facts / "backpack-sim.json").write_bytes(b'{"fetched_at_ns": 1, "instr')
    assert read_facts(workspace, "backpack", Environment.SIM) is None


@pytest.fixture
def envs(workspace: Workspace) -> Path:
    folder = workspace.root / "envs" / "paper"
    folder.mkdir(parents=True)
    (folder / "fleet.yaml").write_text("live: forbidden\n")
    return folder


def test_the_overlays_of_every_environment_are_read(workspace: Workspace, envs: Path) -> None:
    (envs.parent / ".hidden").mkdir()
    (envs.parent / ".hidden" / "fleet.yaml").write_text("never")
    (envs.parent / "README.md").write_text("never")
    assert sorted(read_sources(workspace)) == ["bots/fleet.yaml", "envs/paper/fleet.yaml"]


def test_an_overlay_linked_out_of_the_workspace_is_refused(
    workspace: Workspace, envs: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside.yaml").write_text("x: 1\n")
    (envs / "a.yaml").symlink_to(tmp_path / "outside.yaml")
    with pytest.raises(ConfigInvalid, match="link out of the workspace"):
        read_sources(workspace)


def test_an_environment_linked_out_of_the_workspace_is_refused(
    workspace: Workspace, envs: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "fleet.yaml").write_text("x: 1\n")
    (envs.parent / "testnet").symlink_to(tmp_path / "outside")
    with pytest.raises(ConfigInvalid, match="link out of the workspace"):
        read_sources(workspace)


def test_an_overlay_outside_of_a_folder_is_not_silently_left_out(workspace: Workspace, envs: Path) -> None:
    (envs.parent / "testnet.yaml").write_text("x: 1\n")
    with pytest.raises(ConfigInvalid, match="belongs to no environment") as refused:
        read_sources(workspace)
    assert "envs/testnet/fleet.yaml" in str(refused.value.hint)


def test_overlays_in_a_subfolder_are_not_silently_left_out(workspace: Workspace, envs: Path) -> None:
    (envs / "desk").mkdir()
    (envs / "desk" / "a.yaml").write_text("x: 1\n")
    with pytest.raises(ConfigInvalid, match="only the files directly in"):
        read_sources(workspace)


def test_all_files_together_are_bounded(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_TOTAL_BYTES", 30)
    read_sources(workspace)
    (workspace.templates / "t.yaml").write_text("x: 1\n" * 4)
    with pytest.raises(ConfigInvalid, match="hold more than"):
        read_sources(workspace)
