"""A plan in a file is that plan and no other: whole, for one fleet, for a while, and only while it fits."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Conflict, StalePlan, StateDamaged
from engine.plan.actions import Plan
from engine.plan.desired import Desired
from engine.plan.diff import diff
from engine.plan.observed import Observed
from engine.plan.saved import SavedPlan, decode, digest, encode
from engine.spec.types import BotSpec
from tests.plan import fleets
from tests.plan.presents import carried_out, fleets_of_specs, presents, seeds

HOUR_NS = 3_600_000_000_000


def saved(plan: Plan, desired: Desired, *, only: tuple[str, ...] = (), tolerance_pct: int = 10) -> SavedPlan:
    return SavedPlan(
        botctl="0.1",
        who="ann",
        made_ns=1_000,
        expires_ns=1_000 + HOUR_NS,
        plan=plan,
        desired=desired,
        only=only,
        tolerance_pct=Decimal(tolerance_pct),
    )


def flattening(position: str, *, priced: bool = True) -> tuple[Desired, Observed]:
    """A bot whose file is gone and whose stop takes its position out of the market."""
    bot = fleets.spec("sol", stop_policy="flatten")
    return fleets.desired(), fleets.running(bot, position=position, priced=priced)


@given(old=presents(), new=fleets_of_specs, seed=seeds)
def test_a_plan_comes_back_from_its_file_as_it_went_in(old: Observed, new: list[BotSpec], seed: int | None) -> None:
    desired = fleets.desired(*new, sim_seed=seed)
    plan = saved(diff(desired, old), desired, only=("alpha",))
    assert decode(encode(plan), name="a plan") == plan


@given(new=fleets_of_specs, data=st.data())
def test_a_flipped_bit_anywhere_is_noticed(new: list[BotSpec], data: st.DataObject) -> None:
    desired = fleets.desired(*new)
    content = bytearray(encode(saved(diff(desired, Observed()), desired)))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(StateDamaged) as raised:
        decode(bytes(content), name="p.botplan")
    assert "p.botplan" in raised.value.message and "botctl plan -o" in str(raised.value.hint)


@given(cut=st.integers(0, 400))
def test_a_plan_that_was_cut_off_is_noticed(cut: int) -> None:
    desired = fleets.desired(fleets.spec("sol"))
    content = encode(saved(diff(desired, Observed()), desired))
    with pytest.raises(StateDamaged):
        decode(content[: min(cut, len(content) - 1)], name="p.botplan")


def test_what_is_whole_and_yet_no_plan_of_this_version_says_so() -> None:
    body = b'{"plan": "of a later botctl"}\n'
    content = b"botplan 1 sha256:" + digest(b"\n" + body).encode() + b"\n" + body
    with pytest.raises(StateDamaged, match="written by another botctl"):
        decode(content, name="p.botplan")


@given(old=presents(), new=fleets_of_specs)
def test_a_plan_fits_the_present_it_was_made_in_and_never_twice(old: Observed, new: list[BotSpec]) -> None:
    desired = fleets.desired(*new)
    plan = saved(diff(desired, old), desired)
    plan.require_same(diff(desired, old))
    if plan.plan.changes:
        with pytest.raises(StalePlan):
            plan.require_same(diff(desired, carried_out(desired, old, plan.plan)))


def test_moving_process_ids_make_no_plan_stale() -> None:
    bot = fleets.spec("sol")
    desired = fleets.desired(fleets.spec("sol", spread_bps="12"))
    plan = saved(diff(desired, fleets.running(bot, pid=1)), desired)
    plan.require_same(diff(desired, fleets.running(bot, pid=2)))


def test_another_generation_makes_a_plan_stale() -> None:
    bot = fleets.spec("sol")
    desired = fleets.desired(fleets.spec("sol", spread_bps="12"))
    seen = fleets.running(bot)
    assert seen.applied is not None
    later = msgspec.structs.replace(seen, applied=msgspec.structs.replace(seen.applied, generation=4))
    with pytest.raises(StalePlan, match="generation 4 is in force, and it was made against 3"):
        saved(diff(desired, seen), desired).require_same(diff(desired, later))


def test_an_expired_plan_is_refused_and_says_when_it_ended() -> None:
    desired = fleets.desired()
    plan = saved(diff(desired, Observed()), desired)
    plan.require_mine("lab", HOUR_NS)
    with pytest.raises(StalePlan, match="expired at 1970-01-01T01:00:00") as raised:
        plan.require_mine("lab", 1_000 + HOUR_NS)
    assert raised.value.exit_code == 4 and raised.value.hint


def test_the_plan_of_another_fleet_is_refused() -> None:
    desired = fleets.desired()
    with pytest.raises(Conflict, match="a plan for the fleet lab, and here is the fleet desk") as raised:
        saved(diff(desired, Observed()), desired).require_mine("desk", 0)
    assert raised.value.exit_code == 4


@pytest.mark.parametrize(("before", "now", "is_stale"), [
    ("-1.5", "-1.6", False),
    ("-1.5", "-1.7", True),
    ("-1.5", "1.5", True),
    ("0", "0", False),
    ("0", "0.1", True),
])  # fmt: skip
def test_money_that_leaves_the_market_may_move_within_the_tolerance(before: str, now: str, is_stale: bool) -> None:
    desired, then = flattening(before)
    plan = saved(diff(desired, then), desired)
    present = diff(desired, flattening(now)[1])
    if is_stale:
        with pytest.raises(StalePlan, match="the money at stake moved by more than 10 %: sol"):
            plan.require_same(present)
    else:
        plan.require_same(present)


def test_a_position_that_became_unknown_is_not_the_one_that_was_agreed_to() -> None:
    desired, then = flattening("-1.5")
    with pytest.raises(StalePlan, match="money"):
        saved(diff(desired, then), desired).require_same(diff(desired, flattening("-1.5", priced=False)[1]))


def test_a_position_that_stays_may_move_as_it_likes() -> None:
    bot = fleets.spec("sol", stop_policy="keep")
    plan = saved(diff(fleets.desired(), fleets.running(bot, position="1")), fleets.desired())
    plan.require_same(diff(fleets.desired(), fleets.running(bot, position="5")))
