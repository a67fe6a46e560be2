"""A disk with no room for one more byte, under a fleet that trades: it stops, can be halted, and comes back."""

from __future__ import annotations

import pytest

from engine.host.locks import is_free, read_holder
from tests.e2e.botctl import until
from tests.fire.campaign import Campaign
from tests.fire.ground import Ground

pytestmark = pytest.mark.timeout(400)


def next_life(ground: Ground, bot: str, earlier: int | None) -> int | None:
    """The engine's process once it is another one that holds the bot's lock to trade."""
    file = ground.botctl.workspace.locks / bot
    holder = None if is_free(file) else read_holder(file)
    return holder.pid if holder and not holder.passing and holder.pid != earlier else None


def test_a_full_disk_stops_trading_and_loses_nothing(ground: Ground) -> None:
    if not ground.has_small_disk:
        pytest.skip("a disk that can be filled must be mounted, which takes root (and the right to mount)")
    judge = Campaign(ground).judge
    assert judge.settle() == []
    before = {bot: ground.engine(bot) for bot in ("sol", "btc")}
    ground.fill_disk()
    until(lambda: judge.nothing_rests())
    for bot, pid in before.items():
        until(lambda bot=bot, pid=pid: next_life(ground, bot, pid))  # type: ignore[misc] # bound now
    said = ground.botctl("halt", "--why", "no room", code=1)
    assert "sol not done: the journal cannot be written" in said
    assert "it is not held (No space left on device): free disk space, then halt it again" in said
    assert judge.nothing_rests()
    ground.free_disk()
    ground.botctl("halt", "--why", "room again")
    ground.forgive()
    ground.botctl("start", "--all")
    assert judge.settle() == []
