"""A bot that cannot go on: its orders are not left alone with the market."""

from __future__ import annotations

import asyncio
import sqlite3
from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.errors import BotctlError
from engine.runtime import bot as bot_module
from engine.runtime.journal import Journal
from tests.determinism.conftest import MakePlay
from tests.determinism.play import BOT, MARKET
from tests.fleets import bot_spec, write_generation

LIFE_S = 20.0


def full(*_arguments: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def test_a_journal_that_takes_nothing_leaves_no_order_behind(
    make_play: MakePlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = make_play(seed=3)

    async def scene() -> None:
        life = asyncio.create_task(play.process(play.world()).live())
        await asyncio.sleep(LIFE_S)
        await play.resting()
        monkeypatch.setattr(Journal, "_write", full)
        with pytest.raises(BotctlError, match="the journal cannot be written"):
            await life
        assert play.resting_at_venue() == []
        monkeypatch.undo()
        await play.live_and_die(for_s=LIFE_S, leaving_orders=True)
        assert {order.request.client_id for order in play.live_in_journal()} >= set(play.resting_at_venue())
        assert len(play.resting_at_venue()) <= 6

    play.run(scene())


def test_a_journal_that_cannot_be_folded_stops_nothing(
    make_play: MakePlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = make_play(seed=3)

    def broken(*_arguments: object) -> None:
        raise BotctlError("the journal cannot be written: disk full")

    async def scene() -> None:
        monkeypatch.setattr(bot_module, "checkpoint", broken)
        process = play.process(play.world())
        life = asyncio.create_task(process.live())
        await asyncio.sleep(2 * bot_module.CHECKPOINT_S + LIFE_S)
        assert process.state == "running"
        process.request_stop("the play is over")
        await life

    play.run(scene())


def test_lives_shorter_than_the_interval_fold_the_journal_too(
    make_play: MakePlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    folded: list[object] = []
    monkeypatch.setattr(bot_module, "checkpoint", lambda _world, path: folded.append(path))
    play = make_play(seed=3)
    assert LIFE_S < bot_module.CHECKPOINT_S
    play.run(play.live_and_die(for_s=LIFE_S))
    assert len(folded) == 1


def test_a_data_age_nobody_can_keep_stops_quoting_and_not_the_bot(make_play: MakePlay) -> None:
    play = make_play(seed=3)

    async def scene() -> None:
        process = play.process(play.world())
        life = asyncio.create_task(process.live())
        await asyncio.sleep(LIFE_S)
        spec = bot_spec(BOT, market=MARKET)
        risk = replace(spec.risk, max_data_age_s=Decimal("0.000000001"))
        write_generation(play.workspace, {BOT: replace(spec, risk=risk)}, number=2)
        process.take(process.read_applied())
        await asyncio.wait((life,), timeout=1.0)
        assert process.state == "running"
        process.request_stop("the play is over")
        await life

    play.run(scene())
