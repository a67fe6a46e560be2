from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.errors import BotctlError, StateDamaged
from engine.model.account import Fill, FundingPayment
from engine.model.ids import ClientIdScheme
from engine.model.order import Liquidity, OrderRequest, Side
from engine.risk.stops import Stops
from engine.runtime import journal_schema
from engine.runtime.journal import Journal, JournalLeg, JournalOwner, checkpoint, open_journal
from engine.runtime.journal_reader import own_side
from engine.sim.network import VirtualNetwork
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import VirtualWorld
from engine.trading.records import FillRecord, FundingRecord, MemoRecord, Note, OrderRecord, OrderState, Record
from engine.transport.live import LiveWorld
from tests.trading.desk_bench import SPOT

OWNER = JournalOwner(fleet_id="fleet", bot="maker", identity="sim-backpack-1")
SCHEME = ClientIdScheme(tag_bits=8, sequence_bits=24)
LEGS = {"main": JournalLeg(market="SOL_USDC", client_ids=SCHEME)}
TAG = 7
JOURNALS = Path(__file__).parent / "journals"


def order(sequence: int, state: OrderState = OrderState.ACCEPTED, *, at_ns: int = 0) -> OrderRecord:
    request = OrderRequest(
        leg="main", client_id=SCHEME.compose(TAG, sequence), slot="bid.0", side=Side.BUY, ticks=100, lots=5
    )
    return OrderRecord(
        request=request,
        state=state,
        venue_order_id=f"v{sequence}",
        executed_lots=0,
        filled_lots=0,
        submitted_ns=0,
        dead_after_ns=5,
        updated_ns=at_ns or sequence,
    )


def fill(trade_id: str, venue_order_id: str = "v1") -> FillRecord:
    return FillRecord(
        leg="main",
        slot="bid.0",
        fill=Fill(
            trade_id=trade_id,
            venue_order_id=venue_order_id,
            client_id=1,
            side=Side.BUY,
            ticks=100,
            lots=2,
            fee=Decimal("-0.000123450"),
            fee_asset="USDC",
            liquidity=Liquidity.MAKER,
            at_ns=9,
        ),
    )


def opened(file: Path) -> Journal:
    journal = open_journal(LiveWorld(), file, OWNER, LEGS)
    if journal.tag("main") is None:
        journal.claim("main", TAG, 0)
    return journal


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "maker" / "journal.sqlite"


@pytest.fixture
def journal(file: Path) -> Iterator[Journal]:
    journal = opened(file)
    yield journal
    journal.close()


def test_a_new_journal_remembers_nothing(journal: Journal) -> None:
    memory = journal.restore()
    assert (memory.orders, memory.fills, memory.next_sequence) == ((), (), 0)


def test_what_was_committed_is_restored_by_the_next_process(file: Path, journal: Journal) -> None:
    records: list[Record] = [order(0), order(1), fill("t1"), fill("t2"), Note(at_ns=1, leg="main", what="said")]
    journal.commit(records)
    journal.close()
    memory = opened(file).restore()
    assert memory.orders == (order(0), order(1))
    assert memory.fills == (fill("t1"), fill("t2"))
    assert memory.next_sequence == 2


def test_the_newest_record_of_an_order_counts_and_done_orders_are_not_restored(journal: Journal) -> None:
    journal.commit([order(0), order(1)])
    journal.commit([order(0, OrderState.FILLED), order(1, OrderState.CLOSING)])
    assert [each.state for each in journal.restore().orders] == [OrderState.CLOSING]
    assert journal.live_orders() == 1


def test_the_facts_of_the_present_market_are_remembered_and_those_of_another_are_not(
    file: Path, journal: Journal
) -> None:
    assert journal.facts() == {}
    journal.keep_facts({"main": SPOT})
    finer = replace(SPOT, tick_size=Decimal("0.001"))
    journal.keep_facts({"main": finer})
    journal.close()
    assert opened(file).facts() == {"main": finer}
    moved = {"main": JournalLeg(market="BTC_USDC", client_ids=SCHEME)}
    assert open_journal(LiveWorld(), file, OWNER, moved).facts() == {}


