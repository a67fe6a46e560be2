"""The account of a legacy file: its venue, and references to its secrets.

A secret that stands in the file itself is never carried: its place is taken by a reference, and whoever imports is
told to put it into .env. Nothing here returns or reports a value that is not a plain `${VARIABLE}`.
"""

from __future__ import annotations

import re

from engine.model.value import Value
from engine.spec.legacy.forms import Field
from engine.spec.legacy.intake import Intake
from engine.spec.legacy.strategies import SPOT, Section

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]{0,60})(:-[^}]*)?\}")
_SECRETS = {
    "backpack": {"api_key": "api_key", "api_secret": "api_secret"},
    "aster": {"api_key": "api_key", "api_secret": "api_secret"},
    "paradex": {"private_key": "private_key", "api_secret": "private_key", "account_address": "account_address"},
    "lighter": {
        "api_private_key": "api_private_key",
        "api_key": "api_private_key",
        "account_index": "account_index",
        "api_key_index": "api_key_index",
    },
}
"""By the venue's name there: each secret's name there and here; of two for one, the first that is said counts."""
_VARIABLES = {
    "backpack": {"api_key": "BACKPACK_KEY", "api_secret": "BACKPACK_SECRET"},
    "aster": {"api_key": "ASTER_API_KEY", "api_secret": "ASTER_SECRET_KEY"},
    "paradex": {"private_key": "PARADEX_PRIVATE_KEY", "account_address": "PARADEX_ACCOUNT_ADDRESS"},
    "lighter": {
        "api_private_key": "LIGHTER_PRIVATE_KEY",
        "account_index": "LIGHTER_ACCOUNT_INDEX",
        "api_key_index": "LIGHTER_API_KEY_INDEX",
    },
}
"""Where the old program looked for what no file said: the .env beside it can be taken over as it is."""
_PROXY = "HTTPS_PROXY"
_HOSTS = (
    "api.backpack.exchange",
    "api.backpack.work",
    "fapi.asterdex.com",
    "sapi.asterdex.com",
    "api.prod.paradex.trade",
    "mainnet.zklighter.elliot.ai",
)
"""Where the venues are anyway."""
VENUES = frozenset(_SECRETS)


class ImportedAccount(Value, frozen=True, kw_only=True):
    """What fleet.yaml must know: the venue here, and its credentials as references."""

    venue: str
    credentials: Section


def account_of(exchange: str, market_type: str | None, intake: Intake) -> ImportedAccount:
    """The account that the settings speak of; `exchange` is one of VENUES."""
    venue = "aster-spot" if exchange == "aster" and market_type == SPOT else exchange
    credentials: Section = {}
    for name, here in _SECRETS[exchange].items():
        field = intake.secret(name)
        if field is not None and here in credentials:
            intake.lost(field, f"credentials.{here} is said already")
        elif field is not None and field.value:
            variable = _VARIABLES[exchange][here]
            credentials[here] = _reference(field, variable, f"credentials.{here}", intake)
    unsaid = {here: variable for here, variable in _VARIABLES[exchange].items() if here not in credentials}
    _check_address(intake)
    return ImportedAccount(
        venue=venue, credentials={**credentials, **{here: f"${{{name}}}" for here, name in unsaid.items()}}
    )


def proxy_of(intake: Intake) -> str | None:
    """The bot's proxy, as a reference."""
    field = intake.secret("proxy")
    return _reference(field, _PROXY, "process.proxy", intake) if field is not None and field.value else None


def _reference(field: Field, variable: str, to: str, intake: Intake) -> str:
    """The variable that holds the secret: the file's own one, else `variable` for what stood there in clear."""
    found = _VARIABLE.fullmatch(field.value) if isinstance(field.value, str) else None
    variable = found[1] if found else variable
    if found is None:
        words = f"a secret stands in the file: put it into .env as {variable}, and delete it from the file"
        intake.lost(field, words)
    elif found[2]:
        intake.lost(field, f"a secret has no default: put it into .env as {variable}")
    else:
        intake.carried(field, to)
    return f"${{{variable}}}"


def _check_address(intake: Intake) -> None:
    """The venue's own address needs no setting; any other one is a loss."""
    field = intake.secret("base_url")
    if field is None or not field.value:
        return
    text = str(field.value)
    found = _VARIABLE.fullmatch(text)
    written = (found[2] or "").removeprefix(":-") if found else text
    if any(re.fullmatch(rf"https://{re.escape(host)}(/[\w/]{{0,20}})?", written) for host in _HOSTS):
        intake.note(field.path, "the venue's own address, which is known here")
    else:
        intake.lost(field, "another address of the venue is written under `venues` in fleet.yaml")
