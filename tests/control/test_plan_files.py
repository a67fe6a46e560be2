"""Saved plans against a real supervisord: done exactly, or refused with the fleet as it was."""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from engine.commands import apply as apply_verb
from engine.commands import plan as plan_verb
from engine.control import fleet as fleets_of_control
from engine.control.fleet import Eyes, Fleet, View, open_view
from engine.control.observe import observe
from engine.errors import BotctlError, Conflict, Refused, StalePlan, StateDamaged, UsageError
from engine.host.generation import read_current
from engine.plan.observed import Engine, Unknown
from engine.resources import resource
from engine.spec.assemble import fleet_spec
from tests.control.outside import until

FLEET = """\
id: lab
accounts:
  main: {venue: backpack, environment: sim, balances: {USDC: 10000}}
sentinel: {enabled: false}
"""
BOT = """\
metadata: {{name: {name}, labels: {{desk: {name}}}}}
exchange: {{account: main, market: {market}}}
strategy: {{kind: perp_market_maker, spread_bps: {spread}, order_size: 0.1, layers: 1}}
risk: {{max_position: 1}}
process: {{stop_timeout_s: 2}}
"""
MARKETS = {"eth": "ETH_USDC_PERP", "sol": "SOL_USDC_PERP"}
"""A simulated venue is not among the programs: the engines of these tests only pretend to trade."""


