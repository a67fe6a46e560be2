"""Finds the bot that `botctl run` means: one that is applied or declared, one of a file elsewhere, or one of flags.

Whatever it is, it passes what a plan would: the loader with all its diagnostics, the fleet's policy, and the word
for real money. Who runs it takes the locks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from engine import __version__
from engine.control.desired import env_in_force, invalid, load_in_force, resolve_desired
from engine.control.policy import findings
from engine.errors import ConfigInvalid, Conflict, UsageError
from engine.host.direct import drop_direct, keep_direct
from engine.host.generation import AppliedBot, GenerationMeta, read_current, read_current_bot
from engine.host.locks import is_free
from engine.host.workspace import Workspace
from engine.model.value import Value
from engine.plan.desired import Desired, DesiredBot
from engine.plan.risks import mainnet, require_accepted
from engine.plan.upholding import require_allowed
from engine.runtime.journal_reader import live_orders
from engine.runtime.service import applied_reader
from engine.spec.diagnostics import nearest
from engine.spec.document import MAX_FILE_BYTES
from engine.spec.said import ENVIRONMENT, FLAGS, Said, Settings, default_name
from engine.spec.types import AccountSpec, Environment

Tell = Callable[[str], None]

_SUFFIXES = (".yaml", ".yml")
_LEGS = "exchange.legs."
_ALONE = "leave the name out: flags alone make a bot"


class Wish(Value, frozen=True, kw_only=True):
    """What somebody typed. `target` is a bot's name or a file; None: the flags are all there is."""

    target: str | None = None
    over: Settings = {}
    under: Settings = {}
    environment: Environment | None = None
    accepted: Collection[str] = ()

    @property
    def file(self) -> Path | None:
        """The file that is meant, where it is one."""
        is_file = self.target is not None and (self.target.endswith(_SUFFIXES) or "/" in self.target)
        return Path(self.target) if is_file and self.target else None


class Runnable(Value, frozen=True, kw_only=True):
    """A bot that may run. `is_applied`: it is the one of the generation in force, read again at every reload;
    `is_declared`: it is of the fleet, and verbs know its name."""

    name: str
    is_applied: bool
    is_declared: bool
    read_applied: Callable[[], AppliedBot]


def find_runnable(workspace: Workspace, wish: Wish, tell: Tell) -> Runnable:
    """The bot that is meant, checked; ConfigInvalid, Refused, Conflict or UsageError say why it cannot run."""
    if wish.target is None:
        return _made_of_flags(workspace, wish, tell)
    if wish.environment is not None:
        raise UsageError("--environment is for a bot made of flags: the account of a file has its own")
    file = wish.file
    if file is None:
        return _declared(workspace, wish.target, wish, tell)
    if file.absolute().parent.resolve() == workspace.bots.resolve():
        return _declared(workspace, _bot_of(workspace, file), wish, tell)
    return _of_file(workspace, file, wish, tell)


def read_bot_file(file: Path) -> str:
    """A bot file from anywhere; bytes that are no UTF-8 are the loader's to report."""
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_FILE_BYTES + 1).decode("utf-8", "surrogateescape")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", hint="botctl run NAME or FILE.yaml") from error


@contextmanager
def running_directly(workspace: Workspace, applied: AppliedBot) -> Iterator[None]:
    """While a bot runs that no generation holds, and as long as it may have left something, others find it."""
    name = applied.spec.name
    lock = workspace.locks / name
    if is_free(lock):  # Whoever has it is told of by `run_process`, and keeps what is remembered.
        keep_direct(workspace, applied)
    try:
        yield
    finally:
        if is_free(lock) and not any(map(live_orders, (workspace.journals / name).glob("*.sqlite"))):
            drop_direct(workspace, name)


def _declared(workspace: Workspace, name: str, wish: Wish, tell: Tell) -> Runnable:
    """What is applied, as it is. Flags go over its file, which must then say what is applied: nobody trades by
    accident what nobody planned."""
    if FLAGS["name"] in wish.over:
        raise UsageError(f"{name} has its name", hint="--name is for a bot made of flags, or of a file elsewhere")
    applied = read_current_bot(workspace, name)
    if applied and not wish.over:
        return Runnable(name=name, is_applied=True, is_declared=True, read_applied=applied_reader(workspace, name))
    if applied:
        _require_in_force(_resolved(workspace, name, None, tell), applied)
    said = Said(bot=name, over=wish.over, under={} if applied else wish.under)
    desired = _resolved(workspace, name, said, tell)
    if applied:
        _require_same_place(desired, applied)
    else:
        tell(f"{name} was never applied; running it as {desired.bots[name].file} says")
    return _checked(workspace, desired, name, wish, said, tell)


def _resolved(workspace: Workspace, name: str, said: Said | None, tell: Tell) -> Desired:
    desired = resolve_desired(workspace, tell, env_in_force(workspace), said)
    if name not in desired.bots:
        raise ConfigInvalid(f"no bot {name!r} in {workspace.bots}", hint=f"bots: {', '.join(sorted(desired.bots))}")
    return desired


def _require_in_force(desired: Desired, applied: AppliedBot) -> None:
    name = applied.spec.name
    if desired.bots[name].fingerprint != applied.fingerprint:
        raise Conflict(
            f"flags cannot go over {name}: {desired.bots[name].file} says something else than what is applied",
            hint=f"`botctl plan {name}` shows the difference; apply it, or take it back",
        )


