from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.errors import Conflict, StateDamaged
from engine.host.tags import Tag, claim_tag, mark_journal_started, owner_name, release_tag


def first(free: Sequence[int]) -> int:
    return free[0]


def claim(directory: Path, bot: str, max_tag: int = 255) -> Tag:
    return claim_tag(directory, owner_name("fleet", bot), max_tag=max_tag, choose=first)


def test_a_bot_keeps_its_tag_and_no_other_bot_gets_it(tmp_path: Path) -> None:
    assert claim(tmp_path, "a").number == 1
    assert claim(tmp_path, "b").number == 2
    assert claim(tmp_path, "a").number == 1


def test_no_tag_is_ever_zero(tmp_path: Path) -> None:
    numbers = {claim(tmp_path, f"bot-{n}", max_tag=7).number for n in range(7)}
    assert numbers == {1, 2, 3, 4, 5, 6, 7}


def test_the_same_bot_name_in_another_fleet_is_another_owner(tmp_path: Path) -> None:
    mine = claim_tag(tmp_path, owner_name("fleet", "a"), max_tag=255, choose=first)
    theirs = claim_tag(tmp_path, owner_name("other", "a"), max_tag=255, choose=first)
    assert mine.number != theirs.number


def test_exhaustion_says_so_and_what_to_do(tmp_path: Path) -> None:
    claim(tmp_path, "a", max_tag=1)
    with pytest.raises(Conflict, match="all 1 owner tags of this account are taken") as refusal:
        claim(tmp_path, "b", max_tag=1)
    assert "destroy" in (refusal.value.hint or "")


def test_a_released_tag_is_the_last_to_be_used_again_and_its_sequence_goes_on(tmp_path: Path) -> None:
    claim(tmp_path, "a", max_tag=2)
    release_tag(tmp_path, owner_name("fleet", "a"), at_ns=5, next_sequence=77)
    assert claim(tmp_path, "b", max_tag=2).number == 2
    heir = claim(tmp_path, "c", max_tag=2)
    assert (heir.number, heir.first_sequence, heir.journal_started) == (1, 77, False)


def test_a_destroyed_bot_that_comes_back_gets_its_tag_and_continues_its_sequence(tmp_path: Path) -> None:
    claim(tmp_path, "a")
    mark_journal_started(tmp_path, owner_name("fleet", "a"))
    release_tag(tmp_path, owner_name("fleet", "a"), at_ns=5, next_sequence=77)
    again = claim(tmp_path, "a")
    assert (again.number, again.first_sequence, again.journal_started) == (1, 77, False)
    with pytest.raises(Conflict):
        claim(tmp_path, "b", max_tag=1)


def test_the_registry_remembers_that_a_journal_was_started(tmp_path: Path) -> None:
    assert not claim(tmp_path, "a").journal_started
    mark_journal_started(tmp_path, owner_name("fleet", "a"))
    assert claim(tmp_path, "a").journal_started


def test_a_damaged_registry_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "tags.json").write_text('[{"number": 1')
    with pytest.raises(StateDamaged, match="cannot be read"):
        claim(tmp_path, "a")


def test_many_bots_that_start_at_once_get_different_tags(tmp_path: Path) -> None:
    with ThreadPoolExecutor(max_workers=8) as pool:
        tags = list(pool.map(lambda n: claim(tmp_path, f"bot-{n}").number, range(40)))
    assert len(set(tags)) == 40
