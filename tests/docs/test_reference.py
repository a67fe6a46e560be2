"""The guides name what there is, and nothing that there is not: verbs, options, exit codes, keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from cli import VERBS
from engine import errors
from engine.control.statistics import BotStatistics
from engine.spec.schema import fields_of_schema, strategy_kinds
from engine.trading import statistics
from engine.trading.tally import Timed

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "docs" / "guides"
COMMANDS = (GUIDES / "commands.md").read_text(encoding="utf-8")
WRITING_BOTS = (GUIDES / "writing-bots.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^##|\Z)", COMMANDS, re.MULTILINE | re.DOTALL))
EVERYWHERE = {"--help", "-C", "--directory"}


def options(verb: str) -> set[str]:
    """Every option a verb takes, beside those that all verbs take."""
    app = typer.Typer(add_completion=False)
    app.command()(import_module(f"engine.commands.{VERBS[verb].module}").command)
    parameters = typer.main.get_command(app).params
    return {name for parameter in parameters for name in parameter.opts if name.startswith("-")} - EVERYWHERE


def keys(node: object) -> Iterator[str]:
    """Every property name a schema defines, at any depth."""
    if isinstance(node, dict):
        properties: dict[str, Any] = node.get("properties", {})
        yield from properties
        for value in node.values():
            yield from keys(value)
    elif isinstance(node, list):
        for value in node:
            yield from keys(value)


def test_every_verb_has_a_section_and_every_section_a_verb() -> None:
    assert SECTIONS.keys() == VERBS.keys()


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_of_a_verb_is_explained(verb: str) -> None:
    missing = {name for name in options(verb) if f"`{name}" not in SECTIONS[verb]}
    assert missing == set()


def test_every_exit_code_is_explained() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    explained = {int(code) for code in re.findall(r"^\| (\d+) \|", COMMANDS, re.MULTILINE)}
    assert explained == {0, 2} | {kind.exit_code for kind in kinds if issubclass(kind, errors.BotctlError)}


@pytest.mark.parametrize(
    "name", ["fleet", "bot", "common", "strategies/market_maker", "strategies/perp_market_maker"]
)
def test_every_key_of_the_files_is_explained(name: str) -> None:
    schema = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    missing = {key for key in keys(schema) if not re.search(rf"\b{key}\b", WRITING_BOTS)}
    assert missing == set()


def test_every_figure_of_the_statistics_is_explained() -> None:
    guide = (GUIDES / "statistics.md").read_text(encoding="utf-8")
    shapes = (
        BotStatistics,
        statistics.LegStatistics,
        statistics.LevelStatus,
        statistics.Statistics,
        statistics.OrderCounts,
        statistics.TouchTimes,
        statistics.Whole,
    )
    figures = {name.removesuffix("_ns") for shape in shapes for name in shape.__struct_fields__} | set(Timed)
    assert {name for name in figures if f"`{name}`" not in guide} == set()


@pytest.mark.parametrize("kind", strategy_kinds())
def test_every_strategy_has_a_page_that_explains_each_of_its_parameters(kind: str) -> None:
    page = (ROOT / "docs" / "strategies" / f"{kind}.md").read_text(encoding="utf-8")
    parameters = page.partition("## Parameters")[2]
    schema = json.loads((ROOT / "schemas" / "strategies" / f"{kind}.schema.json").read_text(encoding="utf-8"))
    assert {key for key in keys(schema) if f"`{key}`" not in parameters} == set()
    assert "```text" in page and "When it wins" in page


@pytest.mark.parametrize("kind", strategy_kinds())
def test_a_strategys_page_names_the_defaults_of_its_schema(kind: str) -> None:
    page = (ROOT / "docs" / "strategies" / f"{kind}.md").read_text(encoding="utf-8")
    for (name, *below), field in fields_of_schema(f"strategies/{kind}"):
        if below or "default" not in field or field["default"] is None or isinstance(field["default"], dict):
            continue
        (row,) = re.findall(rf"^\| .*`{name}`.*$", page, re.MULTILINE)
        default = field["default"]
        shown = str(default).lower() if isinstance(default, bool) else str(default)
        assert row.split("|")[3].strip() in (shown, f"`{shown}`"), name
