"""A venue package from outside, installed as a stranger would install it, is found and held to the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.outsiders.installing import ROOT, install, python

HERE = Path(__file__).parent / "toy_venue"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return install(HERE, tmp_path_factory.mktemp("site"))


def test_an_installed_venue_is_found_by_its_name_beside_the_built_in_ones(installed: dict[str, str]) -> None:
    program = "from engine.exchanges.registry import *; print(find_venue('toy').facts.name, *venue_names())"
    said = python(installed, "-c", program)
    assert said.stdout.split()[0] == "toy", said.stderr
    assert {"backpack", "toy"} <= set(said.stdout.split()[1:])


def test_its_own_tests_inherit_the_contract_suite(installed: dict[str, str], tmp_path: Path) -> None:
    options = ("-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path))
    done = python(installed, "-m", "pytest", *options, str(HERE / "toy_contract.py"))
    assert done.returncode == 0, done.stdout
    assert "22 passed" in done.stdout


def test_a_venue_that_breaks_a_promise_is_told_so(installed: dict[str, str]) -> None:
    program = (
        "from engine.testing.contract import VenueContract\n"
        "from botctl_toy.venue import VENUE\n"
        "from botctl_toy.codec import ToyCodec\n"
        "import sys; sys.path.insert(0, sys.argv[1]); from toy_contract import TestToy\n"
        "ToyCodec.decode_frame = lambda self, text, *, at_ns: text['no such']\n"
        "TestToy().test_no_frame_raises_anything_but_a_protocol_error()\n"
    )
    assert "TypeError" in python(installed, "-c", program, str(HERE)).stderr


def test_the_guide_shows_what_the_toy_does() -> None:
    guide = (ROOT / "docs" / "adding-an-exchange.md").read_text()
    assert 'toy = "botctl_toy.venue:VENUE"' in guide
    assert 'toy = "botctl_toy.venue:VENUE"' in (HERE / "pyproject.toml").read_text()
    shown = ("from engine.testing.contract import VenueContract", "class TestToy(VenueContract):")
    assert all(line in guide and line in (HERE / "toy_contract.py").read_text() for line in shown)
