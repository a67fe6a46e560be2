"""One file for many bots, and one set of files for several environments: what comes out, and from where."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.spec.fingerprint import fingerprint
from engine.spec.load import Loaded, load_fleet
from engine.spec.matrix import MAX_BOTS
from tests.spec.cases import CASES, files_of, known_markets, load_case

GOOD = CASES / "good"
OVERLAID = GOOD / "overlay-of-a-bot-and-the-fleet"


def load(case: Path, *, env: str | None = None, **changed: str) -> Loaded:
    files = files_of(case) | {name.replace("__", "/") + ".yaml": text for name, text in changed.items()}
    return load_fleet(files, environment={}, facts=known_markets, env=env)


def test_a_matrix_makes_one_bot_for_each_combination_that_is_left() -> None:
    bots = load_case(GOOD / "matrix-of-accounts-and-markets").bots
    assert {name: (bot.spec.legs["main"].account, bot.spec.legs["main"].market) for name, bot in bots.items()} == {
        "mm-alpha-sol-usdc-perp": ("alpha", "SOL_USDC_PERP"),
        "mm-alpha-btc-usdc-perp": ("alpha", "BTC_USDC_PERP"),
        "mm-beta-sol-usdc-perp": ("beta", "SOL_USDC_PERP"),
    }


def test_a_matrix_of_rows_alone_is_a_table_of_bots() -> None:
    bots = load_case(GOOD / "matrix-as-a-table").bots
    assert {name: bot.spec.strategy.parameters["spread_bps"] for name, bot in bots.items()} == {
        "mm-alpha-sol-usdc-perp": 5,
        "mm-beta-btc-usdc-perp": "12.5",
    }


def test_a_field_knows_the_line_of_the_matrix_that_gave_it() -> None:
    bot = load_case(GOOD / "matrix-over-a-template").bots["mm-btc-usdc-perp"]
    assert str(bot.place("exchange.market")) == "bots/many.yaml:3:27"
    assert str(bot.place("strategy.order_size")) == "bots/many.yaml:4:10"
    assert str(bot.place("strategy.spread_bps")) == "templates/perp.yaml:9:17"


def test_a_value_of_two_keys_is_changed_where_they_are_put_together() -> None:
    bot = load_case(GOOD / "matrix-of-accounts-and-markets").bots["mm-beta-sol-usdc-perp"]
    assert str(bot.place("metadata.name")) == "bots/many.yaml:1:18"


def test_a_bot_of_a_matrix_is_the_bot_that_somebody_wrote_out() -> None:
    made = load_case(GOOD / "matrix-of-accounts-and-markets").bots["mm-beta-sol-usdc-perp"]
    text = files_of(GOOD / "matrix-of-accounts-and-markets")["bots/many.yaml"]
    written = text.replace("{{ account }}", "beta").replace("{{ market }}", "SOL_USDC_PERP")
    head, _, rest = written.replace("{{ market | slug }}", "sol-usdc-perp").partition("matrix:")
    alone = load(GOOD / "matrix-of-accounts-and-markets", bots__many=head + rest[rest.index("exchange:") :])
    assert fingerprint(alone.bots["mm-beta-sol-usdc-perp"].spec) == fingerprint(made.spec)


def test_a_file_makes_at_most_a_thousand_bots() -> None:
    case = GOOD / "matrix-as-a-table"
    head, _, tail = files_of(case)["bots/many.yaml"].partition("matrix:")
    body = tail[tail.index("exchange:") :].replace('"{{ spread }}"', "8")
    rows = "".join(f"    - {{account: alpha, market: M-{number}}}\n" for number in range(MAX_BOTS + 1))
    full = load(case, bots__many=f"{head}matrix:\n  include:\n{rows[: rows.rindex('    - ')]}{body}")
    assert {found.code for found in full.diagnostics} == {"unknown-market"}
    assert len(full.diagnostics) == MAX_BOTS
    over = load(case, bots__many=f"{head}matrix:\n  include:\n{rows}{body}")
    assert [found.code for found in over.diagnostics] == ["too-many-bots"]


def test_rows_that_exclude_are_bounded_like_the_bots() -> None:
    rows = ", ".join(["{a: 1}"] * (MAX_BOTS + 1))
    loaded = load(GOOD / "matrix-as-a-table", bots__many=f"matrix: {{a: [1], exclude: [{rows}]}}\n")
    assert [found.code for found in loaded.diagnostics] == ["bad-format"]


def test_true_and_one_are_two_values_of_a_matrix() -> None:
    matrix = "metadata: {name: m}\nmatrix:\n  live: [1]\n  exclude: [{live: true}]\n"
    loaded = load(GOOD / "matrix-as-a-table", bots__many=matrix)
    assert [found.code for found in loaded.diagnostics] == ["excludes-nothing"]


def test_an_overlay_replaces_merges_and_removes() -> None:
    loaded = load(OVERLAID)
    bot, fleet = loaded.bots["one"], loaded.fleet
    assert fleet is not None
    assert bot.spec.strategy.parameters["spread_bps"] == 20
    assert bot.spec.strategy.parameters["order_size"] == 1
    assert bot.spec.risk.max_open_notional_usd is None
    assert bot.spec.risk.price_band_bps == 77
    assert fleet.accounts["alpha"].balances == {"USDC": Decimal(5), "SOL": Decimal(10)}


def test_a_field_knows_the_overlay_it_came_from() -> None:
    bot = load(OVERLAID).bots["one"]
    assert str(bot.place("strategy.spread_bps")) == "envs/paper/one.yaml:1:24"
    assert str(bot.place("strategy.order_size")) == "bots/one.yaml:3:64"
    assert str(bot.place("risk.price_band_bps")) == "envs/paper/fleet.yaml:4:35"
    assert str(bot.place("accounts.alpha.balances.USDC")) == "envs/paper/fleet.yaml:3:22"


def test_who_asks_for_an_environment_gets_it_whatever_the_fleet_says() -> None:
    assert load(OVERLAID, env="base").bots["one"].spec.strategy.parameters["spread_bps"] == 8
    asked = load(OVERLAID, env="testnet")
    assert [(found.code, found.place.file) for found in asked.diagnostics] == [
        ("unknown-key", "envs/testnet/one.yaml")
    ]
    assert [found.code for found in load(OVERLAID, env="../../etc").diagnostics] == ["unknown-env"]


@pytest.mark.parametrize(("env", "recorded"), [(None, "paper"), ("paper", "paper"), ("base", None)])
def test_the_fleet_records_whose_overlays_it_wears(env: str | None, recorded: str | None) -> None:
    fleet = load(OVERLAID, env=env).fleet
    assert fleet is not None and fleet.env == recorded


def test_an_overlay_that_says_nothing_new_changes_no_fingerprint() -> None:
    overlay = {"envs__paper__one": "strategy: {spread_bps: 8}\n", "envs__paper__fleet": "live: forbidden\n"}
    worn, bare = load(OVERLAID, **overlay), load(OVERLAID, env="base")
    assert fingerprint(worn.bots["one"].spec) == fingerprint(bare.bots["one"].spec)


def test_an_overlay_may_give_a_matrix_other_values() -> None:
    case = GOOD / "matrix-of-accounts-and-markets"
    loaded = load(case, env="paper", envs__paper__many="matrix: {account: [beta], exclude: null}\n")
    assert sorted(loaded.bots) == ["mm-beta-btc-usdc-perp", "mm-beta-sol-usdc-perp"]


def test_an_environment_that_is_not_chosen_is_not_even_parsed() -> None:
    assert not load(OVERLAID, envs__mainnet__one="{ this: is no yaml").diagnostics
