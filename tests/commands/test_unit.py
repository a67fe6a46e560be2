"""`botctl unit`: what it prints is what service managers read, and systemd's own checker has nothing against it."""

from __future__ import annotations

import configparser
import os
import plistlib
import pwd
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from cli import run
from engine.control import service_unit as units
from engine.control.down import WAIT_S, time_to_stop_s
from engine.control.finding import Grade
from engine.control.generations import switch_to, write_generation
from engine.control.service_unit import Manager, service_unit, unit_checkup
from engine.errors import Conflict, Refused, UsageError
from engine.host.workspace import Workspace
from tests.plan.fleets import desired, spec

ANALYZE = shutil.which("systemd-analyze")
UNITS = [Manager.SYSTEMD, Manager.SYSTEMD_USER]


def make(root: Path, stop_timeout_s: int = 30) -> Workspace:
    """A workspace in which one bot was applied."""
    (root / "bots").mkdir(parents=True)
    (root / "bots" / "fleet.yaml").write_text("id: lab\n")
    workspace = Workspace(root=root)
    workspace.prepare()
    bots = desired(spec("fast", stop_timeout_s=5), spec("slow", stop_timeout_s=stop_timeout_s))
    switch_to(workspace, write_generation(workspace, bots, conf=""))
    return workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make(tmp_path / "a fleet")


