from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import StateDamaged
from engine.host.accounts import AccountIdentity, account_directory
from engine.host.tags import Tag, claim_tag, mark_journal_started
from engine.host.workspace import Workspace
from engine.model.ids import ClientIdScheme
from engine.runtime.journal import JournalLeg, JournalOwner, open_journal
from engine.runtime.retire import retire_bot
from engine.spec.types import Environment
from engine.trading.records import OrderState
from engine.transport.live import LiveWorld
from tests.runtime.test_journal import order

IDENTITY = AccountIdentity(venue="backpack", environment=Environment.MAINNET, key="pub")
FAR = AccountIdentity(venue="paradex", environment=Environment.MAINNET, key="far")
SCHEME = ClientIdScheme(tag_bits=8, sequence_bits=24)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "host"))
    return Workspace(root=tmp_path)


def claim(identity: AccountIdentity = IDENTITY) -> Tag:
    return claim_tag(account_directory(identity), "fleet/maker", max_tag=255, choose=lambda free: free[0])


def journal_with(workspace: Workspace, state: OrderState) -> Path:
    """The memory of a bot that sent one order, number 41."""
    file = workspace.journals / "maker" / f"{IDENTITY.digest}.sqlite"
    owner = JournalOwner(fleet_id="fleet", bot="maker", identity=IDENTITY.digest)
    journal = open_journal(LiveWorld(), file, owner, {"main": JournalLeg(market="SOL_USDC", client_ids=SCHEME)})
    journal.claim("main", claim().number, 0)
    mark_journal_started(account_directory(IDENTITY), "fleet/maker")
    journal.commit([order(41, state)])
    journal.close()
    return file


def test_a_destroyed_bot_without_orders_gives_its_tag_back(workspace: Workspace) -> None:
    journal_with(workspace, OrderState.CANCELED)
    assert retire_bot(workspace, "fleet", "maker", at_ns=1) == 0
    again = claim()
    assert (again.number, again.first_sequence, again.journal_started) == (1, 42, False)


def test_a_tag_stays_with_its_bot_while_orders_may_live(workspace: Workspace) -> None:
    journal_with(workspace, OrderState.UNRESOLVED)
    assert retire_bot(workspace, "fleet", "maker", at_ns=1) == 1
    assert claim().journal_started


def test_a_bot_whose_journal_is_lost_gets_another_tag_and_nobody_the_old_one(workspace: Workspace) -> None:
    journal_with(workspace, OrderState.ACCEPTED).unlink()
    assert retire_bot(workspace, "fleet", "maker", at_ns=1) == 0
    again = claim()
    assert (again.number, again.first_sequence, again.journal_started) == (2, 0, False)


def test_other_bots_keep_their_tags(workspace: Workspace) -> None:
    journal_with(workspace, OrderState.CANCELED)
    assert retire_bot(workspace, "fleet", "other", at_ns=1) == 0
    assert claim().journal_started


def test_a_damaged_journal_is_not_taken_for_one_without_orders(workspace: Workspace) -> None:
    journal_with(workspace, OrderState.ACCEPTED).write_bytes(b"garbage" * 1000)
    with pytest.raises(StateDamaged):
        retire_bot(workspace, "fleet", "maker", at_ns=1)


def pair_with(workspace: Workspace, state: OrderState) -> None:
    """A bot of two legs on two accounts, one of which sent an order; one journal is for both."""
    identities = (IDENTITY, FAR)
    owner = JournalOwner(
        fleet_id="fleet", bot="maker", identity="+".join(sorted(each.digest for each in identities))
    )
    legs = {name: JournalLeg(market="SOL_USDC", client_ids=SCHEME) for name in ("main", "hedge")}
    journal = open_journal(LiveWorld(), workspace.journals / "maker" / f"{owner.identity}.sqlite", owner, legs)
    for name, identity in zip(legs, identities, strict=True):
        journal.claim(name, claim(identity).number, 0)
        mark_journal_started(account_directory(identity), "fleet/maker")
    journal.commit([order(41, state)])
    journal.close()


def test_an_order_of_a_bot_with_two_accounts_is_counted_once_and_both_tags_stay(workspace: Workspace) -> None:
    pair_with(workspace, OrderState.ACCEPTED)
    assert retire_bot(workspace, "fleet", "maker", at_ns=1) == 1
    assert claim().journal_started and claim(FAR).journal_started


def test_a_bot_with_two_accounts_gives_both_tags_back(workspace: Workspace) -> None:
    pair_with(workspace, OrderState.FILLED)
    assert retire_bot(workspace, "fleet", "maker", at_ns=1) == 0
    again = claim(), claim(FAR)
    assert [(tag.first_sequence, tag.journal_started) for tag in again] == [(42, False), (42, False)]
