"""Legacy JSON → YAML: every case under tests/cases/legacy, and what holds for whatever the JSON says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.control.importing import Choices, Import, prepare_import
from engine.errors import ConfigInvalid
from engine.host.workspace import Workspace
from engine.spec.facts import no_facts
from engine.spec.legacy.convert import Imported, convert
from engine.spec.legacy.intake import Remark
from engine.spec.legacy.names import NOT_NEEDED, NOT_POSSIBLE
from engine.spec.legacy.writing import account_yaml, bot_yaml
from engine.spec.load import load_fleet

CASES = sorted(path for path in (Path(__file__).parents[1] / "cases" / "legacy").iterdir() if path.is_dir())
SECRET = "s3cretInClear0123456789abcdefABCDEF0123456789="
KNOWN_KEYS = (
    *NOT_NEEDED,
    *NOT_POSSIBLE,
    *("metadata", "daemon_config", "exchange_config", "strategy_config", "bot_args"),
    *(
        "exchange",
        "symbol",
        "strategy",
        "market_type",
        "name",
        "instance_id",
        "api_key",
        "secret_key",
        "private_key",
    ),
    *("grid_num", "grid_upper", "grid_lower", "grid_type", "auto_price", "spread", "quantity", "max_orders"),
    *("max_position", "stop_loss", "duration", "proxy", "base_url", "log_level", "memory_limit_mb"),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from((SECRET, f"${{X:-{SECRET}}}", f"a {SECRET}", "backpack", "perp", "grid", "${SYMBOL}", "1e999")),
)
KEYS = st.one_of(st.sampled_from(KNOWN_KEYS), st.text(max_size=8), st.just(SECRET))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=10
)
SECTIONS = st.dictionaries(KEYS, VALUES, max_size=12)
TRADES = st.fixed_dictionaries(
    {
        "exchange": st.sampled_from(("backpack", "aster", "paradex", "lighter")),
        "symbol": st.sampled_from(("SOL_USDC", SECRET)),
        "strategy": st.sampled_from(("standard", "grid", "perp_grid", "maker_hedge")),
        "market_type": st.sampled_from(("spot", "perp")),
    }
)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_a_case_becomes_exactly_what_is_expected(case: Path, tmp_path: Path) -> None:
    ready = imported(case, tmp_path)
    assert written(ready) == (case / "written.txt").read_text(encoding="utf-8")
    assert remarks(ready) == (case / "remarks.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_every_setting_of_a_case_is_spoken_of_once(case: Path, tmp_path: Path) -> None:
    ready = imported(case, tmp_path)
    document = json.loads((case / "legacy.json").read_text(encoding="utf-8"))
    [bot] = ready.bots.values()
    spoken = [remark.path for remark in bot.remarks]
    for section, inside in document.items():
        if isinstance(inside, dict) and section.endswith(("_config", "metadata")):
            missing = {f"{section}.{key}" for key in inside if "clear" not in key} - set(spoken)
            assert missing == set()


def test_no_secret_in_clear_is_repeated(tmp_path: Path) -> None:
    ready = imported(next(case for case in CASES if case.name == "secrets-in-clear"), tmp_path)
    words = written(ready) + remarks(ready)
    assert "in-clear" not in words and "pa55word" not in words
    [bot] = ready.bots.values()
    assert not bot.is_whole


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1, column 1"),
        ("[]", "no JSON object"),
        ("{}", "exchange, strategy, symbol"),
        ('{"exchange_config": {}, "strategy_config": {}}', "exchange, strategy, symbol"),
        ("[" * 100_000, "no JSON that can be read"),
        ('{"a": NaN}', "no JSON that can be read"),
        ('{"exchange": "ftx", "symbol": "A", "strategy": "grid"}', "none of aster, backpack, lighter, paradex"),
        ('{"exchange": "aster", "symbol": "A", "strategy": "tri_hedge"}', "strategy is not one that is known"),
        ('{"exchange": "aster", "symbol": null, "strategy": "grid"}', "symbol is not one that is known"),
    ],
)
def test_what_is_no_legacy_form_is_refused_with_a_reason(text: str, words: str) -> None:
    with pytest.raises(ConfigInvalid, match=words):
        convert(text, file="some.json")


@given(st.text(max_size=200))
@example('{"exchange": 1')
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(ConfigInvalid):
        convert(text, file="some.json")


@given(metadata=SECTIONS, trades=TRADES, exchange=SECTIONS, strategy=SECTIONS, beside=SECTIONS)
def test_whatever_four_sections_say_no_secret_comes_through(
    metadata: dict[str, object],
    trades: dict[str, str],
    exchange: dict[str, object],
    strategy: dict[str, object],
    beside: dict[str, object],
) -> None:
    sections = {"metadata": {**metadata, **trades}, "exchange_config": exchange, "strategy_config": strategy}
    assert SECRET not in everything_said({**beside, **sections})


@given(flags=st.lists(SCALARS | KEYS.map(lambda key: f"--{key}"), max_size=12), trades=TRADES, beside=SECTIONS)
def test_whatever_flags_say_no_secret_comes_through(
    flags: list[object], trades: dict[str, str], beside: dict[str, object]
) -> None:
    said = [word for name, value in trades.items() for word in (f"--{name.replace('_', '-')}", value)]
    assert SECRET not in everything_said({**beside, "bot_args": [*flags, *said]})


def everything_said(document: dict[str, object]) -> str:
    """All that a person or a file gets to see of it. The YAML is YAML, whether or not it makes a valid bot."""
    try:
        bot = convert(json.dumps(document), file="some.json")
    except ConfigInvalid as error:
        return f"{error.message} {error.hint}"
    text = bot_yaml(bot, account="main", extra={})
    loaded = load_fleet({"bots/some.yaml": text}, environment={}, facts=no_facts)
    assert not any(found.code == "syntax" for found in loaded.diagnostics)
    return f"{text}{account_yaml('main', bot, 'sim')}{bot.remarks}"


def imported(case: Path, root: Path) -> Import:
    given = case / "settings.json"
    settings = json.loads(given.read_text(encoding="utf-8")) if given.exists() else {}
    return prepare_import(Workspace(root=root / "fleet"), [case / "legacy.json"], Choices(settings=settings))


def written(ready: Import) -> str:
    return "\n".join(f"=== {path}\n{text}" for path, text in ready.texts.items())


def remarks(ready: Import) -> str:
    [bot] = ready.bots.values()
    return "".join(f"{remark.fate:<11}  {remark.path}: {remark.words}\n" for remark in sorted_by_fate(bot))


def sorted_by_fate(bot: Imported) -> list[Remark]:
    return sorted(bot.remarks, key=lambda remark: (remark.fate, remark.path))
