"""One short text that changes exactly when a bot's meaning does. Plans compare it, engines acknowledge it.

It must survive upgrades: a newer botctl that gives the same files another fingerprint would restart the fleet.
So the form is canonical (sorted, numbers by value, absent equals null) and carries a version. A new field
must mean nothing while null; anything else needs a new version.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec

from engine.model.instrument import plain
from engine.spec.types import BotSpec, FleetSpec

VERSION = "v1"


def fingerprint(spec: BotSpec) -> str:
    """`v1:` and 12 hex characters, over what means something to the running process.

    Labels, `enabled`, and the owner and leverage of accounts are for people and plans; accounts count only when a
    leg uses them.
    """
    used = {leg.account for leg in spec.legs.values()}
    meaning = {
        "name": spec.name,
        "legs": spec.legs,
        "accounts": {name: account.as_felt for name, account in spec.accounts.items() if name in used},
        "strategy": spec.strategy,
        "risk": spec.risk,
        "process": spec.process,
        "budgets": spec.budgets,
    }
    return _digest(meaning)


def says_the_same(one: BotSpec | None, other: BotSpec | None) -> bool:
    """Whether nothing at all differs, labels included. A field that a newer version added and that is null says
    nothing either."""
    return one == other or _canonical(one) == _canonical(other)


def simulator_fingerprint(fleet: FleetSpec, venue: str) -> str:
    """The same for one simulated venue of a fleet; the fleet's id counts, its accounts' keys grow from it."""
    return _digest({"fleet": fleet.id, "sim": fleet.sims[venue]})


def _digest(meaning: dict[str, Any]) -> str:
    canonical = msgspec.json.encode(_canonical(meaning), order="sorted")
    return f"{VERSION}:{sha256(canonical).hexdigest()[:12]}"


def _canonical(value: Any) -> Any:
    """Numbers as plain text by value, structs as mappings, nulls left out."""
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, dict):
        return {str(key): _canonical(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value
