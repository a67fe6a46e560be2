"""Imported bots and accounts as YAML, in the layout that people write by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.spec.legacy.convert import Imported
from engine.spec.writing import settings_yaml

_SCHEMA = "# yaml-language-server: $schema=../schemas/{}.schema.json\n"
_LEGS = "exchange.legs."
_BARE = re.compile(r"-?[A-Za-z0-9$][A-Za-z0-9_.\-/${}:]*")
_AMBIGUOUS = frozenset({"yes", "no", "on", "off", "y", "n"})
_PLAY_MONEY = {"aster": "USDT", "aster-spot": "USDT"}


def bot_yaml(bot: Imported, *, account: str, extra: Mapping[str, str]) -> str:
    """A bot file. `extra` are settings by dotted path that somebody gives beside those of the file, or over them;
    with legs among them, what the file trades is the maker leg."""
    place = f"{_LEGS}maker" if any(path.startswith(_LEGS) for path in extra) else "exchange"
    settings = {
        "metadata.name": bot.name,
        f"{place}.account": account,
        f"{place}.market": bot.market,
        **{f"strategy.{key}": scalar for key, scalar in bot.strategy.items()},
        **{f"risk.{key}": scalar for key, scalar in bot.risk.items()},
        **{f"process.{key}": scalar for key, scalar in bot.process.items()},
        **extra,
    }
    written = {path: _scalar(scalar) for path, scalar in settings.items()}
    return _SCHEMA.format("bot") + settings_yaml(written, between="\n\n")


def fleet_yaml(fleet_id: str, accounts: str, *, live: bool) -> str:
    """A fleet file; `accounts` as `account_yaml` wrote them. `live`: one of them is on mainnet."""
    allowed = "live: allowed\n" if live else ""
    return f"{_SCHEMA.format('fleet')}id: {fleet_id}\n{allowed}\naccounts:\n{accounts}"


def account_yaml(name: str, bot: Imported, environment: str) -> str:
    """An account as it stands under `accounts`. A simulated one gets play money, and keeps its references for the
    day when it is not."""
    venue = bot.account.venue
    lines = [f"  {name}:", f"    venue: {venue}", f"    environment: {environment}"]
    if environment == "sim":
        lines.append(f"    balances: {{{_PLAY_MONEY.get(venue, 'USDC')}: 10000}}")
    if bot.account.credentials:
        lines += ["    credentials:", *(f"      {key}: {value}" for key, value in bot.account.credentials.items())]
    return "\n".join(lines) + "\n"


def _scalar(text: str) -> str:
    """As it is where YAML reads just that; in quotes where it would not."""
    if _BARE.fullmatch(text) and text.lower() not in _AMBIGUOUS:
        return text
    return "'" + text.replace("'", "''") + "'"
