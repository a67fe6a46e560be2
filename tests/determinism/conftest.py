from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.determinism.play import Play

MakePlay = Callable[..., Play]


@pytest.fixture
def make_play(tmp_path: Path) -> Iterator[MakePlay]:
    """Makes plays that know nothing of each other: every one has its own directory."""
    plays: list[Play] = []

    def make(*, seed: int) -> Play:
        plays.append(Play(tmp_path / str(len(plays)), seed=seed))
        return plays[-1]

    yield make
    for play in plays:
        play.close()
