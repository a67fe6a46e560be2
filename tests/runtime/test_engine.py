"""The engine as supervisor starts it: a real process, real sockets, the simulated Backpack."""

from __future__ import annotations

import json
import signal
import sqlite3
import stat
from contextlib import closing
from decimal import Decimal

import msgspec
import pytest

from engine.errors import BotctlError
from engine.host.finished import read_finished
from engine.host.holds import Hold, HoldKind, place_hold, read_hold
from engine.host.tags import claim_tag
from engine.spec.types import BotSpec
from tests.fleets import bot_spec, write_generation
from tests.runtime.conftest import Stage, until

CONTRACT = {
    "name", "pid", "state", "fingerprint", "generation", "legs", "hedge", "started_ns", "risk", "stakes", "keys"
}  # fmt: skip
LEG_CONTRACT = {
    "venue", "account", "market", "ready", "why_not", "orders", "fills", "position", "bid", "ask", "unresolved",
    "realised_pnl", "unrealised_pnl", "fees", "rebates", "equity", "peak_drawdown",
}  # fmt: skip
HEAVY = ("httpx", "yaml", "jsonschema", "jinja2", "typer", "click", "rich", "numpy", "supervisor")


def quoting(stage: Stage, orders: int = 6) -> dict[str, object]:
    """Wait until all quotes rest."""
    return dict(until(lambda: (leg := stage.leg()).get("orders") == orders and leg))


def changed(spec: BotSpec, **process: object) -> BotSpec:
    return msgspec.structs.replace(spec, process=msgspec.structs.replace(spec.process, **process))