def read(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, delimiters="=", strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # its documented way to keep capitals
    parser.read_string(text)
    return parser


def words(unit: configparser.ConfigParser, key: str) -> list[str]:
    return shlex.split(unit["Service"][key])


def test_the_unit_starts_the_fleet_by_absolute_paths_as_this_user(workspace: Workspace) -> None:
    unit = read(service_unit(workspace, Manager.SYSTEMD).text)
    script, *rest = words(unit, "ExecStart")
    assert Path(script).is_absolute() and Path(script).name == "botctl" and os.access(script, os.X_OK)
    assert rest == ["up", "-C", str(workspace.root)]
    assert words(unit, "ExecStop") == [script, "down", "--wait", str(WAIT_S), "-C", str(workspace.root)]
    assert unit["Service"]["User"] == pwd.getpwuid(os.getuid()).pw_name
    assert "network-online.target" in unit["Unit"]["After"].split()
    assert unit["Install"]["WantedBy"] == "multi-user.target"


def test_systemd_waits_for_the_slowest_bot(tmp_path: Path) -> None:
    def stop_s(place: str, timeout_s: int) -> int:
        unit = read(service_unit(make(tmp_path / place, timeout_s), Manager.SYSTEMD).text)
        return int(unit["Service"]["TimeoutStopSec"])

    assert stop_s("quick", 30) == WAIT_S + time_to_stop_s([spec("slow", stop_timeout_s=30)])
    assert stop_s("slow", 300) == stop_s("quick-again", 30) + 270


def test_processes_are_asked_to_end_before_they_are_killed_and_never_run_twice(workspace: Workspace) -> None:
    service = read(service_unit(workspace, Manager.SYSTEMD).text)["Service"]
    assert service["KillMode"] == "control-group"
    assert service["Restart"] == "on-failure"
    assert {"4", "5"} <= set(service["RestartPreventExitStatus"].split())
    assert "KillSignal" not in service and "SendSIGKILL" not in service


def test_a_users_own_unit_names_no_user_and_no_system_target(workspace: Workspace) -> None:
    unit = read(service_unit(workspace, Manager.SYSTEMD_USER).text)
    assert "User" not in unit["Service"] and "After" not in unit["Unit"]
    assert unit["Install"]["WantedBy"] == "default.target"


def test_where_locks_lie_is_told_because_a_service_has_no_shell(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/srv/my state")
    unit = read(service_unit(workspace, Manager.SYSTEMD).text)
    assert shlex.split(unit["Service"]["Environment"]) == ["XDG_STATE_HOME=/srv/my state"]
    monkeypatch.delenv("XDG_STATE_HOME")
    assert "Environment" not in read(service_unit(workspace, Manager.SYSTEMD).text)["Service"]


@pytest.mark.parametrize("folder", ["plain", "a fleet", "cost $5", "ünïcode", "semi;colon"])
@pytest.mark.parametrize("manager", UNITS, ids=["system", "user"])
@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze, systemd's own judge of units, is not installed")
def test_systemds_own_judge_has_nothing_against_it(
    manager: Manager, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/srv/my state")
    unit = service_unit(make(tmp_path / folder), manager)
    (tmp_path / unit.name).write_text(unit.text)
    scope = ["--user"] if manager is Manager.SYSTEMD_USER else []
    done = judged(tmp_path / unit.name, *scope)
    assert [line for line in done.stderr.splitlines() if unit.name in line or "initialize" in line] == []


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze, systemd's own judge of units, is not installed")
def test_systemds_judge_does_find_what_is_wrong(workspace: Workspace, tmp_path: Path) -> None:
    """Or its silence would mean nothing."""
    text = service_unit(workspace, Manager.SYSTEMD).text
    (tmp_path / "wrong.service").write_text(text.replace("KillMode=control-group", "KillMode=gently"))
    assert "kill mode" in judged(tmp_path / "wrong.service").stderr


def judged(unit: Path, *scope: str) -> subprocess.CompletedProcess[str]:
    assert ANALYZE is not None
    return subprocess.run(
        [ANALYZE, *scope, "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_launchd_job_is_a_property_list_that_starts_the_same(workspace: Workspace) -> None:
    unit = service_unit(workspace, Manager.LAUNCHD)
    job = plistlib.loads(unit.text.encode())
    assert unit.name == f"{job['Label']}.plist" == "botctl.lab.plist"
    assert job["ProgramArguments"][1:] == ["up", "-C", str(workspace.root)]
    assert job["RunAtLoad"] and job["KeepAlive"] == {"SuccessfulExit": False}
    assert job["ExitTimeOut"] == WAIT_S + time_to_stop_s([spec("slow", stop_timeout_s=30)])


def test_a_folder_that_neither_supervisord_nor_systemd_would_read_as_it_is_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="50%"):
        service_unit(make(tmp_path / "50%"), Manager.SYSTEMD)


def test_before_the_first_apply_there_is_nothing_to_start(tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="nothing was applied"):
        service_unit(Workspace(root=tmp_path), Manager.SYSTEMD)


def test_it_is_printed_or_written_and_never_over_a_file_of_somebody_else(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = ["unit", "-C", str(workspace.root)]
    assert run(here) == 0
    printed = capsys.readouterr().out
    assert printed == service_unit(workspace, Manager.SYSTEMD).text
    (tmp_path / "units").mkdir()
    for _ in range(2):
        run([*here, "--write", str(tmp_path / "units")])
    assert (tmp_path / "units" / "botctl-lab.service").read_text() == printed
    run([*here, "--launchd", "--write", str(tmp_path / "job.plist")])
    run([*here, "--launchd", "--write", str(tmp_path / "job.plist")])
    (tmp_path / "mine").write_text("[Unit]\n")
    with pytest.raises(Refused, match="somebody else"):
        run([*here, "--write", str(tmp_path / "mine")])
    with pytest.raises(UsageError):
        run([*here, "--user", "--launchd"])


def test_doctor_tells_when_an_installed_unit_should_be_written_again(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "_SYSTEM_UNITS", tmp_path / "system")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert [found.grade for found in unit_checkup(workspace)] == [Grade.OK]
    folder = tmp_path / ".config" / "systemd" / "user"
    folder.mkdir(parents=True)
    unit = service_unit(workspace, Manager.SYSTEMD_USER)
    (folder / unit.name).write_text(unit.text)
    assert [found.what for found in unit_checkup(workspace)] == [
        f"{folder}/botctl-lab.service starts this fleet with its host"
    ]
    slower = desired(spec("slow", stop_timeout_s=400))
    switch_to(workspace, write_generation(workspace, slower, conf=""))
    (stale,) = unit_checkup(workspace)
    assert stale.grade is Grade.WARN and "write it again" in stale.hint
