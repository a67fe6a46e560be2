"""Selectors: which bots they mean, and what a plan for some of the bots leaves alone."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Conflict, UsageError
from engine.plan.actions import Subject
from engine.plan.diff import diff
from engine.plan.narrowing import everybody, narrowed
from engine.plan.observed import Observed
from engine.plan.selection import selection
from engine.spec.types import BotSpec, LegSpec
from tests.plan import fleets
from tests.plan.presents import carried_out, fleets_of_specs, presents


def bot(name: str, *, venue: str, account: str, market: str, **labels: str) -> BotSpec:
    leg = LegSpec(venue=venue, account=account, market=market)
    return msgspec.structs.replace(fleets.spec(name, labels=labels), legs={"main": leg})


BOTS = {
    one.name: (one,)
    for one in (
        bot("sol-perp", venue="backpack", account="alpha", market="SOL_USDC_PERP", desk="perp", tier="gold"),
        bot("sol-spot", venue="backpack", account="beta", market="SOL_USDC", desk="spot"),
        bot("eth-perp", venue="paradex", account="gamma", market="ETH-USD-PERP", desk="perp"),
        bot("btc-grid", venue="lighter", account="delta", market="BTC"),
    )
}


@pytest.mark.parametrize(("chosen", "exclude", "meant"), [
    ((), (), "btc-grid eth-perp sol-perp sol-spot"),
    (("sol-spot",), (), "sol-spot"),
    (("sol-*", "btc-grid"), (), "btc-grid sol-perp sol-spot"),
    (("*-perp",), ("venue:paradex",), "sol-perp"),
    (("venue:backpack",), (), "sol-perp sol-spot"),
    (("venue:backpack", "venue:lighter"), (), "btc-grid sol-perp sol-spot"),
    (("account:gamma",), (), "eth-perp"),
    (("market:SOL*",), (), "sol-perp sol-spot"),
    (("label:desk",), (), "eth-perp sol-perp sol-spot"),
    (("label:desk=perp",), (), "eth-perp sol-perp"),
    (("label:desk=perp", "label:desk=spot"), (), "eth-perp sol-perp sol-spot"),
    (("label:desk=perp", "label:tier=gold"), (), "sol-perp"),
    (("label:desk=perp", "venue:backpack"), (), "sol-perp"),
    ((), ("label:desk",), "btc-grid"),
    ((), ("sol-spot", "venue:lighter"), "eth-perp sol-perp"),
])  # fmt: skip
def test_selectors_of_a_kind_widen_the_choice_and_other_kinds_narrow_it(
    chosen: tuple[str, ...], exclude: tuple[str, ...], meant: str
) -> None:
    assert " ".join(sorted(selection(chosen, exclude).names(BOTS))) == meant


@pytest.mark.parametrize(("chosen", "exclude", "words"), [
    (("sol-sopt",), (), "`sol-sopt` is no bot here"),
    (("venue:hyperliquid",), (), "`venue:hyperliquid` is no bot here"),
    ((), ("sol-psot",), "`sol-psot` is no bot here"),
    (("label:desk=asia",), (), "`label:desk=asia` is no bot here"),
    (("color:red",), (), "`color:red` selects nothing that is known"),
    (("venue:",), (), "`venue:` selects nothing that is known"),
    (("sol-spot", "venue:lighter"), (), "together leave no bot"),
    (("sol-spot",), ("sol-*",), "together leave no bot"),
])  # fmt: skip
def test_what_means_no_bot_is_a_mistake_and_never_all_of_them(
    chosen: tuple[str, ...], exclude: tuple[str, ...], words: str
) -> None:
    with pytest.raises(UsageError, match=words) as raised:
        selection(chosen, exclude).names(BOTS)
    assert raised.value.hint


PATTERNS = st.sampled_from(
    ["sol-*", "*-perp", "venue:backpack", "account:*eta", "market:*PERP", "label:desk=perp", "label:tier"]
)


@given(pattern=PATTERNS)
def test_a_selector_and_its_exclusion_share_the_fleet_between_them(pattern: str) -> None:
    chosen, left = selection([pattern]).names(BOTS), selection([], [pattern]).names(BOTS)
    assert chosen | left == BOTS.keys() and not chosen & left


@given(old=presents(), new=fleets_of_specs, data=st.data())
def test_a_plan_for_some_bots_changes_and_records_nothing_of_the_others(
    old: Observed, new: list[BotSpec], data: st.DataObject
) -> None:
    desired = fleets.desired(*new)
    names = sorted(everybody(desired, old))
    only = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True)) if names else ["nobody"]
    some = narrowed(desired, old.applied, only)
    touched = {action.name for action in diff(some, old).only(only).changes if action.subject is Subject.BOT}
    assert touched <= set(only)
    before = old.applied.bots if old.applied else {}
    for name in set(names) - set(only):
        kept = some.bots.get(name)
        assert (kept.spec if kept else None) == before.get(name)


@given(old=presents(), new=fleets_of_specs, data=st.data())
def test_a_plan_for_some_bots_carried_out_leaves_nothing_to_do_for_them(
    old: Observed, new: list[BotSpec], data: st.DataObject
) -> None:
    desired = fleets.desired(*new)
    names = sorted(everybody(desired, old)) or ["alpha"]
    only = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    some = narrowed(desired, old.applied, only)
    after = carried_out(some, old, diff(some, old).only(only))
    again = narrowed(desired, after.applied, only)
    assert not [action for action in diff(again, after).only(only).changes if action.subject is Subject.BOT]


def test_a_bot_is_selected_by_what_it_was_applied_as_too() -> None:
    leaving = fleets.spec("sol", market="SOL_USDC_PERP")
    moved = fleets.desired(fleets.spec("sol", market="ETH_USDC_PERP"))
    both = everybody(moved, fleets.running(leaving))
    assert selection(["market:SOL*"]).names(both) == selection(["market:ETH*"]).names(both) == {"sol"}
    gone = everybody(fleets.desired(), fleets.running(leaving))
    assert selection(["sol"]).names(gone) == {"sol"}


def test_what_all_bots_share_is_not_changed_for_some_of_them() -> None:
    rich = msgspec.structs.replace(fleets.ACCOUNT, balances={})
    sol = msgspec.structs.replace(fleets.spec("sol"), accounts={"main": rich})
    with pytest.raises(Conflict, match="account main") as raised:
        narrowed(fleets.desired(sol), fleets.applied(fleets.spec("sol")), ["sol"])
    assert "whole fleet" in str(raised.value.hint)