def test_a_fill_heard_twice_is_kept_once_and_a_self_trade_twice(journal: Journal) -> None:
    journal.commit([fill("t1", "v1")])
    journal.commit([fill("t1", "v1"), fill("t1", "v2")])
    assert journal.restore().fills == (fill("t1", "v1"), fill("t1", "v2"))


def test_done_orders_still_count_for_the_next_sequence(journal: Journal) -> None:
    journal.commit([order(41, OrderState.REJECTED)])
    assert journal.restore().next_sequence == 42


@pytest.mark.parametrize("start", [0, 1000, 2**24 - 3, 2**25 + 7])
@settings(max_examples=15, deadline=None)
@given(steps=st.lists(st.integers(0, 5), max_size=20))
def test_the_next_sequence_is_exact_although_ids_wrap(
    tmp_path_factory: pytest.TempPathFactory, start: int, steps: list[int]
) -> None:
    journal = open_journal(LiveWorld(), tmp_path_factory.mktemp("wrap") / "journal.sqlite", OWNER, LEGS)
    with closing(journal):
        journal.claim("main", TAG, start)
        sequence = start
        for step in steps:
            journal.commit([order(sequence)])
            sequence += 1 + step
        used = start if not steps else sequence - steps[-1]
        assert journal.restore().next_sequence == used


def test_an_update_of_an_old_order_does_not_lower_the_next_sequence(journal: Journal) -> None:
    journal.commit([order(5), order(6)])
    journal.commit([order(2)])
    assert journal.restore().next_sequence == 7


def test_old_done_orders_and_notes_are_forgotten_and_live_ones_and_fills_never(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_schema, "DONE_ORDERS_KEPT", 10)
    monkeypatch.setattr(journal_schema, "NOTES_KEPT", 10)
    journal.commit([order(0), fill("t0")])
    for number in range(1, 1000):
        journal.commit([order(number, OrderState.CANCELED), Note(at_ns=number, leg="main", what="said")])
    assert count(journal.path, "orders") == 11
    assert count(journal.path, "notes") == 10
    memory = journal.restore()
    assert (memory.orders, memory.fills, memory.next_sequence) == ((order(0),), (fill("t0"),), 1000)


