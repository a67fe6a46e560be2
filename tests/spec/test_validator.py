"""The quick way through a schema finds what the library's own way finds, and says where in the same words."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from engine.spec import schema, validator

BOTS = [file for file in Path(__file__).parents[2].glob("bots/*.yaml") if file.name != "fleet.yaml"]
PLAIN = [document for file in BOTS if "strategy" in (document := yaml.safe_load(file.read_text()))]
ACCOUNTS = """\
id: lab
accounts:
  one: {venue: paradex, environment: testnet, credentials: {ethereum_private_key: "${KEY}"}}
  two: {venue: paradex, environment: mainnet, credentials: {private_key: "${KEY}"}, options: {order_entry: rest}}
  three: {venue: aster, environment: testnet, leverage: 3}
  four: {venue: backpack, environment: sim, balances: {USDC: 1000}}
"""
FLEETS = [yaml.safe_load(ACCOUNTS), yaml.safe_load((Path(__file__).parents[2] / "bots" / "fleet.yaml").read_text())]
DOCUMENTS = [("bot", document) for document in PLAIN] + [("fleet", document) for document in FLEETS]
SLIPS = st.sampled_from([None, True, -1, 0, 10**9, "", "no", "X\n", "sol-spot", [], ["a"], {}, {"a": 1}])


def by_the_library(document: object, name: str) -> list[tuple[object, ...]]:
    """With the library's own `properties` and `allOf`, which descend as it does everywhere."""
    library: Any = extend(
        Draft202012Validator,
        validators={"pattern": validator._pattern, "if": _if},
        type_checker=Draft202012Validator.TYPE_CHECKER.redefine("number", validator._is_number),
    )
    return told(library(schema.whole(name)).iter_errors(document))


def _if(checker: Any, condition: Any, value: object, whole: Any) -> Any:
    branch = "then" if schema.holds(condition, value) else "else"
    return checker.descend(value, whole[branch], schema_path=branch) if branch in whole else ()


def told(errors: Any) -> list[tuple[object, ...]]:
    """All that complaints are made from, in order."""
    return [
        (
            *map(str, (e.validator, e.validator_value, e.instance, list(e.absolute_path))),
            list(e.absolute_schema_path),
        )
        for e in errors
    ]


def places(node: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [at, *(place for key, value in pairs for place in places(value, (*at, key)))]


@given(st.data())
def test_both_ways_find_the_same(data: st.DataObject) -> None:
    name, whole = data.draw(st.sampled_from(DOCUMENTS))
    document = copy.deepcopy(whole)
    for _ in range(data.draw(st.integers(0, 3))):
        *way, last = data.draw(st.sampled_from([place for place in places(document) if place]))
        node = document
        for step in way:
            node = node[step]
        if data.draw(st.booleans()):
            node[last] = copy.deepcopy(data.draw(SLIPS))
        elif isinstance(node, dict):
            node[data.draw(st.sampled_from(["spread_bsp", "kind"]))] = node.pop(last)
    assert told(validator.validator(name).iter_errors(document)) == by_the_library(document, name)


@pytest.mark.parametrize("document", PLAIN, ids=lambda document: document["metadata"]["name"])
def test_defaults_are_new_each_time_and_leave_what_was_written_alone(document: dict[str, Any]) -> None:
    kept = copy.deepcopy(document)
    first, second = schema.fill_defaults(document, "bot"), schema.fill_defaults(document, "bot")
    first["process"]["stop_timeout_s"] = "changed"
    first.setdefault("risk", {})["changed"] = True
    assert document == kept
    assert "changed" not in (second["process"]["stop_timeout_s"], *second["risk"])
    assert "changed" not in schema.fill_defaults(document, "bot")["risk"]
