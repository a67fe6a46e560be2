"""`botctl forget` asks the venue: what rests there is not forgotten, whatever the journal believes."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import cli
from engine.control.desired import resolve_desired
from engine.control.generations import switch_to, write_generation
from engine.control.reconcile import journal_of
from engine.control.venue_questions import Counter
from engine.errors import Refused
from engine.host.generation import read_generation
from engine.host.workspace import Workspace
from engine.model.ids import ClientIdScheme
from engine.model.order import Side
from engine.runtime.journal import JournalLeg, JournalOwner, open_journal
from engine.sim.network import VirtualNetwork
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import VirtualWorld
from engine.trading.records import Record
from tests.commands.test_forget import RESTING, fill, names
from tests.late import late
from tests.sim.served import Served, served, sim_spec

bpx = late("bpx.account")

MARKET = "SOL_USDC_PERP"
CLIENT_ID = 1 << 24
FLEET = """\
id: judges
live: allowed
accounts:
  alice: {{venue: backpack, environment: testnet, credentials: {{api_key: "${{KEY}}", api_secret: "${{SECRET}}"}}}}
venues: {{backpack: {{environments: {{testnet: {{rest_url: "{rest_url}", ws_url: "{ws_url}"}}}}}}}}
"""
BOT = f"""\
metadata: {{name: gone}}
exchange: {{account: alice, market: {MARKET}}}
strategy: {{kind: perp_market_maker, spread_bps: 10, order_size: 1}}
risk: {{max_position: 5}}
"""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A workspace that once had a bot, the venue it traded on, and the account's own hand there."""

    workspace: Workspace
    mine: Any
    journal: Path

    def forget(self, *options: str) -> int:
        return cli.run(["forget", "gone", "-C", str(self.workspace.root), "--yes", *options])

    def place(self, client_id: int) -> None:
        with urllib.request.urlopen(f"{self.mine.BPX_API_URL}api/v1/depth?symbol={MARKET}", timeout=10) as answer:
            best = Decimal(json.load(answer)["bids"][-1][0])
        placed = self.mine.execute_order(
            MARKET, "Bid", "Limit", quantity="1", price=str(best - 5), client_id=client_id, post_only=True
        )
        assert placed["status"] == "New", placed


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with served(sim_spec("alice")) as venue:
        yield desk_at(venue, tmp_path, monkeypatch)


def desk_at(venue: Served, root: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("XDG_STATE_HOME", str(root / "host"))
    key, secret = venue.accounts["alice"]
    workspace = Workspace(root=root)
    workspace.bots.mkdir()
    (root / ".env").write_text(f"KEY={key}\nSECRET={secret}\n")
    (root / ".env").chmod(0o600)
    (workspace.bots / "fleet.yaml").write_text(FLEET.format(rest_url=venue.rest_url, ws_url=venue.ws_url))
    (workspace.bots / "gone.yaml").write_text(BOT)
    applied(workspace)
    (workspace.bots / "gone.yaml").unlink()
    applied(workspace)
    mine = bpx.Account(key, secret)
    mine.BPX_API_URL = f"{venue.rest_url}/"
    return Desk(workspace=workspace, mine=mine, journal=remember(workspace))


def applied(workspace: Workspace) -> None:
    workspace.prepare()
    desired = resolve_desired(workspace, lambda _warning: None)
    switch_to(workspace, write_generation(workspace, desired, conf=""))


def remember(workspace: Workspace, *records: Record) -> Path:
    """The journal of the bot's last life: an order of which it never heard the end, unless said otherwise."""
    before = read_generation(workspace, 1)
    spec = before.bots["gone"]
    counter = Counter(workspace=workspace, fleet=before.fleet, account=spec.accounts["alice"], bots=(spec,))
    file = journal_of(counter, spec)
    loop = VirtualLoop()
    world = VirtualWorld(VirtualNetwork(loop, {}, seed=1), seed=1)
    owner = JournalOwner(fleet_id="judges", bot="gone", identity=file.stem)
    scheme = ClientIdScheme(tag_bits=8, sequence_bits=24)
    journal = open_journal(world, file, owner, {"main": JournalLeg(market=MARKET, client_ids=scheme)})
    journal.claim("main", 1, 0)
    journal.commit(records or [RESTING])
    journal.close()
    loop.close()
    return file


def test_an_order_that_rests_at_the_venue_is_not_forgotten(desk: Desk) -> None:
    desk.place(CLIENT_ID)
    with pytest.raises(Refused, match="1 of its orders rest at the venue now") as refused:
        desk.forget()
    assert refused.value.exit_code == 5 and "--accept forget" in str(refused.value.hint)
    assert desk.journal.exists() and len(desk.mine.get_open_orders(symbol=MARKET)) == 1
    assert not desk.forget("--accept", "forget")
    assert len(desk.mine.get_open_orders(symbol=MARKET)) == 1, "nothing is cancelled behind anybody's back"


def test_an_order_that_certainly_does_not_rest_keeps_nobody_from_forgetting(desk: Desk) -> None:
    desk.place(99)
    assert not desk.forget()
    assert not desk.journal.exists() and desk.journal.name in names(desk.workspace.archive)
    assert len(desk.mine.get_open_orders(symbol=MARKET)) == 1, "somebody else's order is nobody's business"


def test_an_order_that_is_gone_may_have_left_a_position(desk: Desk) -> None:
    desk.mine.execute_order(MARKET, "Bid", "Market", quantity="1")
    with pytest.raises(Refused, match=f"the venue has a position of 1 on {MARKET}"):
        desk.forget()


def test_an_order_that_may_still_arrive_is_waited_for(desk: Desk) -> None:
    desk.journal.unlink()
    remember(desk.workspace, replace(RESTING, dead_after_ns=2**62))
    with pytest.raises(Refused, match="may still arrive there"):
        desk.forget()


def test_a_venue_that_cannot_be_asked_is_no_word_that_nothing_rests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(sim_spec("alice")) as venue:
        desk = desk_at(venue, tmp_path, monkeypatch)
    with pytest.raises(Refused, match="1 of its orders may still rest, and the venue could not be asked"):
        desk.forget()
    desk.journal.unlink()
    remember(desk.workspace, fill(Side.BUY), fill(Side.SELL))
    assert not desk.forget()
    assert "the venue could not be asked" in capsys.readouterr().err
