"""`botctl forget`: a bot that is gone is put aside whole; one that may have left something is not."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

import cli
from engine.errors import Conflict, Refused, UsageError
from engine.host.accounts import host_directory
from engine.host.files import private_directory
from engine.host.locks import Holder, acquire
from engine.host.tags import claim_tag, mark_journal_started
from engine.host.workspace import Workspace
from engine.model.account import Fill
from engine.model.ids import ClientIdScheme
from engine.model.order import Liquidity, OrderRequest, Side
from engine.runtime.journal import JournalLeg, JournalOwner, open_journal
from engine.sim.network import VirtualNetwork
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import VirtualWorld
from engine.trading.records import FillRecord, OrderRecord, OrderState, Record

SCHEME = ClientIdScheme(tag_bits=8, sequence_bits=24)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "host"))
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "fleet.yaml").write_text("id: lab\naccounts: {}\n", encoding="utf-8")
    return Workspace(root=tmp_path)


def leave(workspace: Workspace, *records: Record) -> None:
    """A bot that ran here once, with a tag, a log, a hold and these records."""
    loop = VirtualLoop()
    world = VirtualWorld(VirtualNetwork(loop, {}, seed=1), seed=1)
    owner = JournalOwner(fleet_id="lab", bot="gone", identity="one")
    file = workspace.journals / "gone" / "one.sqlite"
    journal = open_journal(world, file, owner, {"main": JournalLeg(market="SOL", client_ids=SCHEME)})
    journal.claim("main", 1, 0)
    journal.commit(records)
    journal.close()
    loop.close()
    account = private_directory(host_directory() / "accounts" / "one")
    claim_tag(account, "lab/gone", max_tag=9, choose=min)
    mark_journal_started(account, "lab/gone")
    for folder, name in ((workspace.logs, "gone.jsonl"), (workspace.holds, "gone.json")):
        (private_directory(folder) / name).write_text("{}", encoding="utf-8")


def forget(workspace: Workspace, *options: str) -> int:
    return cli.run(["forget", "gone", "-C", str(workspace.root), "--yes", *options])


def tags() -> list[dict[str, object]]:
    file = host_directory() / "accounts" / "one" / "tags.json"
    return list(msgspec.json.decode(file.read_bytes()))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file() and not path.name.startswith("audit")}


def fill(side: Side) -> FillRecord:
    traded = Fill(
        trade_id=str(side),
        venue_order_id="v",
        client_id=1,
        side=side,
        ticks=10,
        lots=5,
        fee=Decimal(0),
        fee_asset="USDC",
        liquidity=Liquidity.MAKER,
        at_ns=1,
    )
    return FillRecord(leg="main", slot="bid.0", fill=traded)


RESTING = OrderRecord(
    request=OrderRequest(leg="main", client_id=1 << 24, slot="bid.0", side=Side.BUY, ticks=10, lots=5),
    state=OrderState.ACCEPTED,
    venue_order_id="v",
    executed_lots=0,
    filled_lots=0,
    submitted_ns=0,
    dead_after_ns=0,
    updated_ns=0,
)


def test_a_bot_that_left_nothing_is_archived_and_its_tag_given_back(workspace: Workspace) -> None:
    leave(workspace, fill(Side.BUY), fill(Side.SELL))
    assert not forget(workspace, "--why", "long gone")
    assert {"one.sqlite", "logs gone.jsonl", "holds gone.json"} <= names(workspace.archive)
    assert not (workspace.journals / "gone").exists() and not names(workspace.logs)
    [tag] = tags()
    assert (tag["owner"], tag["journal_started"], tag["released_ns"] is not None) == ("lab/gone", False, True)
    lines = [json.loads(line) for line in workspace.audit_log.read_text(encoding="utf-8").splitlines()]
    assert [(line["what"], line["result"]) for line in lines if line["what"] == "forget"] == [
        ("forget", "begun"),
        ("forget", "done"),
    ]
    with pytest.raises(UsageError, match="nothing is remembered of gone"):
        forget(workspace)


def test_with_purge_nothing_is_kept(workspace: Workspace) -> None:
    leave(workspace)
    assert not forget(workspace, "--purge")
    assert not workspace.archive.exists() and not names(workspace.journals)


@pytest.mark.parametrize(
    ("record", "words"), [(RESTING, "1 of its orders may still rest"), (fill(Side.BUY), "it holds 5 lots on SOL")]
)
def test_a_bot_that_may_have_left_something_is_kept_until_somebody_knows(
    workspace: Workspace, record: Record, words: str
) -> None:
    leave(workspace, record)
    with pytest.raises(Refused, match=words):
        forget(workspace)
    assert (workspace.journals / "gone" / "one.sqlite").exists()
    assert not forget(workspace, "--accept", "forget")
    [tag] = tags()
    assert "until" in str(tag["owner"]), "its ids may still live: nobody gets the tag again"


def test_a_journal_that_cannot_be_read_is_no_empty_one(workspace: Workspace) -> None:
    leave(workspace)
    (workspace.journals / "gone" / "one.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(Refused, match="cannot be told"):
        forget(workspace)


def test_a_bot_that_is_declared_or_runs_is_not_forgotten(workspace: Workspace) -> None:
    leave(workspace)
    holder = Holder(pid=1, bot="gone", workspace=str(workspace.root), since_ns=0)
    lock = acquire(private_directory(workspace.locks) / "gone", holder)
    with pytest.raises(Conflict, match="gone runs"):
        forget(workspace)
    lock.release()
    (workspace.root / "bots" / "fleet.yaml").write_text(
        "id: lab\naccounts: {a: {venue: backpack, balances: {USDC: 5}}}\n", encoding="utf-8"
    )
    (workspace.root / "bots" / "gone.yaml").write_text(
        "metadata: {name: gone}\nexchange: {account: a, market: SOL_USDC_PERP}\n"
        "strategy: {kind: perp_market_maker, spread_bps: 10, order_size: 1}\nrisk: {max_position: 5}\n",
        encoding="utf-8",
    )
    with pytest.raises(Conflict, match="declared or applied"):
        forget(workspace)