def _require_same_place(desired: Desired, applied: AppliedBot) -> None:
    """Whoever halts or forgets an applied bot looks where it was applied."""
    name, spec = applied.spec.name, desired.bots[applied.spec.name].spec
    if (spec.legs, spec.strategy.kind) != (applied.spec.legs, applied.spec.strategy.kind):
        raise UsageError(f"on another account or market, or with another strategy, this is not {name}", hint=_ALONE)


def _bot_of(workspace: Workspace, file: Path) -> str:
    """The one bot of a file in bots/."""
    where = f"{workspace.bots.name}/{file.name}"
    names = sorted(name for name, bot in load_in_force(workspace).bots.items() if bot.file == where)
    if len(names) == 1:
        return names[0]
    if not names:
        raise ConfigInvalid(f"{file} declares no bot that can run", hint="`botctl validate` shows why")
    raise UsageError(f"{file} declares {len(names)} bots", hint=f"botctl run {' or '.join(names[:3])}")


def _of_file(workspace: Workspace, file: Path, wish: Wish, tell: Tell) -> Runnable:
    said = Said(file=str(file.absolute()), text=read_bot_file(file), over=wish.over, under=wish.under)
    said = replace(said, file=str(file)) if file.parts[0] not in ("bots", "templates", "envs") else said
    desired = resolve_desired(workspace, tell, env_in_force(workspace), said)
    names = [name for name, bot in desired.bots.items() if bot.file == said.file]
    if len(names) != 1:
        raise UsageError(f"{file} declares {len(names)} bots, and one can be run", hint="put it into bots/")
    _require_free_name(workspace, names[0])
    return _checked(workspace, desired, names[0], wish, said, tell)


def _made_of_flags(workspace: Workspace, wish: Wish, tell: Tell) -> Runnable:
    said = Said(over=wish.over, under=wish.under)
    _require_whole(said)
    if not _has_legs(said) and said.find("account") is None:
        account = _only_account(_accounts(workspace), said.find("exchange") or "", wish.environment)
        said = replace(said, over={**said.over, FLAGS["account"]: account})
    name = said.find("name") or default_name(said)
    said = replace(said, over={FLAGS["name"]: name, **said.over})
    _require_free_name(workspace, name)
    desired = resolve_desired(workspace, tell, env_in_force(workspace), said)
    return _checked(workspace, desired, name, wish, said, tell)


def _require_whole(said: Said) -> None:
    needed = ["strategy", "name"] if _has_legs(said) else ["exchange", "symbol", "strategy"]
    missing = [f"--{flag}" for flag in needed if said.find(flag) is None]
    if missing:
        raise UsageError(
            f"what is to run? Neither a bot nor a file is named, and {', '.join(missing)} is missing",
            hint="botctl run NAME, botctl run FILE.yaml, or botctl run --exchange … --symbol … --strategy …",
        )


def _has_legs(said: Said) -> bool:
    return any(path.startswith(_LEGS) for path in (*said.over, *said.under))


def _accounts(workspace: Workspace) -> Mapping[str, AccountSpec]:
    loaded = load_in_force(workspace)
    if loaded.fleet is None:
        raise invalid(loaded)
    return loaded.fleet.accounts


def _only_account(accounts: Mapping[str, AccountSpec], venue: str, environment: Environment | None) -> str:
    at_venue = {name: account for name, account in sorted(accounts.items()) if account.venue == venue}
    fitting = [name for name, account in at_venue.items() if environment in (None, account.environment)]
    if len(fitting) == 1:
        return fitting[0]
    which = f"{environment} account" if environment else "account"
    if fitting:
        raise UsageError(f"fleet.yaml has several {which}s at {venue}", hint=f"--account {' or '.join(fitting)}")
    hint = nearest(venue, {account.venue for account in accounts.values()})
    raise UsageError(f"fleet.yaml has no {which} at {venue}", hint=hint or "add one to bots/fleet.yaml")


def _require_free_name(workspace: Workspace, name: str) -> None:
    """Of names that files declare, the loader knows."""
    if read_current_bot(workspace, name) is not None:
        raise Conflict(f"{name} is applied, and this is another bot", hint=f"--name, or botctl run {name} as it is")


def _checked(workspace: Workspace, desired: Desired, name: str, wish: Wish, said: Said, tell: Tell) -> Runnable:
    """The policy and the word for real money; what came from variables is told, for they are easily forgotten."""
    bot = desired.bots[name]
    _require_environment(bot, wish.environment)
    require_allowed(findings(workspace, replace(desired, bots={name: bot})))
    generation = read_current(workspace) if _is_live(bot) else None
    require_accepted(mainnet(generation.bots.values() if generation else (), [bot.spec]), wish.accepted)
    for path, place in bot.places.items():
        if place.startswith(f"{ENVIRONMENT}:") and path in said.under:
            tell(f"from the environment: {path}: {said.under[path]}")
    fingerprints = {name: bot.fingerprint}
    meta = GenerationMeta(number=0, created_at="", who="", version=__version__, fingerprints=fingerprints)
    applied = AppliedBot(meta=meta, fleet=desired.fleet, spec=bot.spec)
    return Runnable(name=name, is_applied=False, is_declared=bool(said.bot), read_applied=lambda: applied)


def _require_environment(bot: DesiredBot, environment: Environment | None) -> None:
    for account in bot.spec.accounts.values():
        if environment not in (None, account.environment):
            raise UsageError(f"account {account.name} is on {account.environment}, not on {environment}")


def _is_live(bot: DesiredBot) -> bool:
    """Whether real money is meant."""
    return any(account.environment is Environment.MAINNET for account in bot.spec.accounts.values())
