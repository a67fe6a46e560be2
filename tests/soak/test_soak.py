"""A short soak in every suite; `make soak` runs ten minutes of it, `SOAK_S=n` any number of seconds."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.soak.play import GROWTH_MOST_BYTES, Soaked, soak

pytestmark = pytest.mark.timeout(400)

SHORT_S, PACE = 7, Decimal(4)


@pytest.fixture(scope="module")
def soaked(tmp_path_factory: pytest.TempPathFactory) -> Soaked:
    return soak(tmp_path_factory.mktemp("soak"), SHORT_S, pace=PACE)


def test_all_five_strategies_trade_on_all_four_venues(soaked: Soaked) -> None:
    assert soaked.complaints == ()
    assert set(soaked.strategies) == {
        "market_maker",
        "perp_market_maker",
        "maker_taker_hedge",
        "grid",
        "perp_grid",
    }
    assert {"backpack", "aster", "paradex", "lighter"} <= set(soaked.venues)


def test_every_accounts_profit_is_the_ledgers_to_the_last_digit(soaked: Soaked) -> None:
    assert sum(line.fills for line in soaked.pnl) > 20
    assert [line.differences for line in soaked.pnl] == [()] * len(soaked.pnl)
    assert [line.own for line in soaked.pnl] == [line.ledger for line in soaked.pnl]


def test_perps_pay_funding_and_it_is_in_those_profits(soaked: Soaked) -> None:
    assert soaked.funding > 0


def test_what_the_engine_holds_in_memory_is_bounded(soaked: Soaked) -> None:
    assert soaked.grown_bytes <= GROWTH_MOST_BYTES
