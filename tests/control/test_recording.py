"""`botctl market record`: what a venue shows is what stands in the file, and what was not seen is a gap."""

from __future__ import annotations

import asyncio
import gzip
import resource
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from engine.clock import NS_PER_S
from engine.commands.calibrate import calibrate
from engine.control.recording import Progress, Recording, public_session
from engine.control.recording_file import RecordingFile
from engine.errors import BotctlError, Conflict, Unavailable
from engine.session.facts import fetch_instrument
from engine.session.tasks import race
from engine.sim.orders import Trade
from engine.sim.recorder import Recorder
from engine.sim.recording import BEST, DEPTH, GAP, TRADE, Levels, RecordedData, parse_line, recorded_lines
from engine.sim.virtual_loop import VirtualLoop
from tests.session.simulated import PLACES, Stage
from tests.sim.desk import PERP, Desk

Weather = Callable[[Stage], Awaitable[None]]


class Recorded(NamedTuple):
    stage: Stage
    told: list[Progress]
    ended: Progress


def record(venue: str, path: Path, seconds: float, weather: Weather | None = None) -> Recorded:
    """Record a simulated venue in virtual time."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)

    async def whole() -> Recorded:
        stage, told = Stage(loop, venue, "1", None), list[Progress]()
        instrument = await fetch_instrument(stage.world, stage.venue, stage.endpoints, stage.place.market)
        with RecordingFile(path) as file:
            recording = Recording(stage.world, Recorder(instrument), file, told.append)
            session = public_session(stage.world, stage.venue, instrument, lambda: stage.endpoints, recording.heard)
            happening = asyncio.ensure_future((weather or _nothing)(stage))
            await race(session.run(), recording.keep(seconds))
            await happening
        return Recorded(stage, told, recording.ended())

    try:
        return loop.run_until_complete(whole())
    finally:
        asyncio.set_event_loop(None)
        loop.close()


async def _nothing(_stage: Stage) -> None: ...


def messages(path: Path) -> list[tuple[int, RecordedData]]:
    return list(map(parse_line, recorded_lines(path)()))


def check_replayed(path: Path) -> None:
    """Every told best is the best of the levels told since the beginning or the last gap, which never cross."""
    sides: tuple[dict[float, str], dict[float, str]] = ({}, {})
    expected: tuple[str, str] | None = None
    for _, message in messages(path):
        if message.e == GAP:
            sides, expected = ({}, {}), None
        elif message.e == BEST:
            assert isinstance(message.b, str) and isinstance(message.a, str)
            expected = (message.b, message.a)
        elif message.e == DEPTH:
            for levels, side in zip((message.b, message.a), sides, strict=True):
                _apply(side, levels)
            assert expected is not None, "the best prices go first"
            assert (max(sides[0]), min(sides[1])) == (float(expected[0]), float(expected[1]))


def _apply(side: dict[float, str], levels: str | Levels) -> None:
    assert isinstance(levels, tuple)
    for price, size in levels:
        side.pop(float(price), None)
        if float(size):
            side[float(price)] = size


def printed(trade: Trade, stage: Stage) -> tuple[float, float, bool]:
    instrument = stage.machine.exchange.markets[stage.place.market].market.instrument
    return float(instrument.price(trade.ticks)), float(instrument.size(trade.lots)), trade.buyer_is_maker


@pytest.mark.parametrize("venue", PLACES)
def test_what_a_venue_shows_is_what_is_recorded(venue: str, tmp_path: Path) -> None:
    path = tmp_path / "market.txt"
    found = record(venue, path, 20)
    check_replayed(path)
    said = messages(path)
    trades = [(float(one.p), float(one.q), one.m) for _, one in said if one.e == TRADE]
    tape = list(found.stage.machine.exchange.markets[found.stage.place.market].tape.trades)
    everybodys = [printed(trade, found.stage) for trade in tape]
    started = everybodys.index(trades[0])
    assert len(trades) > 10 and trades == everybodys[started : started + len(trades)]
    assert len(everybodys) - started - len(trades) <= 2, "only what was still on its way is missing"
    assert [at for at, _ in said] == sorted(at for at, _ in said)
    assert (found.ended.books, found.ended.trades, found.ended.gaps) == (
        sum(one.e == DEPTH for _, one in said),
        len(trades),
        0,
    )


@pytest.mark.parametrize("venue", PLACES)
def test_a_lost_socket_is_a_gap_and_after_it_the_book_is_told_anew(venue: str, tmp_path: Path) -> None:
    path = tmp_path / "market.txt"

    async def storm(stage: Stage) -> None:
        await stage.wait(10)
        stage.switch(disconnect=1.0)
        await stage.wait(5)
        stage.switch()

    found = record(venue, path, 40, storm)
    assert found.ended.gaps >= 1 and found.ended.lost_because == ""
    kinds = [message.e for _, message in messages(path)]
    assert kinds.count(GAP) == found.ended.gaps
    told_again = [kind for kind in kinds[kinds.index(GAP) + 1 :] if kind != TRADE]
    assert told_again[:2] == [BEST, DEPTH] and told_again.count(DEPTH) > 10
    check_replayed(path)


def test_frames_lost_on_the_way_are_gaps_too(tmp_path: Path) -> None:
    async def rain(stage: Stage) -> None:
        stage.switch(drop=0.1)

    found = record("backpack", tmp_path / "market.txt", 60, rain)
    assert found.ended.gaps > 1
    check_replayed(tmp_path / "market.txt")


def test_what_was_recorded_is_calibrated_from_and_drives_a_simulated_market(tmp_path: Path) -> None:
    path = tmp_path / "market.gz"
    record("backpack", path, 300)
    found = calibrate(path, 1)
    assert found.seconds == pytest.approx(300, abs=5)
    assert found.volatility_bps > 0 and found.order_book_liquidity > 0 and found.trades > 100
    desk = Desk(recording=recorded_lines(path), speed="1")
    socket = desk.open_socket(f"trade.{PERP}", f"depth.{PERP}")
    desk.run(60)
    said = messages(path)
    recorded = sum(message.e == TRADE for at, message in said if at < said[0][0] + 60 * NS_PER_S)
    assert len(desk.frames(socket, f"trade.{PERP}")) > recorded / 2 > 10
    assert len(desk.frames(socket, f"depth.{PERP}")) > 50


def test_a_recording_is_on_disk_every_second_while_it_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "market.gz"
    seen = list[int]()

    async def look(stage: Stage) -> None:
        for _ in range(4):
            await stage.wait(5)
            seen.append(len(messages(path)))

    found = record("backpack", path, 30, look)
    assert seen == sorted(set(seen)) and seen[0] > 0
    assert [round(progress.seconds) for progress in found.told] == list(range(1, 31))


def test_where_nothing_is_heard_nothing_is_left_behind(tmp_path: Path) -> None:
    async def dead(stage: Stage) -> None:
        stage.switch(drop=1.0)

    with pytest.raises(Unavailable, match="nothing was recorded in 20 s: no book has come yet"):
        record("lighter", tmp_path / "market.gz", 20, dead)
    assert not (tmp_path / "market.gz").exists()


@pytest.mark.parametrize("name", ["market.txt", "market.gz"])
def test_a_full_disk_ends_a_recording_and_keeps_what_came_before(name: str, tmp_path: Path) -> None:
    path, lines = tmp_path / name, [f'{at} {{"data":{{"e":"trade","p":"{at**9}"}}}}\n' for at in range(40_000)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, hard))
    try:
        with (
            pytest.raises(BotctlError, match="cannot be written any further") as caught,
            RecordingFile(path) as file,
        ):
            file.write(lines)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "free disk space" in (caught.value.hint or "")
    kept = [at for at, _ in messages(path)]
    assert len(kept) > 1_000 and kept == list(range(len(kept)))


def test_a_recording_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "market.txt"
    path.write_text("mine")
    with pytest.raises(Conflict, match="exists already"):
        RecordingFile(path)
    assert path.read_text() == "mine"
    with pytest.raises(BotctlError, match="cannot be made"):
        RecordingFile(tmp_path / "nowhere" / "market.txt")


@pytest.mark.parametrize("ending", ["", "7", '7 {"data":{"e":"trade"}', '7 {"data":{"e":"trade"}}'])
def test_a_last_line_counts_only_where_it_is_whole(ending: str, tmp_path: Path) -> None:
    path = tmp_path / "market.txt"
    path.write_text('5 {"data":{"e":"gap"}}\n' + ending)
    assert [at for at, _ in messages(path)] == ([5, 7] if ending.endswith("}}") else [5])


def test_a_compressed_recording_without_its_end_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.gz", tmp_path / "cut.gz"
    with gzip.open(whole, "wt") as stream:
        stream.writelines(f'{at} {{"data":{{"e":"trade","p":"{at**9}"}}}}\n' for at in range(5_000))
    cut.write_bytes(whole.read_bytes()[:-5_000])
    kept = [at for at, _ in messages(cut)]
    assert 1_000 < len(kept) < 5_000 and kept == list(range(len(kept)))
