"""One fleet for all rounds of the suite: starting it takes longer than a round."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fire.ground import Ground


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    ground = Ground()
    try:
        ground.open()
        yield ground
    finally:
        ground.close()
