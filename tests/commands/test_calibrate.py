"""`botctl calibrate` finds the parameters that a recording was made with, and refuses one that says too little."""

from __future__ import annotations

import gzip
import json
from math import sqrt
from pathlib import Path
from random import Random

import pytest

import cli
from engine.clock import NS_PER_S

EXCERPT = Path(__file__).parents[1] / "data" / "btcusdt_excerpt.gz"


def message(at_s: float, **data: object) -> str:
    return f"{round(at_s * NS_PER_S)} {json.dumps({'data': data})}\n"


def best(at_s: float, mid: float) -> str:
    return message(at_s, e="bookTicker", b=f"{mid - 0.01:.6f}", a=f"{mid + 0.01:.6f}")


def record(path: Path, *, seconds: int, arrivals: float, liquidity: float, volatility: float = 0.2) -> Path:
    """A market whose fills thin out exactly as the models assume."""
    random, mid, lines = Random(5), 1_000.0, []
    for second in range(seconds):
        mid *= 1 + random.choice((-1, 1)) * volatility / 10_000
        lines.append(best(second, mid))
        at_s = second + random.expovariate(2 * arrivals)
        while at_s < second + 1:
            sells = random.random() < 0.5
            away = random.expovariate(liquidity) / 10_000
            lines.append(
                message(at_s, e="trade", p=f"{mid * (1 - away if sells else 1 + away):.6f}", q="1", m=sells)
            )
            at_s += random.expovariate(2 * arrivals)
    with gzip.open(path, "wt") as stream:
        stream.writelines(lines)
    return path


@pytest.mark.parametrize(("arrivals", "liquidity"), [(0.9, 0.3), (2.0, 1.5), (0.3, 0.5)])
def test_what_a_market_was_made_with_is_found_again(
    arrivals: float, liquidity: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = record(tmp_path / "market.gz", seconds=3_600, arrivals=arrivals, liquidity=liquidity)
    assert cli.run(["calibrate", str(recording), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["arrival_rate"] == pytest.approx(arrivals, rel=0.1)
    assert found["order_book_liquidity"] == pytest.approx(liquidity, rel=0.1)
    assert found["volatility_bps"] == pytest.approx(0.2, rel=0.02)
    assert found["volatility_bps_per_minute"] == pytest.approx(0.2 * sqrt(60), rel=0.02)
    assert found["suggested_spread_bps"] == pytest.approx(2 / found["order_book_liquidity"], rel=0.05)
    assert found["fit"] > 0.95


def test_people_are_told_the_units(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = record(tmp_path / "market.gz", seconds=600, arrivals=1, liquidity=0.5)
    assert cli.run(["calibrate", str(recording)]) == 0
    shown = capsys.readouterr().out
    assert "order_book_liquidity" in shown and "per bps" in shown and "fills a second at the mid" in shown


def refusal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["botctl", "calibrate", *arguments])
    return cli.main(), capsys.readouterr().err


def test_time_in_which_the_book_was_not_known_is_no_market(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same market with an hour's gap in the middle, over which its mid doubled."""
    whole = record(tmp_path / "whole.gz", seconds=1_200, arrivals=1, liquidity=0.5)
    lines = gzip.decompress(whole.read_bytes()).decode().splitlines(keepends=True)
    middle = next(n for n, line in enumerate(lines) if int(line.split()[0]) > 600 * NS_PER_S)
    later = []
    for line in lines[middle:]:
        at, _, text = line.partition(" ")
        said = json.loads(text)["data"]
        moved = {name: str(2 * float(said[name])) for name in ("a", "b", "p") if name in said}
        later.append(message(int(at) / NS_PER_S + 3_600, **{**said, **moved}))
    broken = tmp_path / "broken.txt"
    broken.write_text("".join([*lines[:middle], message(601, e="gap", why="the socket went"), *later]))
    answers = []
    for recording in (whole, broken):
        assert cli.run(["calibrate", str(recording), "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out)[0])
    assert answers[1]["seconds"] == pytest.approx(answers[0]["seconds"], abs=2)
    for name in ("volatility_bps", "arrival_rate", "order_book_liquidity"):
        assert answers[1][name] == pytest.approx(answers[0][name], rel=0.02)


@pytest.mark.parametrize(
    ("lines", "code", "words"),
    [
        ([best(0, 100), best(50, 100)], 1, "it is 50 s long, and 60 s are the least"),
        ([best(second, 100) for second in range(90)], 1, "its 0 trades reach too few distances"),
        ([best(0, 100), best(700, 100)], 1, "it has a gap of 700 s"),
        ([], 1, "it is 0 s long"),
        (["a line of something else\n"], 3, "not a recorded line"),
    ],
)
def test_a_recording_that_says_too_little_is_refused_with_the_reason(
    lines: list[str],
    code: int,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "market.txt"
    path.write_text("".join(lines))
    exit_code, said = refusal(capsys, monkeypatch, str(path))
    assert exit_code == code and words in said and "hint:" in said


def test_a_real_recording_of_nine_seconds_is_too_short_and_a_missing_one_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "it is 9 s long" in refusal(capsys, monkeypatch, str(EXCERPT))[1]
    assert "there is no recording at" in refusal(capsys, monkeypatch, str(tmp_path / "none.gz"))[1]