@pytest.fixture
def place(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> Path:
    return declared(fleet, monkeypatch)


def declared(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace of the fleet with two bots declared and applied, and no simulated venue."""
    monkeypatch.setattr(fleets_of_control, "supervisor_backend", lambda _workspace: fleet.backend)
    monkeypatch.setattr("engine.spec.load.fleet_spec", lambda *data: replace(fleet_spec(*data), sims={}))
    fleet.workspace.bots.mkdir()
    (fleet.workspace.bots / "fleet.yaml").write_text(FLEET)
    declare(fleet.workspace.root, eth=10, sol=10)
    apply_verb.command(directory=fleet.workspace.root, yes=True)
    return fleet.workspace.root


def declare(place: Path, **spreads: int) -> None:
    for name, spread in spreads.items():
        text = BOT.format(name=name, market=MARKETS[name], spread=spread)
        (place / "bots" / f"{name}.yaml").write_text(text)


def save(place: Path, *selectors: str, **options: Any) -> Path:
    file = place / "change.botplan"
    plan_verb.command(names=list(selectors), directory=place, out=file, **options)
    return file


def carry_out(place: Path, file: Path, **options: Any) -> None:
    apply_verb.command(what=[str(file)], directory=place, **options)


def spreads(fleet: Fleet) -> dict[str, Any]:
    current = read_current(fleet.workspace)
    assert current is not None
    return {name: spec.strategy.parameters["spread_bps"] for name, spec in current.bots.items()}


def exit_code(fleet: Fleet, bot: str) -> int | None:
    processes = observe(fleet).processes
    assert not isinstance(processes, Unknown)
    return processes[bot].exit_code


def number(fleet: Fleet) -> int:
    current = read_current(fleet.workspace)
    assert current is not None
    return current.number


def test_a_saved_plan_is_carried_out_without_a_question(fleet: Fleet, place: Path) -> None:
    declare(place, sol=12)
    carry_out(place, save(place))
    assert spreads(fleet) == {"eth": 10, "sol": 12}
    assert plan_verb.command(directory=place, detailed_exitcode=True) == 0


def test_a_saved_plan_does_what_was_looked_at_whatever_the_files_say_by_now(fleet: Fleet, place: Path) -> None:
    declare(place, sol=12)
    file = save(place)
    declare(place, sol=99, eth=99)
    carry_out(place, file)
    assert spreads(fleet) == {"eth": 10, "sol": 12}


def test_a_plan_file_is_private_and_holds_no_secret(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / ".env").write_text("BACKPACK_SECRET=s3cr3t-of-mine\n")
    (place / ".env").chmod(0o600)
    credentials = "  live: {venue: backpack, environment: testnet, credentials: "
    credentials += "{api_key: '${BACKPACK_KEY}', api_secret: '${BACKPACK_SECRET}'}}\n"
    (place / "bots" / "fleet.yaml").write_text(FLEET.replace("sentinel", f"{credentials}sentinel", 1))
    file = save(place)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"BACKPACK_SECRET" in file.read_bytes()
    assert b"s3cr3t" not in file.read_bytes()


def test_what_was_applied_meanwhile_makes_a_saved_plan_stale(fleet: Fleet, place: Path) -> None:
    declare(place, sol=12)
    file = save(place)
    declare(place, eth=14)
    apply_verb.command(directory=place, yes=True)
    before = number(fleet)
    with pytest.raises(StalePlan) as raised:
        carry_out(place, file)
    assert raised.value.exit_code == 4 and "botctl plan" in str(raised.value.hint)
    assert number(fleet) == before and spreads(fleet) == {"eth": 14, "sol": 12}


def test_a_bot_that_fell_over_meanwhile_makes_a_saved_plan_stale(fleet: Fleet, place: Path) -> None:
    declare(place, sol=12)
    file = save(place)
    engine = observe(fleet).engines["eth"]
    assert isinstance(engine, Engine)
    fleet.workspace.state.joinpath("fake").mkdir(exist_ok=True)
    (fleet.workspace.state / "fake" / "eth").write_text("exit 4")
    (fleet.workspace.control_socket("eth")).unlink()
    os.kill(engine.pid, signal.SIGKILL)
    until(lambda: exit_code(fleet, "eth") == 4)
    with pytest.raises(StalePlan, match="other actions by now: eth"):
        carry_out(place, file)
    assert spreads(fleet) == {"eth": 10, "sol": 10}


@pytest.mark.parametrize("position", [0, 20, 90, -2])
def test_a_flipped_byte_is_refused(fleet: Fleet, place: Path, position: int) -> None:
    declare(place, sol=12)
    file = save(place)
    content = bytearray(file.read_bytes())
    content[position] ^= 1
    file.write_bytes(bytes(content))
    with pytest.raises(StateDamaged, match="damaged") as raised:
        carry_out(place, file)
    assert raised.value.exit_code == 4 and raised.value.hint
    assert number(fleet) == 1


def test_an_expired_plan_is_refused(fleet: Fleet, place: Path) -> None:
    declare(place, sol=12)
    file = save(place, expires_s=0.01)
    time.sleep(0.02)
    with pytest.raises(StalePlan, match="expired at") as raised:
        carry_out(place, file)
    assert raised.value.exit_code == 4 and number(fleet) == 1


def test_the_plan_of_another_fleet_is_refused(fleet: Fleet, place: Path) -> None:
    file = save(place)
    (place / "bots" / "fleet.yaml").write_text(FLEET.replace("id: lab", "id: desk"))
    with pytest.raises(Conflict, match="a plan for the fleet lab, and here is the fleet desk"):
        carry_out(place, file)


@pytest.mark.parametrize("also", ["sol", "--exclude"])
def test_a_saved_plan_takes_no_selectors(place: Path, also: str) -> None:
    file = save(place)
    what, exclude = ([str(file)], ["sol"]) if also == "--exclude" else ([str(file), also], None)
    with pytest.raises(UsageError, match="as it is"):
        apply_verb.command(what=what, exclude=exclude, directory=place)


def test_a_missing_plan_file_is_a_mistake_on_the_command_line(place: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        carry_out(place, place / "no.botplan")


def test_a_plan_for_some_bots_leaves_the_edits_of_others_waiting(fleet: Fleet, place: Path) -> None:
    declare(place, eth=20, sol=12)
    apply_verb.command(what=["label:desk=sol"], directory=place, yes=True)
    assert spreads(fleet) == {"eth": 10, "sol": 12}
    assert plan_verb.command(["sol"], directory=place, detailed_exitcode=True) == 0
    assert plan_verb.command(["eth"], directory=place, detailed_exitcode=True) == 2
    apply_verb.command(exclude=["sol"], directory=place, yes=True)
    assert spreads(fleet) == {"eth": 20, "sol": 12}


def test_a_saved_plan_for_some_bots_is_for_these_alone(fleet: Fleet, place: Path) -> None:
    declare(place, eth=20, sol=12)
    carry_out(place, save(place, "market:SOL*"))
    assert spreads(fleet) == {"eth": 10, "sol": 12}


def events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    schema = json.loads(resource("schemas", "apply-events.schema.json").read_text())
    plans = json.loads(resource("schemas", "plan.schema.json").read_text())
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for event in told:
        jsonschema.Draft202012Validator(schema).validate(event)
        if event["event"] == "planned":
            jsonschema.Draft202012Validator(plans).validate(event["plan"])
    assert [event["number"] for event in told] == list(range(1, len(told) + 1))
    return told


def test_programs_hear_what_an_apply_does_in_order(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    declare(place, sol=12)
    (place / "bots" / "eth.yaml").unlink()
    capsys.readouterr()
    apply_verb.command(directory=place, yes=True, as_json=True)
    told = [event for event in events(capsys) if event["event"] != "progressed"]
    assert [event["event"] for event in told] == [
        "planned", "generation_written", "step_done", "generation_switched", "step_done", "step_done", "applied"
    ]  # fmt: skip
    steps = [(event["step"], event["names"]) for event in told if event["event"] == "step_done"]
    assert steps == [("stopped", ["eth"]), ("reloaded", ["sol"]), ("healthy", ["sol"])]
    assert told[1]["generation"] == told[3]["generation"] == 2 and told[-1]["changes"] == 2


def test_programs_hear_why_an_apply_was_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = save(place, expires_s=0.01)
    time.sleep(0.02)
    capsys.readouterr()
    with pytest.raises(StalePlan):
        carry_out(place, file, as_json=True)
    (last,) = events(capsys)
    assert (last["event"], last["exit_code"]) == ("failed", 4) and last["hint"]


def test_programs_hear_of_an_interruption(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ctrl_c(*_: object) -> None:
        raise KeyboardInterrupt

    declare(place, sol=12)
    capsys.readouterr()
    monkeypatch.setattr("engine.control.apply.converge", ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        apply_verb.command(directory=place, yes=True, as_json=True)
    last = events(capsys)[-1]
    assert (last["event"], last["exit_code"]) == ("failed", 130) and "goes on" in last["hint"]


def test_programs_are_not_asked(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    declare(place, sol=12)
    capsys.readouterr()
    with pytest.raises(BotctlError, match="nobody can be asked") as raised:
        apply_verb.command(directory=place, as_json=True)
    assert raised.value.exit_code == 5
    assert [event["event"] for event in events(capsys)] == ["failed"]


def test_a_person_is_not_asked_about_what_would_be_refused_anyway(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "bots" / "eth.yaml").unlink()
    (place / "bots" / "sol.yaml").unlink()
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda question, **_: asked.append(question) or True)
    with pytest.raises(Refused, match="bots/ declares no bot at all") as refused:
        apply_verb.command(directory=place)
    assert asked == [] and "--accept empty" in str(refused.value.hint)


def test_a_report_is_one_page_in_which_nothing_can_run(place: Path) -> None:
    declare(place, sol=12)
    bot = place / "bots" / "sol.yaml"
    bot.write_text(bot.read_text().replace("desk: sol", "desk: '<script>alert(1)</script>'"))
    page = place / "plan.html"
    plan_verb.command(directory=place, html=page)
    text = page.read_text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script" not in text and "http://" not in text and "https://" not in text and "src=" not in text
    assert "strategy.spread_bps" in text and "10 → 12" in text and "bots/sol.yaml:3" in text


def test_what_a_dry_run_is_given_can_only_look(place: Path) -> None:
    view = open_view(place, verb="plan")
    assert isinstance(view, View) and isinstance(view.backend, Eyes)
    assert {name for name in vars(view) if not name.startswith("_")} == {"workspace", "backend"}
    assert {name for name in dir(view.backend) if not name.startswith("_")} == {"observe"}


def test_a_plan_leaves_every_file_as_it_was(place: Path) -> None:
    declare(place, sol=12)
    before = files(place)
    plan_verb.command(directory=place, full=True)
    plan_verb.command(directory=place, as_json=True)
    assert files(place) == before


def files(place: Path) -> dict[str, tuple[int, int]]:
    """Every file of the workspace but the fake engines' own, with its size and when it was written."""
    found = [path for path in place.rglob("*") if path.is_file() and "logs" not in path.parts]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}


def test_a_plan_file_is_called_one(place: Path) -> None:
    with pytest.raises(UsageError, match=r"ends with \.botplan"):
        plan_verb.command(directory=place, out=place / "plan.json")
