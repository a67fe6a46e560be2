"""A renamed bot goes on with the books, the orders and the owner tag of its old name."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from engine.errors import Conflict, Locked
from engine.host.files import private_directory
from engine.host.locks import Holder, acquire
from engine.host.tags import claim_tag, mark_journal_started
from engine.host.workspace import Workspace
from engine.model.ids import ClientIdScheme
from engine.runtime import inheriting
from engine.runtime.inheriting import inherit
from engine.runtime.journal import Journal, JournalLeg, JournalOwner, open_journal
from engine.sim.network import VirtualNetwork
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import VirtualWorld
from tests.fleets import bot_spec
from tests.runtime.conftest import Stage, until

SCHEME = ClientIdScheme(tag_bits=8, sequence_bits=24)


def test_a_renamed_bot_has_the_same_fills_tag_and_numbers(stage: Stage) -> None:
    stage.apply(bot_spec())
    stage.simulate()
    old = stage.engine()
    until(lambda: stage.leg().get("fills", 0) > 1 and stage.leg()["orders"] == 6)
    old.send_signal(signal.SIGTERM)
    old.communicate(timeout=30)
    [journal] = (stage.workspace.journals / "maker").glob("*.sqlite")
    before = numbers(journal)

    stage.apply(replace(bot_spec("heir"), renamed_from="maker"))
    first = stage.engine("heir")
    until(lambda: stage.leg("heir").get("orders") == 6)
    [moved] = (stage.workspace.journals / "heir").glob("*.sqlite")
    assert not (stage.workspace.journals / "maker").exists()
    after = numbers(moved)
    assert (after["tag"], after["next"] >= before["next"]) == (before["tag"], True)
    assert stage.leg("heir")["fills"] >= before["fills"] > 1

    first.kill()
    first.communicate()
    stage.engine("heir")
    until(lambda: stage.leg("heir").get("orders") == 6)


def numbers(journal: Path) -> dict[str, int]:
    with closing(sqlite3.connect(journal)) as reader:
        tag, following = reader.execute("SELECT tag, next FROM ids").fetchone()
        (fills,) = reader.execute("SELECT count(*) FROM fills").fetchone()
    return {"tag": tag, "next": following, "fills": fills}


class Heritage:
    """An old bot's journal and tag, and the new bot that takes them over."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace(root=root)
        self.account = private_directory(root / "host" / "botctl" / "accounts" / "one")
        loop = VirtualLoop()
        self.world = VirtualWorld(VirtualNetwork(loop, {}, seed=1), seed=1)
        self.open("old").close()
        claim_tag(self.account, "judges/old", max_tag=9, choose=min)
        mark_journal_started(self.account, "judges/old")

    def open(self, bot: str) -> Journal:
        file = self.workspace.journals / bot / "one.sqlite"
        owner = JournalOwner(fleet_id="judges", bot=bot, identity="one")
        journal = open_journal(self.world, file, owner, {"main": JournalLeg(market="SOL", client_ids=SCHEME)})
        if journal.tag("main") is None:
            journal.claim("main", 1, 0)
        return journal

    def holder(self, bot: str) -> Holder:
        return Holder(pid=1, bot=bot, workspace=str(self.workspace.root), since_ns=0)

    def inherit(self) -> None:
        inherit(self.world, self.workspace, fleet_id="judges", former="old", holder=self.holder("new"))

    def owners(self) -> dict[str, int]:
        tags = msgspec.json.decode((self.account / "tags.json").read_bytes())
        return {tag["owner"]: tag["number"] for tag in tags}


@pytest.fixture
def heritage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Heritage:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "host"))
    return Heritage(tmp_path)


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", ["give_to", "transfer_tag", "forget", "_move"])
def test_a_kill_between_any_two_steps_is_finished_by_the_next_start(
    heritage: Heritage, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def killed(*_arguments: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(inheriting, step, killed)
        with pytest.raises(Killed):
            heritage.inherit()
    heritage.inherit()
    heritage.inherit()
    assert heritage.owners() == {"judges/new": 1}
    journal = heritage.open("new")
    assert journal.tag("main") == 1
    journal.close()
    assert not (heritage.workspace.journals / "old").exists()


def test_nothing_is_taken_from_a_bot_that_runs(heritage: Heritage) -> None:
    lock = acquire(private_directory(heritage.workspace.locks) / "old", heritage.holder("old"))
    with pytest.raises(Locked):
        heritage.inherit()
    lock.release()
    assert heritage.owners() == {"judges/old": 1}


def test_a_bot_with_a_journal_of_its_own_takes_over_nothing(heritage: Heritage) -> None:
    heritage.open("new").close()
    heritage.inherit()
    assert heritage.owners() == {"judges/old": 1}


def test_a_tag_under_which_orders_were_sent_is_not_given_up_for_another(heritage: Heritage) -> None:
    claim_tag(heritage.account, "judges/new", max_tag=9, choose=max)
    mark_journal_started(heritage.account, "judges/new")
    with pytest.raises(Conflict, match="has sent orders of its own"):
        heritage.inherit()
    assert heritage.owners() == {"judges/old": 1, "judges/new": 9}


def test_a_bot_whose_old_name_never_ran_starts_afresh(heritage: Heritage) -> None:
    inherit(heritage.world, heritage.workspace, fleet_id="judges", former="nobody", holder=heritage.holder("new"))
    assert heritage.owners() == {"judges/old": 1}
