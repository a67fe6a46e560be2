"""The YAML loader: places, exact values, bounds, and no input that makes it fail."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from decimal import Decimal

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from engine.spec import yaml_loader
from engine.spec.diagnostics import Findings, render
from engine.spec.document import MAX_FILE_BYTES, MappingNode, ScalarNode, data_of, node_at, place_at
from engine.spec.facts import no_facts
from engine.spec.load import load_fleet
from engine.spec.yaml_loader import MAX_NODES, load_yaml
from tests.spec.cases import BAD, CASES, files_of


def parse(text: str) -> MappingNode:
    findings = Findings({"f": text})
    root = load_yaml("f", text, findings)
    assert root is not None
    assert not findings.sorted()
    return root


def complaints(text: str) -> list[str]:
    findings = Findings({"f": text})
    load_yaml("f", text, findings)
    return [diagnostic.code for diagnostic in findings.sorted()]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("0.1", Decimal("0.1")),
        ("-12", -12),
        ("1e-8", Decimal("1e-8")),
        ("1.50", Decimal("1.5")),
        ("no", "no"),
        ("On", "On"),
        ("true", True),
        ("~", None),
        ("", None),
        ("010", "010"),
        ("1:30", "1:30"),
        ("0x1F", "0x1F"),
        (".inf", ".inf"),
        ("2026-11-22", "2026-11-22"),
        ('"1"', "1"),
        ("'true'", "true"),
        ("|\n  1\n", "1\n"),
    ],
)
def test_a_scalar_means_what_it_looks_like(text: str, meaning: object) -> None:
    value = data_of(parse(f"key: {text}"))["key"]
    assert value == meaning
    assert type(value) is type(meaning)


def test_every_key_and_value_knows_its_place() -> None:
    root = parse("a:\n  bc: [1, {d: x}]\n")
    assert str(place_at(root, ("a",))) == "f:1:1"
    assert str(place_at(root, ("a", "bc"))) == "f:2:3"
    assert str(place_at(root, ("a", "bc", 0))) == "f:2:8"
    assert str(place_at(root, ("a", "bc", 1, "d"))) == "f:2:15"
    assert str(place_at(root, ("a", "gone", "too"))) == "f:1:1"


def test_a_key_stays_the_word_it_is() -> None:
    assert list(data_of(parse("on: 1\nno: 2\n1: 3\nnull: 4\n"))) == ["on", "no", "1", "null"]


def test_an_alias_stands_for_its_anchor() -> None:
    assert data_of(parse("a: &x [1, 2]\nb: *x\n")) == {"a": [1, 2], "b": [1, 2]}


def test_a_byte_order_mark_and_windows_line_ends_change_no_place() -> None:
    root = parse("\ufeffa: 1\r\nb: 2\r\n")
    assert str(place_at(root, ("a",))) == "f:1:4"
    assert str(place_at(root, ("b",))) == "f:2:4"


def test_a_file_over_the_bound_is_refused_unread() -> None:
    assert complaints("#" * (MAX_FILE_BYTES + 1)) == ["too-large"]


def test_more_values_than_the_bound_are_refused() -> None:
    assert complaints("a: [" + "1," * MAX_NODES + "]") == ["too-many-values"]


def test_aliases_cannot_nest_deeper_than_the_bound() -> None:
    lines = ["k0: &k0 [x]"] + [f"k{n}: &k{n} {'[' * 20}*k{n - 1}{']' * 20}" for n in range(1, 60)]
    assert complaints("\n".join(lines)) == ["too-deep"]


def test_a_value_under_the_bounds_is_kept_whole() -> None:
    assert len(data_of(parse("a: [" + "1," * (MAX_NODES // 2) + "]"))["a"]) == MAX_NODES // 2


@pytest.fixture
def pure_loader() -> Iterator[None]:
    """The loader as it is where PyYAML came without libyaml."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(yaml, "CSafeLoader")
        importlib.reload(yaml_loader)
        yield
    importlib.reload(yaml_loader)


def test_the_fast_loader_is_used_where_there_is_one() -> None:
    assert yaml_loader._LOADER is yaml.CSafeLoader


def test_without_libyaml_every_case_is_refused_for_the_same_reasons(pure_loader: None) -> None:
    assert yaml_loader._LOADER is yaml.SafeLoader
    for case in BAD:
        for file, text in files_of(case).items():
            fast, pure = Findings({file: text}), Findings({file: text})
            load_yaml(file, text, fast)
            yaml_loader.load_yaml(file, text, pure)
            assert [(d.place, d.code) for d in fast.sorted()] == [(d.place, d.code) for d in pure.sorted()], case


# fmt: off
_PIECES = st.sampled_from([
    "a", ": ", "\n", "  ", "- ", "[", "]", "{", "}", "&x ", "*x", "!!int ", "<<: ", "? ", "|\n", ">", '"', "'",
    "#", "%", "---\n", "...", "\t", "\\", "\ufeff", "\x85", "\u2028", "\x00", "1e9", "${A}", "${", "{{ a }}",
    "{%", "template: t\n", "parameters: ", "metadata", "credentials", "accounts: ", "strategy: ",
    "kind: market_maker", "name: x", "matrix: ", "exclude: ", "include: ", "null", "\ud800", "\U0001f600",
])
# fmt: on


@given(text=st.one_of(st.binary(max_size=200), st.lists(_PIECES, max_size=40).map("".join)))
@example(text=b"\xff\xfe\x00\x00")
@example(text="a: '\\ud800'")
@example(text='a: "\\U0010FFFF\\x00"')
@example(text="[" * 5000)
@example(text="- " * 5000)
@example(text="? " * 5000)
@example(text="metadata: {name: [{{ a }}]}")
@example(text='metadata: {name: ["{{ a }}"]}')
@example(text="a: " + "{{" + "(" * 300 + ")" * 300 + "}}")
def test_no_bytes_make_loading_fail(text: bytes | str) -> None:
    content = text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
    fleet = (CASES / "fleet.yaml").read_text()
    for files in (
        {"bots/fleet.yaml": content},
        {"bots/fleet.yaml": fleet, "bots/a.yaml": content},
        {"bots/fleet.yaml": fleet, "bots/a.yaml": "template: t\nparameters: {a: 1}\n", "templates/t.yaml": content},
        {"bots/fleet.yaml": fleet, "bots/a.yaml": f"matrix: {{a: [1, 2]}}\n{content}"},
        {"bots/fleet.yaml": f"env: e\n{fleet}", "bots/a.yaml": "enabled: true\n", "envs/e/a.yaml": content},
    ):
        for diagnostic in load_fleet(files, environment={"A": "1"}, facts=no_facts).diagnostics:
            render(diagnostic).encode()


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=8))
def test_a_number_comes_out_exactly_as_it_was_written(number: Decimal) -> None:
    node = node_at(parse(f"key: {number:f}"), ("key",))
    assert isinstance(node, ScalarNode)
    assert node.value == number
    assert not isinstance(node.value, float)
