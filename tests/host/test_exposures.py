"""Claims on a budget that several bots share: together never more than the limit, whoever asks first."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.host import exposures
from engine.host.exposures import NAME, Exposures, Words, forget
from engine.host.locks import exclusive
from engine.model.budgets import Claim, Share
from engine.spec.types import BudgetSpec

BUDGET = BudgetSpec(max_net_exposure_usd=Decimal(100), max_gross_exposure_usd=Decimal(150))
NOTHING = Claim()
DAY = 20_000


def both(long: int, short: int) -> Claim:
    return Claim(long_usd=Decimal(long), short_usd=Decimal(short), gross_usd=Decimal(max(long, short)))


def claim(
    place: Path, bot: str, wants: Claim, *, has: Claim = NOTHING, day: int = DAY, pnl: str = "0"
) -> Share | None:
    said = Words(claim=has, day=day, day_pnl_usd=Decimal(pnl))
    return Exposures(place, f"fleet/{bot}").claim(BUDGET, said, wants)


def granted(share: Share | None) -> tuple[int, int, int]:
    assert share is not None and share.long_usd is not None
    assert share.short_usd is not None and share.gross_usd is not None
    return int(share.long_usd), int(share.short_usd), int(share.gross_usd)


def test_two_bots_cannot_both_take_the_last_room(tmp_path: Path) -> None:
    assert granted(claim(tmp_path, "a", both(80, 0))) == (80, 0, 80)
    assert granted(claim(tmp_path, "b", both(80, 0))) == (20, 0, 70)
    assert granted(claim(tmp_path, "a", both(30, 0))) == (30, 0, 30)
    assert granted(claim(tmp_path, "b", both(80, 0))) == (70, 0, 80)


def test_a_short_bot_makes_net_room_for_a_long_one_but_no_gross(tmp_path: Path) -> None:
    claim(tmp_path, "a", both(-90, 90), has=both(-90, 90))
    assert granted(claim(tmp_path, "b", both(170, 0))) == (170, 0, 60)


def test_what_is_had_is_had_although_the_others_left_less(tmp_path: Path) -> None:
    claim(tmp_path, "a", both(90, 0))
    share = claim(tmp_path, "b", both(60, 0), has=both(40, 0))
    assert share is not None and share.claimed.long_usd == 90 + 40


def test_what_is_had_beyond_the_limit_is_no_room_when_it_turns_out_to_be_less(tmp_path: Path) -> None:
    """A fill counts twice, as position and as open order, until both figures agree."""
    claim(tmp_path, "a", both(90, 0))
    assert granted(claim(tmp_path, "b", both(60, 0), has=both(80, 0))) == (10, 0, 60)


def test_a_dead_bots_last_words_count_until_it_speaks_again(tmp_path: Path) -> None:
    claim(tmp_path, "dead", both(100, 0), has=both(70, 0), pnl="-40")
    for _ in range(3):
        share = claim(tmp_path, "b", both(50, 0))
        assert granted(share) == (0, 0, 50)
        assert share is not None and share.others_day_pnl_usd == -40
    claim(tmp_path, "dead", NOTHING)
    assert granted(claim(tmp_path, "b", both(50, 0))) == (50, 0, 50)


def test_yesterdays_loss_is_not_todays(tmp_path: Path) -> None:
    claim(tmp_path, "a", NOTHING, day=DAY - 1, pnl="-40")
    share = claim(tmp_path, "b", NOTHING)
    assert share is not None and share.others_day_pnl_usd == 0


def test_a_destroyed_bot_leaves_the_budget(tmp_path: Path) -> None:
    claim(tmp_path, "a", both(100, 0), has=both(100, 0))
    forget(tmp_path, "fleet/a")
    forget(tmp_path / "elsewhere", "fleet/a")
    assert granted(claim(tmp_path, "b", both(100, 0))) == (100, 0, 100)


def test_a_file_that_cannot_be_read_gives_no_share_and_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("{damaged")
    assert claim(tmp_path, "a", both(1, 0)) is None
    assert (tmp_path / NAME).read_text() == "{damaged"


def test_nobody_waits_for_a_frozen_holder_of_the_lock(tmp_path: Path) -> None:
    claim(tmp_path, "a", NOTHING)
    with exclusive((tmp_path / NAME).with_suffix(".lock")):
        assert claim(tmp_path, "b", both(1, 0)) is None
    assert granted(claim(tmp_path, "b", both(1, 0))) == (1, 0, 1)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-200, 200), st.integers(0, 200)), max_size=30))
def test_whatever_is_asked_in_whatever_order_all_claims_fit(
    asked: list[tuple[str, int, int]],
) -> None:
    with TemporaryDirectory() as directory:
        for bot, position, open_each_side in asked:
            wants = both(position + open_each_side, open_each_side - position)
            share = claim(Path(directory), bot, wants, has=both(-1_000, -1_000))
            assert share is not None
            assert share.claimed.long_usd <= 100 and share.claimed.short_usd <= 100
            assert share.claimed.gross_usd <= 150


def test_a_budget_that_cannot_be_written_gives_no_share_and_ends_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk a bot goes on cancelling and hedging; whoever hears nothing of its share adds nothing."""
    claim(tmp_path, "a", both(80, 0))

    def full(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(exposures, "write_atomic", full)
        assert claim(tmp_path, "b", both(80, 0)) is None
    assert granted(claim(tmp_path, "b", both(80, 0))) == (20, 0, 70)
