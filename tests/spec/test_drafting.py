"""What `botctl new` writes, as texts: bot files whose settings explain themselves, and accounts in fleet.yaml."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.sim.venues import simulated_markets, start_prices
from engine.spec.drafting import bot_text, with_account
from engine.spec.load import load_fleet
from engine.spec.rules import ANY_KIND
from engine.spec.schema import load_schema
from engine.strategies.analysis import Analysis
from engine.strategies.suggestions import Seen, suggestions
from tests import simulated

VENUES = ("aster", "aster-spot", "backpack", "lighter", "paradex")
KINDS = ("grid", "market_maker", "perp_grid", "perp_market_maker")
FLEET = """\
id: lab
accounts:   # all simulated
    main: {{venue: {venue}, balances: {{USDC: 1}}}}
"""
MONEY = {"USDC": Decimal(1000)}
MOVING = Analysis(
    mid=Decimal(100),
    spread_bps=1.0,
    imbalance=0.0,
    volatility_bps_per_minute=3.0,
    suggested_spread_bps=7.3456,
    suggested_layers=4,
    suggested_layer_step_bps=2.0,
)


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_suggested_fits_every_market_without_a_word_of_the_loader(venue: str, kind: str) -> None:
    for instrument in simulated_markets(venue):
        if load_schema(f"strategies/{kind}")["x-legs"]["main"] not in (instrument.kind, ANY_KIND):
            continue
        seen = Seen(instrument=instrument, mid=start_prices(venue)[instrument.symbol])
        text = bot_text(
            {
                "metadata.name": "new",
                "exchange.account": "main",
                "exchange.market": instrument.symbol,
                "strategy.kind": kind,
                **suggestions(kind, seen),
            }
        )
        files = {"bots/fleet.yaml": FLEET.format(venue=venue), "bots/new.yaml": text}
        loaded = load_fleet(files, environment={}, facts=simulated.simulated_markets)
        assert loaded.diagnostics == () and "new" in loaded.bots, text


def test_spread_and_layers_are_those_of_the_analysis() -> None:
    (instrument,) = (one for one in simulated_markets("backpack") if one.symbol == "SOL_USDC_PERP")
    found = suggestions("perp_market_maker", Seen(instrument=instrument, mid=Decimal(100), analysis=MOVING))
    assert found == {
        "strategy.spread_bps": "7.3",
        "strategy.order_size": "1",
        "strategy.layers": "4",
        "risk.max_position": "10",
    }


def test_a_file_says_what_each_of_its_settings_means_and_which_schema_it_has() -> None:
    text = bot_text(
        {
            "metadata.name": "new",
            "exchange.account": "main",
            "exchange.market": "SOL_USDC",
            "strategy.kind": "market_maker",
            "strategy.capital.base": "5",
        }
    )
    assert text.startswith("# yaml-language-server: $schema=../schemas/bot.schema.json\n")
    assert (
        "  # What the bot may use of the account\n  capital:\n    # Amount of the base asset\n    base: 5\n" in text
    )


def test_an_account_is_added_where_the_others_stand_and_nothing_else_is_touched() -> None:
    before = FLEET.format(venue="backpack")
    after = with_account(before, "paper", "aster", MONEY)
    assert after is not None
    added = ["    paper:", "      venue: aster", "      environment: sim", "      balances: {USDC: 1000}"]
    assert [line for line in after.splitlines() if line not in added] == before.splitlines()
    accounts = load_fleet({"bots/fleet.yaml": after}, environment={}, facts=simulated.simulated_markets).fleet
    assert accounts is not None and list(accounts.accounts) == ["paper", "main"]


@pytest.mark.parametrize(
    "fleet", ["id: x\naccounts: {}\n", "id: x\naccounts: {a: {venue: aster}}\n", "id: x\n", "- a\n"]
)
def test_an_account_is_not_squeezed_into_what_is_not_written_in_lines(fleet: str) -> None:
    assert with_account(fleet, "paper", "aster", MONEY) is None
