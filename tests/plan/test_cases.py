"""Every file in tests/cases/plan is one plan: what is declared, what is seen, and how the plan reads.

A case says `declared` bots (with what differs from the usual one), `applied` bots, and per bot what was `seen`.
"""

from __future__ import annotations

from pathlib import Path

import jsonschema
import msgspec
import pytest
import yaml

from engine.plan.diff import diff
from engine.plan.document import plan_document
from engine.plan.render import Density, render
from engine.resources import resource
from tests.plan.words import desired, observed

CASES = sorted((Path(__file__).parents[1] / "cases" / "plan").glob("*.yaml"))
SCHEMA = msgspec.json.decode(resource("schemas", "plan.schema.json").read_bytes())


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_plan_reads_as_its_case_says(case: Path) -> None:
    words = yaml.safe_load(case.read_text())
    plan = diff(desired(words), observed(words))
    assert render(plan, density=Density[words.get("density", "lines").upper()]) == words["text"].rstrip("\n")


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_plan_as_json_fits_its_schema(case: Path) -> None:
    words = yaml.safe_load(case.read_text())
    plan = diff(desired(words), observed(words))
    document = msgspec.json.decode(msgspec.json.encode(plan_document(plan)))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert document["has_changes"] is words["changes"]
