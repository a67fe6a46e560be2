"""What the command line answers: exit codes, refusals, questions."""

from __future__ import annotations

import json
import os
import pty
import pwd
import subprocess
import sys

import jsonschema
import pytest

import cli
from engine.errors import UsageError
from engine.resources import resource
from tests.e2e.botctl import BOTCTL, Botctl

pytestmark = pytest.mark.timeout(120)


def test_help_and_version_load_no_command_line_library() -> None:
    for argument in ("--help", "--version"):
        code = (
            f"import sys; sys.argv = ['botctl', {argument!r}]\n"
            "import cli; code = cli.main()\n"
            "heavy = {'typer', 'click', 'rich', 'yaml', 'httpx', 'jinja2', 'asyncio'} & set(sys.modules)\n"
            "assert not heavy, heavy\n"
            "raise SystemExit(code)"
        )
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "--bogus"],
        ["paln"],
        ["stop"],
        ["apply", "--accept", "main-net"],
        ["stop", "sol", "--all"],
        ["logs"],
        ["status", "--timeout", "soon"],
    ],
)
def test_what_cannot_be_understood_is_a_usage_error(botctl: Botctl, arguments: list[str]) -> None:
    assert "error: " in botctl(*arguments, code=64)


def test_a_value_that_does_not_fit_is_named_with_its_option() -> None:
    with pytest.raises(UsageError, match=r"Invalid value for '-n' / '--lines': .*greater than or equal to 1"):
        cli.run(["history", "-n", "0"])
    with pytest.raises(UsageError, match=r"Invalid value for '\[GEN\]'"):
        cli.run(["rollback", "yesterday"])


def test_outside_a_workspace_the_way_to_one_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    nowhere = Botctl(tmp_path_factory.mktemp("nowhere"))
    assert "botctl init" in nowhere("plan", code=64)


def test_an_interruption_that_falls_into_a_destructor_is_not_lost() -> None:
    code = (
        "import signal, sys, cli\n"
        "class Untimely:\n"
        "    def __del__(self): signal.raise_signal(signal.SIGINT)\n"
        "def run(arguments): Untimely(); return 0\n"
        "cli.run = run\n"
        "sys.exit(cli.main())"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, "error: interrupted" in ended.stderr) == (130, True)


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([verb, "--help"]) == 0
    assert f"Usage: botctl {verb}" in capsys.readouterr().out


def test_the_directory_may_stand_before_the_verb(botctl: Botctl) -> None:
    elsewhere = Botctl(botctl.root / "bots")
    assert "to create" in elsewhere("-C", str(botctl.root), "plan")


def test_an_invalid_fleet_is_neither_planned_nor_applied(botctl: Botctl) -> None:
    line = botctl.edit("bots/sol.yaml", "spread_bps: 8", "spraed_bps: 8")
    for verb in (["validate"], ["plan"], ["apply", "--yes"]):
        words = botctl(*verb, code=3)
        assert f"bots/sol.yaml:{line}" in words and "spread_bps" in words
    assert not botctl.workspace.generations.exists()


def test_apply_refuses_where_nobody_can_be_asked(botctl: Botctl) -> None:
    assert "--yes" in botctl("apply", code=5)
    assert not botctl.workspace.generations.exists()


def test_a_person_who_declines_changes_nothing(botctl: Botctl) -> None:
    person, terminal = pty.openpty()
    os.write(person, b"n\n")
    done = subprocess.run(
        [str(BOTCTL), "apply"], cwd=botctl.root, stdin=terminal, capture_output=True, text=True, check=False
    )
    os.close(person)
    os.close(terminal)
    assert done.returncode == 5
    assert "Apply this plan?" in done.stderr and "declined" in done.stderr
    assert not botctl.workspace.generations.exists()


def test_planning_writes_nothing(botctl: Botctl) -> None:
    before = sorted(botctl.root.rglob("*"))
    botctl("plan")
    botctl("plan", "--json")
    botctl("validate")
    botctl("status")
    assert sorted(botctl.root.rglob("*")) == before


def test_a_plan_for_programs_fits_the_published_schema(botctl: Botctl) -> None:
    document = json.loads(botctl("plan", "--json", stderr=False))
    jsonschema.validate(document, json.loads(resource("schemas", "plan.schema.json").read_text()))
    assert [action["name"] for action in document["actions"]] == ["backpack", "btc", "sol"]


def test_verbs_about_running_bots_want_something_applied(botctl: Botctl) -> None:
    for verb in ("stop", "start", "restart", "resume"):
        assert "botctl apply" in botctl(verb, "sol", code=4)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can act as a second user")
def test_a_second_user_is_refused_and_so_is_root(botctl: Botctl) -> None:
    nobody = pwd.getpwnam("nobody")
    botctl.root.chmod(0o755)
    botctl.workspace.state.mkdir(mode=0o700)
    for verb in (["plan"], ["apply", "--yes"], ["status"], ["stop", "sol"], ["down"]):
        words = _as_user(nobody, botctl, *verb)
        assert f"sudo -u {pwd.getpwuid(os.getuid()).pw_name} botctl {verb[0]}" in words
    os.chown(botctl.workspace.state, nobody.pw_uid, nobody.pw_gid)
    for verb in (["plan"], ["apply", "--yes"], ["down"]):
        assert "sudo -u nobody botctl" in botctl(*verb, code=5)
    os.chown(botctl.workspace.state, os.getuid(), os.getgid())


DROP_TO = """
import contextlib, os, sys
import cli
from engine.errors import UsageError
from engine.errors import UsageError
with contextlib.suppress(UsageError):
    cli.run([*sys.argv[1:], "-C", "/nowhere"])
os.setgroups([]); os.setgid({gid}); os.setuid({uid})
raise SystemExit(cli.main())
"""
"""Loads the command before it becomes somebody else, who may not be able to read this checkout."""


def _as_user(user: pwd.struct_passwd, botctl: Botctl, *arguments: str) -> str:
    code = DROP_TO.format(uid=user.pw_uid, gid=user.pw_gid)
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=botctl.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 5, done.stdout
    return done.stdout
