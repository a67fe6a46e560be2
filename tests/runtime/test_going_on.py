"""A journal begins from the one before where one of a bot's accounts lives on, and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.errors import Unavailable
from engine.host.endpoints import SimEndpoint, write_sim_endpoint
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.model.ids import ClientIdScheme
from engine.runtime.going_on import former_journal, go_on
from engine.runtime.journal import JournalLeg, JournalOwner, open_journal
from engine.runtime.memory import journal_file, known_journal
from engine.runtime.sites import Site, find_sites
from engine.sim.network import VirtualNetwork
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import VirtualWorld
from engine.spec.types import BotSpec, LegSpec
from tests.fleets import bot_spec
from tests.trading.desk_bench import PERP

SCHEME = ClientIdScheme(tag_bits=8, sequence_bits=24)
GONE = 2**22
"""No process has this id."""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(root=tmp_path)
    workspace.prepare()
    return workspace


@pytest.fixture
def world() -> VirtualWorld:
    return VirtualWorld(VirtualNetwork(VirtualLoop(), {}, seed=1), seed=1)


def pair() -> BotSpec:
    one = bot_spec("pair")
    places = {"maker": "backpack", "hedge": "paradex"}
    return replace(
        one,
        legs={leg: LegSpec(venue=venue, account=venue, market="SOL") for leg, venue in places.items()},
        accounts={venue: replace(one.accounts["main"], name=venue, venue=venue) for venue in places.values()},
    )


def sites(workspace: Workspace) -> tuple[Site, ...]:
    return find_sites(workspace, pair(), fleet_id="lab", secrets=Secrets(workspace, shell={}))


def simulate(workspace: Workspace, venue: str, instance: str, *, pid: int = os.getpid()) -> None:
    there = SimEndpoint(instance=instance, rest_url="http://x", ws_url="ws://x", pid=pid)
    write_sim_endpoint(workspace, venue, there)


def test_a_simulator_that_is_away_is_the_one_it_was_while_another_venue_is_there(workspace: Workspace) -> None:
    simulate(workspace, "backpack", "one")
    with pytest.raises(Unavailable):
        sites(workspace)
    simulate(workspace, "paradex", "two", pid=GONE)
    assert [site.identity.instance for site in sites(workspace)] == ["one", "two"]


def test_with_all_its_simulators_a_bots_world_has_ended(workspace: Workspace) -> None:
    for venue in ("backpack", "paradex"):
        simulate(workspace, venue, "one", pid=GONE)
    with pytest.raises(Unavailable):
        sites(workspace)


def test_a_journal_begins_without_the_leg_whose_world_has_ended(workspace: Workspace, world: VirtualWorld) -> None:
    for venue in ("backpack", "paradex"):
        simulate(workspace, venue, "one")
    first = journal_file(workspace, "pair", sites(workspace))
    legs = {leg: JournalLeg(market="SOL", client_ids=SCHEME) for leg in ("maker", "hedge")}
    journal = open_journal(world, first, owner_of(first), legs)
    journal.claim("maker", 3, 40)
    journal.claim("hedge", 5, 50)
    journal.keep_facts({leg: replace(PERP, symbol=leg) for leg in legs})
    journal.close()

    simulate(workspace, "paradex", "two")
    file = journal_file(workspace, "pair", sites(workspace))
    assert known_journal(workspace, "pair", sites(workspace)) == first
    file.with_suffix(".draft").write_text("what a killed start left")
    for _ in range(2):
        go_on(world, file, owner_of(file), sites(workspace))
    journal = open_journal(world, file, owner_of(file), legs)
    assert (journal.tag("maker"), journal.tag("hedge"), journal.next_sequence) == (3, None, 40)
    assert set(journal.facts()) == {"maker"}
    journal.close()
    former = open_journal(world, first, owner_of(first), legs)
    assert former.tag("hedge") == 5, "it stays as it was"
    former.close()


def test_accounts_of_which_none_is_left_have_no_former_journal(workspace: Workspace) -> None:
    for venue in ("backpack", "paradex"):
        simulate(workspace, venue, "one")
    first = journal_file(workspace, "pair", sites(workspace))
    first.parent.mkdir(parents=True)
    for name in (first.name, "sim-backpack-0+backpack-1.sqlite", "backpack-2.sqlite"):
        (first.parent / name).touch()
    for venue in ("backpack", "paradex"):
        simulate(workspace, venue, "two")
    file = journal_file(workspace, "pair", sites(workspace))
    assert former_journal(file, sites(workspace)) is None


def owner_of(file: Path) -> JournalOwner:
    return JournalOwner(fleet_id="lab", bot="pair", identity=file.stem)