def test_a_bot_trades_obeys_its_control_socket_and_leaves_nothing_behind(stage: Stage) -> None:
    stage.apply(bot_spec())
    stage.simulate()
    engine = stage.engine()
    leg = quoting(stage)
    status = stage.ask("status")
    assert (set(status), set(leg) >= LEG_CONTRACT) == (CONTRACT, True)
    assert (status["name"], status["pid"], status["state"]) == ("maker", engine.pid, "running")
    assert (leg["account"], leg["market"], leg["ready"]) == ("main", "SOL_USDC", True)
    assert set(leg["budget"]["requests"]) == {"used_per_minute", "limit_per_minute", "pace"}
    assert leg["budget"]["requests"]["limit_per_minute"] == 2_000
    assert until(lambda: stage.leg()["budget"]["requests"]["used_per_minute"]) > 0
    assert stat.S_IMODE((stage.workspace.runtime_dir / "maker.sock").stat().st_mode) == 0o600

    write_generation(stage.workspace, {"maker": bot_spec(layers=2)}, number=2)
    reply = stage.ask("reload", generation=2)
    assert reply["fingerprint"] == stage.ask("status")["fingerprint"] != status["fingerprint"]
    quoting(stage, orders=4)
    assert stage.ask("status")["pid"] == engine.pid

    assert stage.ask("pause", who="ann", why="news")["state"] == "paused"
    until(lambda: stage.leg()["orders"] == 0)
    stage.ask("resume", who="ann")
    quoting(stage, orders=4)
    assert stage.ask("drain", who="ann", why="news")["legs"]["main"]["orders"] == 0

    stage.ask("resume", who="ann")
    quoting(stage, orders=4)
    engine.send_signal(signal.SIGTERM)
    output = engine.communicate(timeout=30)
    assert (engine.returncode, output) == (0, ("", ""))
    assert not (stage.workspace.runtime_dir / "maker.sock").exists()
    assert live_orders(stage) == 0
    lines = (stage.workspace.logs / "maker.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["message"] == "stopped"


def live_orders(stage: Stage) -> int:
    (file,) = (stage.workspace.journals / "maker").glob("*.sqlite")
    with closing(sqlite3.connect(file)) as reader:
        return int(reader.execute("SELECT count(*) FROM orders WHERE done = 0").fetchone()[0])


def test_a_killed_bot_comes_back_to_exactly_its_orders_and_a_second_runner_is_refused(stage: Stage) -> None:
    stage.apply(bot_spec(), bot_spec("twin"))
    stage.simulate()
    first = stage.engine()
    quoting(stage)
    for bot in ("maker", "twin"):
        second = stage.engine(bot)
        _, words = second.communicate(timeout=30)
        assert second.returncode == 4
        assert f"process {first.pid} of {stage.workspace.root}" in words
    first.kill()
    first.communicate()
    stage.engine()
    quoting(stage)
    until(lambda: live_orders(stage) == 6)


def test_a_reload_to_another_market_or_generation_is_refused_and_the_bot_goes_on(stage: Stage) -> None:
    stage.apply(bot_spec())
    stage.simulate()
    stage.engine()
    quoting(stage)
    before = stage.ask("status")["fingerprint"]
    stage.apply(bot_spec(market="SOL_USDC_PERP"))
    with pytest.raises(BotctlError, match="do not change in place"):
        stage.ask("reload")
    with pytest.raises(BotctlError, match="the current generation is 1, not 7"):
        stage.ask("reload", generation=7)
    assert stage.ask("status")["fingerprint"] == before


def test_a_bot_with_a_duration_finishes_and_is_remembered_as_finished(stage: Stage) -> None:
    stage.apply(changed(bot_spec(), duration_s=Decimal("1.5")))
    stage.simulate()
    engine = stage.engine()
    engine.communicate(timeout=30)
    finished = read_finished(stage.workspace, "maker")
    assert engine.returncode == 0
    assert finished is not None
    assert finished.why == "duration is over"
    assert live_orders(stage) == 0


def test_a_bot_whose_simulator_was_started_anew_ends_to_begin_a_new_journal(stage: Stage) -> None:
    stage.apply(bot_spec())
    simulator = stage.simulate()
    engine = stage.engine()
    quoting(stage)
    simulator.kill()
    simulator.communicate()
    stage.simulate()
    _, words = engine.communicate(timeout=60)
    assert (engine.returncode, "was started anew" in words) == (1, True)


def test_a_bot_that_crashes_once_too_often_cancels_its_orders_and_is_held(stage: Stage) -> None:
    stage.apply(changed(bot_spec(), max_restarts_per_hour=1))
    stage.simulate()
    engine = stage.engine()
    quoting(stage)
    engine.kill()
    engine.communicate()
    assert live_orders(stage) > 0
    again = stage.engine()
    again.communicate(timeout=30)
    assert again.returncode == 0, "its supervisor leaves it alone"
    hold = read_hold(stage.workspace, "maker")
    assert hold is not None and hold.kind is HoldKind.TRIP
    assert hold.why == "it started 2 times within an hour, more than 1"
    assert live_orders(stage) == 0


def test_a_missing_journal_of_a_bot_that_sent_orders_is_refused_with_the_way_out(stage: Stage) -> None:
    stage.apply(bot_spec())
    stage.simulate()
    engine = stage.engine()
    quoting(stage)
    engine.kill()
    engine.communicate()
    for file in (stage.workspace.journals / "maker").iterdir():
        file.unlink()
    for _ in range(2):
        again = stage.engine()
        _, words = again.communicate(timeout=30)
        assert again.returncode == 4
        assert "would be forgotten" in words
    assert "botctl destroy maker" in (stage.workspace.logs / "maker.jsonl").read_text()


def test_a_registry_that_was_lost_learns_the_tag_from_the_journal(stage: Stage) -> None:
    stage.apply(bot_spec())
    stage.simulate()
    engine = stage.engine()
    quoting(stage)
    engine.kill()
    engine.communicate()
    ((registry,),) = [list((stage.workspace.root.parent / "host").rglob("tags.json"))]
    tag = json.loads(registry.read_text())[0]["number"]
    registry.unlink()
    stage.engine()
    quoting(stage)
    assert json.loads(registry.read_text())[0]["number"] == tag


def test_a_tag_that_went_to_another_bot_stops_the_one_whose_journal_uses_it(stage: Stage) -> None:
    stage.apply(bot_spec())
    stage.simulate()
    engine = stage.engine()
    quoting(stage)
    engine.kill()
    engine.communicate()
    ((registry,),) = [list((stage.workspace.root.parent / "host").rglob("tags.json"))]
    tag = json.loads(registry.read_text())[0]["number"]
    registry.unlink()
    claim_tag(registry.parent, "other/bot", max_tag=255, choose=lambda _free: tag)
    again = stage.engine()
    _, words = again.communicate(timeout=30)
    assert again.returncode == 4
    assert f"under owner tag {tag}" in words


@pytest.mark.parametrize("kind", [HoldKind.STOP, HoldKind.HALT, HoldKind.TRIP])
def test_a_held_bot_does_not_even_connect_and_ends_well(stage: Stage, kind: HoldKind) -> None:
    stage.apply(bot_spec())
    place_hold(stage.workspace, Hold(bot="maker", kind=kind, who="ann", since_ns=1, why="holiday"))
    engine = stage.engine()
    assert engine.communicate(timeout=30) == ("", "")
    assert engine.returncode == 0
    (line,) = (stage.workspace.logs / "maker.jsonl").read_text().splitlines()
    assert {"message": "the bot is held", "who": "ann", "why": "holiday"}.items() <= json.loads(line).items()


def test_a_paused_bot_starts_without_quoting_until_it_is_resumed(stage: Stage) -> None:
    stage.apply(bot_spec())
    stage.simulate()
    place_hold(stage.workspace, Hold(bot="maker", kind=HoldKind.PAUSE, who="ann", since_ns=1, why="news"))
    stage.engine()
    until(lambda: stage.leg().get("ready"))
    assert stage.ask("status")["state"] == "paused"
    assert stage.leg()["orders"] == 0
    stage.ask("resume", who="ann")
    quoting(stage)


def test_a_bot_without_its_venue_waits_tells_so_and_can_be_stopped(stage: Stage) -> None:
    stage.apply(bot_spec())
    engine = stage.engine()
    until((stage.workspace.runtime_dir / "maker.sock").exists)
    assert stage.ask("status")["state"] == "starting"
    with pytest.raises(BotctlError, match="still starting"):
        stage.ask("pause")
    stage.ask("stop", why="no venue")
    said = engine.communicate(timeout=30)
    assert engine.returncode == 0, said


def damaged_hold(stage: Stage) -> None:
    stage.workspace.holds.mkdir(parents=True)
    (stage.workspace.holds / "maker.json").write_text("{")


def damaged_generation(stage: Stage) -> None:
    (stage.workspace.current / "bots" / "maker.json").write_text("{")


def not_applied(stage: Stage) -> None:
    stage.apply(bot_spec("other"))
    (stage.workspace.current / "bots" / "maker.json").unlink()


@pytest.mark.parametrize(("damage", "code"), [(damaged_hold, 4), (damaged_generation, 4), (not_applied, 3)])
def test_what_a_restart_cannot_cure_ends_with_a_code_that_is_not_restarted(
    stage: Stage, damage: object, code: int
) -> None:
    stage.apply(bot_spec())
    assert callable(damage)
    damage(stage)
    engine = stage.engine()
    stdout, stderr = engine.communicate(timeout=30)
    assert (engine.returncode, stdout, stderr.count("\n")) == (code, "", 1)
    assert stderr.startswith("error: ")


def test_a_wrong_command_line_is_a_usage_error(stage: Stage) -> None:
    engine = stage.start("engine.runtime.launch")
    assert "usage: botctl-engine STATE_DIR BOT" in engine.communicate(timeout=30)[1]
    assert engine.returncode == 64


def test_a_process_that_keeps_crashing_delays_its_own_start(stage: Stage) -> None:
    stage.apply(bot_spec())
    log = stage.workspace.logs / "maker.jsonl"
    for start in range(3):
        engine = stage.engine()
        until((stage.workspace.runtime_dir / "maker.sock").exists)
        if start == 2:
            until(lambda: "waiting after crashes" in log.read_text())
        engine.kill()
        engine.communicate()
        (stage.workspace.runtime_dir / "maker.sock").unlink()
    assert log.read_text().count("waiting after crashes") == 1


def test_a_quoting_engine_has_imported_nothing_heavy(stage: Stage) -> None:
    stage.apply(bot_spec())
    stage.simulate()
    script = (
        "import asyncio, sys; from engine.runtime import main, process\n"
        "end = process.BotProcess._end\n"
        "async def report(self, bot):\n"
        "    await bot.until(lambda: bot.live_orders > 0); print(' '.join(sys.modules), flush=True)\n"
        "    self.request_stop('seen'); await end(self, bot)\n"
        "process.BotProcess._end = report; sys.exit(main.main())"
    )
    engine = stage.script(script, "maker")
    modules, words = engine.communicate(timeout=60)
    assert engine.returncode == 0, words
    roots = {name.partition(".")[0] for name in modules.split()}
    assert "asyncio" in roots
    assert roots.isdisjoint(HEAVY)
    assert not any(name.startswith(("engine.sim", "engine.control", "engine.commands")) for name in modules.split())
