"""One seed, one story: the same bot against the same venue does the same things at the same nanoseconds."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from tests.determinism.conftest import MakePlay
from tests.determinism.play import Play

SECONDS = 30


def story(play: Play) -> str:
    """Everything that can be known of a play, in one digest."""
    return sha256(repr((play.rows(), play.said_by_venue())).encode()).hexdigest()


def test_two_plays_with_one_seed_have_identical_journals_and_venue_outputs(make_play: MakePlay) -> None:
    first, second = make_play(seed=7), make_play(seed=7)
    first.run(first.live_and_die(for_s=SECONDS))
    second.run(second.live_and_die(for_s=SECONDS))
    assert first.rows() == second.rows()
    assert first.said_by_venue() == second.said_by_venue()
    rows = first.rows()
    assert len(rows["orders"]) > 100
    assert len(rows["fills"]) > 10


def test_another_seed_tells_another_story(make_play: MakePlay) -> None:
    first, second = make_play(seed=7), make_play(seed=8)
    first.run(first.live_and_die(for_s=20))
    second.run(second.live_and_die(for_s=20))
    assert story(first) != story(second)


def test_the_story_does_not_hang_on_hash_seeds_or_on_the_process(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.determinism.play import Play\n"
        "from tests.determinism.test_same_seed import story\n"
        "play = Play(Path(sys.argv[1]), seed=7); play.run(play.live_and_die(for_s=20)); print(story(play))"
    )
    stories = set()
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", script, str(tmp_path / hash_seed)]
        stories.add(subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120).stdout)
    assert len(stories) == 1


def test_an_hour_of_waiting_for_a_venue_takes_no_time(make_play: MakePlay) -> None:
    play = make_play(seed=7)
    (play.workspace.sim / "backpack.json").unlink()
    play.run(play.live_and_die(for_s=3500))
    assert play.network.elapsed_ns >= 3500 * 10**9
    assert play.said_by_venue() == []
