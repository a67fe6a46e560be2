"""A bot's change of name against a real supervisord: one stops and keeps its position, the other goes on."""

from __future__ import annotations

import json
import subprocess
import threading

import pytest
from msgspec.structs import replace

from engine.control.down import take_down
from engine.control.fleet import Fleet
from engine.control.lifecycle import stop
from engine.control.observe import observe
from engine.control.status import fleet_status
from engine.errors import Refused
from engine.host.holds import read_hold
from engine.spec.types import BotSpec
from tests.control.outside import pids, until
from tests.control.test_converge import applied, bot, planned


def renamed(name: str, *, of: str, **changes: object) -> BotSpec:
    return replace(bot(name, **changes), renamed_from=of)


def test_after_a_rename_there_is_nothing_to_do(fleet: Fleet) -> None:
    applied(fleet, bot("eth", stop_policy="flatten"), bot("sol", market="ETH_USDC_PERP"))
    left_alone = pids(fleet)["sol"]
    declared = renamed("eth-one", of="eth", stop_policy="flatten"), bot("sol", market="ETH_USDC_PERP")
    plan = applied(fleet, *declared)
    assert [(action.kind, action.name) for action in plan.changes] == [("retire", "eth"), ("create", "eth-one")]
    assert planned(fleet, *declared) == []
    assert pids(fleet).keys() == {"eth-one", "sol"} and pids(fleet)["sol"] == left_alone
    told = fleet.workspace.state / "told" / "eth"
    assert json.loads(told.read_text(encoding="utf-8"))["keep_position"] is True


def test_a_bot_that_runs_unsupervised_keeps_its_position_under_its_new_name_too(fleet: Fleet) -> None:
    applied(fleet, bot("eth", stop_policy="flatten"))
    take_down(fleet)
    stray = subprocess.Popen([fleet.workspace.root / "engine", fleet.workspace.state, "eth"])
    reaper = threading.Thread(target=stray.wait)
    reaper.start()
    until(lambda: "eth" in observe(fleet).engines)
    applied(fleet, renamed("eth-one", of="eth", stop_policy="flatten"))
    told = fleet.workspace.state / "told" / "eth"
    assert json.loads(told.read_text(encoding="utf-8"))["keep_position"] is True
    assert pids(fleet).keys() == {"eth-one"}
    reaper.join()


def test_a_held_bot_stays_held_under_its_new_name(fleet: Fleet) -> None:
    applied(fleet, bot("eth"))
    stop(fleet, ["eth"], why="lunch")
    declared = renamed("eth-one", of="eth")
    applied(fleet, declared)
    hold = read_hold(fleet.workspace, "eth-one")
    assert hold is not None and (hold.bot, hold.why) == ("eth-one", "lunch")
    assert read_hold(fleet.workspace, "eth") is None
    assert planned(fleet, declared) == [] and pids(fleet) == {}
    assert [one.state for one in fleet_status(observe(fleet))] == ["held"]


def test_a_protected_bot_is_renamed_without_a_word_and_stays_protected(fleet: Fleet) -> None:
    applied(fleet, bot("eth", protected=True), bot("sol", market="ETH_USDC_PERP"))
    others = bot("sol", market="ETH_USDC_PERP")
    applied(fleet, renamed("eth-one", of="eth", protected=True), others)
    assert pids(fleet).keys() == {"eth-one", "sol"}
    with pytest.raises(Refused, match="eth-one is protected, and this would retire it"):
        applied(fleet, others)
    assert pids(fleet).keys() == {"eth-one", "sol"}


def test_the_end_of_a_protected_bot_is_no_rename_because_another_one_begins(fleet: Fleet) -> None:
    applied(fleet, bot("eth", protected=True))
    with pytest.raises(Refused, match="eth is protected"):
        applied(fleet, bot("eth-one"))
    assert pids(fleet).keys() == {"eth"}


@pytest.mark.parametrize(
    ("changes", "why"), [({"market": "ETH_USDC_PERP"}, "another account or market"), ({}, "a journal of its own")]
)
def test_what_is_another_bot_is_not_renamed_and_goes_on(fleet: Fleet, changes: dict[str, str], why: str) -> None:
    applied(fleet, bot("eth"))
    before = pids(fleet)
    if not changes:
        (fleet.workspace.journals / "eth-one").mkdir(parents=True)
        (fleet.workspace.journals / "eth-one" / "some.sqlite").touch()
    with pytest.raises(Refused, match=f"eth cannot be renamed to eth-one: .*{why}"):
        applied(fleet, renamed("eth-one", of="eth", **changes))
    assert pids(fleet) == before
