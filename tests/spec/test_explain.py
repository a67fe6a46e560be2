"""`botctl explain`: every setting of a bot, with its meaning and the line that decided it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cli
from engine.errors import ConfigInvalid, UsageError
from engine.spec.explain import Setting, explain, matching
from engine.spec.masking import mask
from tests.spec.cases import CASES, ENVIRONMENT, GOOD, load_case


def settings(case: str, bot: str) -> dict[str, Setting]:
    return {one.path: one for one in explain(load_case(CASES / "good" / case).bots[bot])}


def told(one: Setting) -> tuple[str | None, str | None, str, list[str]]:
    return one.value, one.source, str(one.place), [f"{step} {step.place}" for step in one.given]


@pytest.mark.parametrize("case", GOOD, ids=lambda path: path.name)
def test_every_setting_of_every_bot_is_explained_and_agrees_with_its_spec(case: Path) -> None:
    for bot in load_case(case).bots.values():
        found = {one.path: one for one in explain(bot)}
        for parameter in bot.spec.strategy.parameters:
            assert matching(tuple(found.values()), f"strategy.{parameter}"), parameter
        assert found["metadata.name"].value == mask(bot.spec.name)
        assert all(one.description for one in found.values())
        assert not any(ENVIRONMENT["API_SECRET"] in str(one) for one in found.values())


def test_each_layer_is_named_with_its_line() -> None:
    made = settings("template-with-overrides", "made")
    assert told(made["strategy.layers"]) == ("4", "bot", "bots/made.yaml:6:20", [])
    size = ("3", "template", "templates/perp.yaml:11:17", ["parameter `size` bots/made.yaml:4:9"])
    assert told(made["strategy.order_size"]) == size
    assert told(made["risk.max_orders_per_minute"])[:3] == ("30", "fleet", "bots/fleet.yaml:10:54")
    assert told(made["risk.capital_usd"]) == ("null", "default", "None", [])
    assert made["strategy.pricing"].source == "default"
    assert told(made["strategy.risk_aversion"]) == (None, None, "None", [])


def test_a_value_of_a_matrix_is_followed_through_the_template() -> None:
    made = settings("matrix-over-a-template", "mm-btc-usdc-perp")
    assert told(made["exchange.market"])[3] == [
        "parameter `market` bots/many.yaml:6:38",
        "matrix `market` bots/many.yaml:3:27",
    ]


def test_an_overlay_is_named_for_bots_and_for_accounts() -> None:
    one = settings("overlay-of-a-bot-and-the-fleet", "one")
    assert told(one["strategy.spread_bps"])[:3] == ("20", "overlay", "envs/paper/one.yaml:1:24")
    assert told(one["accounts.alpha.balances.USDC"])[:3] == ("5", "overlay", "envs/paper/fleet.yaml:3:22")
    assert one["accounts.alpha.balances.SOL"].source == "fleet"


def test_a_setting_has_its_unit_its_default_and_what_a_change_costs() -> None:
    made = settings("template-with-overrides", "made")
    band, account = made["risk.price_band_bps"], made["exchange.account"]
    assert (band.unit, band.default, band.impact) == ("basis points", "500", "in place")
    assert (account.unit, account.default, account.impact) == (None, None, "replace")
    assert made["process.stop_timeout_s"].unit == "seconds"


def test_a_secret_is_shown_as_the_reference_it_is() -> None:
    live = settings("live-and-simulated", "on-main")
    assert live["accounts.main.credentials.api_key"].value == "${API_KEY}"
    assert live["accounts.main.credentials.api_secret.file"].value == "secrets/backpack"


@pytest.fixture
def workspace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    cli.run(["init", str(tmp_path)])
    capsys.readouterr()
    return tmp_path


def test_a_key_may_be_a_path_a_part_or_a_last_word(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for key, paths in {
        "risk.max_position": ["risk.max_position"],
        "max_position": ["risk.max_position"],
        "strategy.layer_step": [f"strategy.layer_step.{one}" for one in ("bps", "ticks", "ratio")],
    }.items():
        assert cli.run(["explain", "sol-perp", key, "--json", "-C", str(workspace)]) == 0
        assert [one["path"] for one in json.loads(capsys.readouterr().out)["settings"]] == paths


def test_one_setting_is_shown_with_everything_about_it(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["explain", "sol-perp", "spread_bps", "-C", str(workspace)])
    assert capsys.readouterr().out.splitlines() == [
        "strategy.spread_bps: 5",
        "  set at    templates/two-sided-perp.yaml:17:17 (template)",
        "  parameter `spread_bps` bots/sol-perp.yaml:7:73",
        "  meaning   Width of the first layer in basis points of the mid: from the first bid to the first ask.",
        "  unit      basis points",
        "  impact    in place: what a change asks of the running bot",
    ]


def test_a_miss_names_what_is_nearest(workspace: Path) -> None:
    with pytest.raises(UsageError) as no_bot:
        cli.run(["explain", "solperp", "-C", str(workspace)])
    assert no_bot.value.hint == "did you mean `sol-perp`?"
    with pytest.raises(UsageError) as no_key:
        cli.run(["explain", "sol-perp", "spred_bps", "-C", str(workspace)])
    assert no_key.value.hint == "did you mean `spread_bps`?"


def test_a_bot_with_errors_cannot_be_explained_and_its_neighbours_can(workspace: Path) -> None:
    file = workspace / "bots" / "sol-spot.yaml"
    file.write_text(file.read_text().replace("spread_bps: 8", "spread_bps: wide"))
    with pytest.raises(ConfigInvalid, match="must be a number, not 'wide'"):
        cli.run(["explain", "sol-spot", "-C", str(workspace)])
    assert cli.run(["explain", "sol-perp", "-C", str(workspace)]) == 0


def test_an_environment_that_is_asked_for_is_explained(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / "envs" / "paper").mkdir(parents=True)
    (workspace / "envs" / "paper" / "sol-perp.yaml").write_text("parameters: {size: 4}\n")
    cli.run(["explain", "sol-perp", "order_size", "--env", "paper", "-C", str(workspace)])
    assert "parameter `size` envs/paper/sol-perp.yaml:1:20" in capsys.readouterr().out
