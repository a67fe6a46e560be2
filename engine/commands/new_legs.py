"""The questions of `botctl new` about one leg: its venue, its account and its market."""

from __future__ import annotations

from engine.commands.asking import Asker
from engine.control.newcomer import Ground, markets_of, taken_by, with_simulated_account
from engine.errors import UsageError
from engine.model.instrument import Instrument
from engine.model.value import Value
from engine.spec.diagnostics import nearest
from engine.spec.schema import venue_names


class Said(Value, frozen=True, kw_only=True):
    """What flags say of a leg. `prefix` is how its flags begin."""

    exchange: str | None = None
    account: str | None = None
    symbol: str | None = None
    adds_account: bool = False
    prefix: str = "--"


class Leg(Value, frozen=True, kw_only=True):
    """One leg that is decided."""

    account: str
    instrument: Instrument

    @property
    def market(self) -> str:
        return self.instrument.symbol


def choose_leg(asker: Asker, ground: Ground, said: Said) -> tuple[Ground, Leg]:
    """The leg, and the workspace with its account if that is a new one."""
    if said.account not in ground.fleet.accounts or said.exchange is not None:
        ground, account = _of_venue(asker, ground, said)
    else:
        account = said.account
    spec, flag = ground.fleet.accounts[account], f"{said.prefix}symbol"
    known = {instrument.symbol: instrument for instrument in markets_of(ground, spec)}
    if said.symbol in known and (bot := taken_by(ground, account, said.symbol)):
        raise UsageError(f"bot {bot} trades {said.symbol} on account {account} already", hint=f"another {flag}")
    free = [symbol for symbol in known if not taken_by(ground, account, symbol)]
    market = asker.choose(f"market of {spec.venue}", flag, said.symbol, free)
    return ground, Leg(account=account, instrument=known[market])


def _of_venue(asker: Asker, ground: Ground, said: Said) -> tuple[Ground, str]:
    """An account at the venue that is said or asked for."""
    accounts = ground.fleet.accounts
    first = next((account.venue for account in accounts.values()), "")
    venue = asker.choose("venue", "--exchange", said.exchange, venue_names(), first)
    fitting = [name for name, account in accounts.items() if account.venue == venue]
    name = said.account or _name(asker, venue, fitting, f"{said.prefix}account")
    if name in fitting:
        return ground, name
    if name in accounts:
        raise UsageError(f"account {name} is at {accounts[name].venue}, not at {venue}", hint=nearest("", fitting))
    if not said.adds_account and not _agrees(asker, name, venue):
        hint = f"--add-account adds it; {nearest(name, accounts) or 'fleet.yaml has none yet'}"
        raise UsageError(f"fleet.yaml has no account {name}", hint=hint)
    return with_simulated_account(ground, name, venue), name


def _name(asker: Asker, venue: str, fitting: list[str], flag: str) -> str:
    if not asker.can_ask:
        return asker.choose("account", flag, None, fitting) if fitting else venue
    known = (
        f"account ({', '.join(fitting)}, or a new name)" if fitting else "account: none is there yet, so a new name"
    )
    return asker.ask(known, (fitting or [venue])[0])


def _agrees(asker: Asker, name: str, venue: str) -> bool:
    question = f"fleet.yaml has no {name}: add it, simulated on {venue}, with play money?"
    return asker.can_ask and asker.agrees(question)