def count(file: Path, table: str) -> int:
    with closing(sqlite3.connect(file)) as reader:
        return int(reader.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_a_step_s_records_are_written_whole_or_not_at_all(file: Path, journal: Journal) -> None:
    class Broken:
        """Fails at the second record, as a full disk would."""

        state = OrderState.ACCEPTED

    with pytest.raises(AttributeError):
        journal.commit([order(0), Broken()])  # type: ignore[list-item] # a record nobody can write
    journal.close()
    assert opened(file).restore().orders == ()


def test_a_full_disk_is_an_error_with_words_for_people(file: Path, journal: Journal) -> None:
    with closing(sqlite3.connect(file)) as limiter:
        pages = limiter.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(BotctlError, match="the journal cannot be written") as refusal:
        for number in range(1000):
            journal.commit([order(number)])
    assert refusal.value.hint == "free disk space; nothing is sent until the journal takes it"


def test_a_killed_process_loses_nothing_it_committed(file: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from tests.runtime.test_journal import opened, order\n"
        "journal = opened(Path(sys.argv[1])); journal.commit([order(3)])\n"
        "journal._connection.execute('BEGIN'); journal._write(order(4)); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, file], check=False, timeout=60)
    memory = opened(file).restore()
    assert (memory.orders, memory.next_sequence) == ((order(3),), 4)


@pytest.mark.parametrize("damage", [b"this is no database" * 60, b"\0" * 4096])
def test_a_damaged_journal_is_not_taken_for_a_new_one(file: Path, damage: bytes) -> None:
    opened(file).close()
    file.write_bytes(damage)
    with pytest.raises(StateDamaged, match="cannot be trusted"):
        opened(file)


def test_a_journal_of_a_newer_botctl_is_left_alone(file: Path, journal: Journal) -> None:
    journal.close()
    with closing(sqlite3.connect(file)) as newer:
        newer.execute("PRAGMA user_version = 99")
    with pytest.raises(StateDamaged, match="a newer botctl wrote it"):
        opened(file)


@pytest.mark.parametrize("field", ["fleet_id", "bot", "identity"])
def test_another_bot_s_journal_is_never_read(file: Path, journal: Journal, field: str) -> None:
    journal.close()
    other = JournalOwner(**{"fleet_id": "fleet", "bot": "maker", "identity": "sim-backpack-1", field: "other"})
    with pytest.raises(StateDamaged, match="it belongs to fleet/maker on sim-backpack-1"):
        open_journal(LiveWorld(), file, other, LEGS)


def test_a_checkpoint_folds_the_log_into_the_file_while_the_journal_is_open(file: Path, journal: Journal) -> None:
    journal.commit([order(0)])
    before = file.stat().st_size
    journal.commit([order(number) for number in range(500)])
    checkpoint(LiveWorld(), file)
    assert file.stat().st_size > before
    journal.commit([order(501)])
    assert journal.live_orders() == 501


def test_a_leg_moved_to_another_market_forgets_lots_and_ticks_but_not_its_ids(tmp_path: Path) -> None:
    file = tmp_path / "journal.sqlite"
    before = open_journal(LiveWorld(), file, OWNER, LEGS)
    before.claim("main", TAG, 0)
    before.commit([order(3), fill("t1")])
    before.close()
    moved = open_journal(LiveWorld(), file, OWNER, {"main": JournalLeg(market="BTC_USDC", client_ids=SCHEME)})
    memory = moved.restore()
    assert (memory.orders, memory.fills, memory.next_sequence) == ((), (), 4)
    moved.close()
    back = open_journal(LiveWorld(), file, OWNER, LEGS)
    assert (len(back.restore().orders), len(back.restore().fills)) == (1, 1)
    back.close()


def test_the_newest_stops_come_back_on_the_market_they_belong_to(journal: Journal, file: Path) -> None:
    for trip in ("", "stop_loss_usd: lost 10, the limit is 10"):
        journal.commit([Stops(base_usd=Decimal(0), peak_usd=Decimal("7.5"), day=3, trip=trip)])
    stops = opened(file).restore().stops
    assert stops is not None
    assert (stops.peak_usd, stops.trip) == (Decimal("7.5"), "stop_loss_usd: lost 10, the limit is 10")
    elsewhere = {"main": JournalLeg(market="ETH_USDC", client_ids=SCHEME)}
    assert open_journal(LiveWorld(), file, OWNER, elsewhere).restore().stops is None


def test_the_newest_memo_of_a_leg_is_restored_and_counts_only_on_its_market(tmp_path: Path) -> None:
    file = tmp_path / "moved.sqlite"
    journal = opened(file)
    journal.commit([MemoRecord(leg="main", memo="first"), MemoRecord(leg="main", memo="second")])
    journal.close()
    other = {"main": JournalLeg(market="ETH_USDC", client_ids=SCHEME)}
    for legs, memos in ((LEGS, (MemoRecord(leg="main", memo="second"),)), (other, ())):
        with closing(open_journal(LiveWorld(), file, OWNER, legs)) as again:
            assert again.restore().memos == memos


def payment(payment_id: str, amount: str = "-0.0025") -> FundingRecord:
    paid = FundingPayment(payment_id=payment_id, amount=Decimal(amount), at_ns=10, rate=Decimal("0.0000125"))
    return FundingRecord(leg="main", payment=paid, own=Decimal(amount) / 2, after_fills=1)


def test_a_payment_heard_twice_is_kept_once_and_belongs_to_its_market(file: Path, journal: Journal) -> None:
    journal.commit([fill("t1"), payment("p1"), payment("p2")])
    journal.commit([payment("p1")])
    journal.close()
    assert opened(file).restore().funding == (payment("p1"), payment("p2"))
    elsewhere = {"main": JournalLeg(market="ETH_USDC", client_ids=SCHEME)}
    assert open_journal(LiveWorld(), file, OWNER, elsewhere).restore().funding == ()


# Journals of earlier versions ------------------------------------------------------------------------------


@pytest.fixture
def version1(file: Path) -> Path:
    """See `journals/README.md`."""
    file.parent.mkdir()
    shutil.copy(JOURNALS / "version1.sqlite", file)
    return file


def test_a_journal_of_every_earlier_version_is_kept() -> None:
    kept = {path.name for path in JOURNALS.glob("*.sqlite")}
    assert kept == {f"version{version}.sqlite" for version in range(1, journal_schema.VERSION)}


def test_a_journal_of_version_1_is_migrated_and_loses_nothing(version1: Path) -> None:
    journal = opened(version1)
    memory = journal.restore()
    assert memory.orders == (order(1), order(2, OrderState.UNRESOLVED))
    assert memory.fills == (fill("t1", "v0"), fill("t2", "v1"))
    assert memory.memos == (MemoRecord(leg="main", memo="levels 3"),)
    assert memory.stops == Stops(base_usd=Decimal(0), peak_usd=Decimal("7.5"), day=3, trip="")
    assert (memory.funding, memory.next_sequence, journal.tag("main")) == ((), 3, TAG)
    journal.commit([order(3), payment("p1")])
    journal.close()
    again = opened(version1).restore()
    assert (again.funding, len(again.orders), again.next_sequence) == ((payment("p1"),), 3, 4)


def test_a_migrated_journal_has_the_tables_of_a_new_one(version1: Path, tmp_path: Path) -> None:
    opened(version1).close()
    opened(tmp_path / "new.sqlite").close()
    assert schema(version1) == schema(tmp_path / "new.sqlite")


def schema(file: Path) -> tuple[int, set[tuple[str, str]]]:
    with closing(sqlite3.connect(file)) as reader:
        (version,) = reader.execute("PRAGMA user_version").fetchone()
        made = reader.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return int(version), {(name, " ".join(sql.split())) for name, sql in made}


def test_who_dies_while_migrating_leaves_the_old_journal_and_the_next_one_migrates_it(version1: Path) -> None:
    before = schema(version1)
    script = (
        "import os, sqlite3, sys; from engine.runtime import journal_schema as schema\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "class Dies:\n"
        "    execute = connection.execute\n"
        "    def commit(self): os.kill(os.getpid(), 9)\n"
        "schema.migrate(Dies(), 1)"
    )
    subprocess.run([sys.executable, "-c", script, version1], check=False, timeout=60)
    assert schema(version1) == before
    assert len(opened(version1).restore().fills) == 2


def test_a_full_disk_while_migrating_is_an_error_with_words_and_leaves_the_old_journal(version1: Path) -> None:
    before, loop = schema(version1), VirtualLoop()
    world = VirtualWorld(VirtualNetwork(loop, {}, seed=1), seed=1)
    world.disk_is_full = True
    with pytest.raises(BotctlError, match="the journal cannot be written"):
        open_journal(world, version1, OWNER, LEGS)
    world.fence()
    loop.close()
    assert schema(version1) == before


def test_another_bots_old_journal_is_refused_before_it_is_migrated(version1: Path) -> None:
    before = schema(version1)
    other = JournalOwner(fleet_id="fleet", bot="other", identity="sim-backpack-1")
    with pytest.raises(StateDamaged, match="it belongs to fleet/maker"):
        open_journal(LiveWorld(), version1, other, LEGS)
    assert schema(version1) == before


def test_an_old_journal_is_read_from_outside_as_one_without_funding(version1: Path) -> None:
    side = own_side(version1, "main", "SOL_USDC")
    assert (len(side.fills), side.funding) == (2, ())
