"""The cases under tests/cases/spec: what they mean, and how to write their expectations anew.

A case is one bot file, one fleet file (`fleet-*.yaml`), or a folder that is a whole workspace. Beside it, in
`NAME.expected`, stands exactly what a person is shown. After a deliberate change of wording:
`python -m tests.spec.cases`, then read the diff.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from engine.model.instrument import Instrument, MarketKind
from engine.spec.diagnostics import render
from engine.spec.facts import VenueMarkets
from engine.spec.load import Loaded, load_fleet
from engine.spec.types import Environment

CASES = Path(__file__).parents[1] / "cases" / "spec"
BAD = sorted(path for path in (CASES / "bad").iterdir() if path.suffix != ".expected")
GOOD = sorted((CASES / "good").iterdir())

ENVIRONMENT = {
    "SIZE": "2",
    "TEN_WORDS": "one two three four five six seven eight nine ten",
    "EMPTY": "",
    "CONTROL": "a\x00b",
    "API_KEY": "must-never-be-shown",
    "API_SECRET": "must-never-be-shown",
}


def instrument(symbol: str, kind: MarketKind) -> Instrument:
    return Instrument(
        venue="backpack",
        symbol=symbol,
        kind=kind,
        base=symbol.partition("_")[0],
        quote="USDC",
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.01"),
        min_size=Decimal("0.05"),
        maker_fee=Decimal("0.0008"),
        taker_fee=Decimal("0.001"),
    )


MARKETS = VenueMarkets(
    fetched_at_ns=1_790_000_000_000_000_000,
    instruments=(
        instrument("SOL_USDC", MarketKind.SPOT),
        instrument("ETH_USDC", MarketKind.SPOT),
        instrument("SOL_USDC_PERP", MarketKind.PERP),
        instrument("BTC_USDC_PERP", MarketKind.PERP),
    ),
)


def known_markets(venue: str, environment: Environment) -> VenueMarkets | None:
    """Facts for every environment but the testnet's."""
    return None if environment is Environment.TESTNET else MARKETS


def files_of(case: Path) -> dict[str, str]:
    """The workspace a case stands for."""
    if case.is_dir():
        paths = [path for path in case.rglob("*") if path.is_file()]
        return {str(path.relative_to(case)): _text(path) for path in paths}
    if case.name.startswith("fleet-"):
        return {"bots/fleet.yaml": _text(case)}
    return {"bots/fleet.yaml": _text(CASES / "fleet.yaml"), "bots/bot.yaml": _text(case)}


def load_case(case: Path) -> Loaded:
    return load_fleet(files_of(case), environment=ENVIRONMENT, facts=known_markets)


def shown(case: Path) -> str:
    """What a person sees of a case."""
    return "".join(f"{render(diagnostic)}\n" for diagnostic in load_case(case).diagnostics)


def expected_file(case: Path) -> Path:
    return case.with_name(f"{case.name.removesuffix('.yaml')}.expected")


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


if __name__ == "__main__":
    for bad in BAD:
        expected_file(bad).write_text(shown(bad), encoding="utf-8", errors="backslashreplace")
