"""The rendered configuration, read back by supervisord's own parser."""

from __future__ import annotations

from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from engine.control.backends.conf import render_conf
from engine.control.backends.interface import Program
from engine.errors import Refused


def program(**changes: object) -> Program:
    usual = {
        "name": "bot-sol",
        "command": "/opt/my bots/bin/botctl-engine",
        "arguments": ("sol",),
        "stop_timeout_s": 7,
    }
    return Program(**{**usual, **changes})  # type: ignore[arg-type]  # changes are fields by name


def parsed(tmp_path: Path, *programs: Program) -> ServerOptions:
    state = tmp_path / "a folder"
    (state / "logs").mkdir(parents=True)
    conf = state / "supervisord.conf"
    conf.write_text(render_conf(programs, conf=conf, socket=tmp_path / "s.sock"))
    options = ServerOptions()
    options.realize(["-c", str(conf)])
    return options


def test_supervisord_reads_what_was_meant(tmp_path: Path) -> None:
    (group,) = parsed(tmp_path, program()).process_group_configs
    (config,) = group.process_configs
    assert (group.name, config.name) == ("bot-sol", "bot-sol")
    assert config.command == f'"/opt/my bots/bin/botctl-engine" "{tmp_path}/a folder" sol'
    assert (config.autostart, config.startsecs, config.stopwaitsecs) == (False, 0, 17)
    assert config.exitcodes == [0, 3, 4, 5]
    assert config.redirect_stderr


def test_each_program_is_a_group_of_its_own(tmp_path: Path) -> None:
    options = parsed(tmp_path, program(), program(name="bot-eth", arguments=("eth",)))
    assert [group.name for group in options.process_group_configs] == ["bot-eth", "bot-sol"]


def test_nothing_listens_on_a_port(tmp_path: Path) -> None:
    (server,) = parsed(tmp_path, program()).server_configs
    assert server["section"] == "unix_http_server"
    assert server["chmod"] == 0o700


@pytest.mark.parametrize(
    "name", ['say "hi"', "50%", "a ;b", "a #b", "back\\slash", "new\nline", "quo'te", " ends "]
)
def test_a_path_that_supervisord_would_misread_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="cannot be told"):
        render_conf([], conf=Path("/home") / name / "supervisord.conf", socket=Path("/run/s.sock"))


@pytest.mark.parametrize("name", ["plain", "with space", "c#", "semi;colon", "ünïcode"])
def test_other_paths_are_taken(name: str) -> None:
    render_conf([], conf=Path("/home") / name / "supervisord.conf", socket=Path("/run/s.sock"))


@pytest.mark.parametrize("argument", ["a b", "%(ENV_HOME)s", "x;y", ""])
def test_an_argument_that_is_no_plain_word_is_refused(argument: str) -> None:
    with pytest.raises(Refused):
        render_conf([program(arguments=(argument,))], conf=Path("/s/supervisord.conf"), socket=Path("/run/s.sock"))
