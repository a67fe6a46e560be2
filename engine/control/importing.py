"""Brings bots of the earlier program into a workspace: finds each its account, checks all, then writes new files.

Nothing is written before the loader has accepted everything, and no file is ever changed: where fleet.yaml is there
already and lacks an account, whoever imports is shown the lines to add to it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.control.facts import known_facts
from engine.errors import ConfigInvalid, Refused, UsageError
from engine.host.env_file import read_env_file
from engine.host.sources import read_sources
from engine.host.workspace import Workspace
from engine.model.value import Value
from engine.spec.diagnostics import Diagnostic, render
from engine.spec.document import MAX_FILE_BYTES
from engine.spec.documents import FLEET_FILE
from engine.spec.legacy.convert import Imported, convert
from engine.spec.legacy.writing import account_yaml, bot_yaml, fleet_yaml
from engine.spec.load import Loaded, load_fleet
from engine.spec.masking import mask
from engine.spec.types import AccountSpec, Environment


class Choices(Value, frozen=True, kw_only=True):
    """What the person says beside the files. `account` and `name` None: found out; `settings` by dotted path."""

    account: str | None = None
    name: str | None = None
    environment: Environment = Environment.SIM
    settings: Mapping[str, str] = {}


class Import(Value, frozen=True, kw_only=True):
    """Ready to be written: the bots by legacy file, and the new texts by path in the workspace."""

    bots: dict[Path, Imported]
    texts: dict[str, str]
    warnings: tuple[Diagnostic, ...]
    """What the loader says of the new files; nothing of it is an error."""


def prepare_import(workspace: Workspace, files: Sequence[Path], choices: Choices) -> Import:
    """Everything that importing these files would write. ConfigInvalid for a file that is no legacy form or makes
    no valid bot, Refused where something would be overwritten."""
    bots = {file: _converted(file, choices) for file in files}
    texts = read_sources(workspace)
    fleet = _accounts_of(workspace, texts) if FLEET_FILE in texts else None
    names = _new_accounts(bots, choices) if fleet is None else _known_accounts(bots, fleet, choices)
    new: dict[str, str] = {}
    for file, bot in bots.items():
        path = f"bots/{bot.name}.yaml"
        if path in texts or path in new:
            hint = "import them one by one with --name" if path in new else "give it another --name"
            raise Refused(f"{path} is there already; {file} would overwrite it", hint=hint)
        new[path] = bot_yaml(bot, account=names[file], extra=choices.settings)
    if fleet is None:
        new[FLEET_FILE] = _fleet(workspace, {names[file]: bot for file, bot in bots.items()}, choices)
    warnings = _checked(workspace, {**texts, **new}, new)
    return Import(bots=bots, texts=new, warnings=warnings)


def write_import(workspace: Workspace, ready: Import) -> None:
    """Write the new files; Refused, and nothing more is written, when one came to be meanwhile."""
    workspace.bots.mkdir(parents=True, exist_ok=True)
    for path, text in ready.texts.items():
        try:
            with (workspace.root / path).open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError as error:
            raise Refused(f"{path} has come to be meanwhile", hint="look at it, then import again") from error


def _converted(file: Path, choices: Choices) -> Imported:
    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_FILE_BYTES + 1).decode("utf-8-sig")
        bot = convert(text, file=file.name)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", hint="botctl import FILE.json") from error
    except UnicodeDecodeError as error:
        raise ConfigInvalid(f"{file} is no text in UTF-8") from error
    except ConfigInvalid as error:
        raise ConfigInvalid(f"{file}: {error.message}", hint=error.hint) from error
    return bot.called(choices.name) if choices.name else bot


def _accounts_of(workspace: Workspace, texts: Mapping[str, str]) -> Mapping[str, AccountSpec]:
    """The accounts that fleet.yaml has; ConfigInvalid while it is not valid itself."""
    loaded = _load(workspace, {FLEET_FILE: texts[FLEET_FILE]})
    if loaded.fleet is None or loaded.has_errors:
        raise ConfigInvalid(_words(loaded.diagnostics), hint="correct fleet.yaml first: `botctl validate`")
    return loaded.fleet.accounts


def _known_accounts(
    bots: Mapping[Path, Imported], known: Mapping[str, AccountSpec], choices: Choices
) -> dict[Path, str]:
    return {file: _known_account(bot, known, choices) for file, bot in bots.items()}


def _known_account(bot: Imported, known: Mapping[str, AccountSpec], choices: Choices) -> str:
    """The named account, or the only one there is at the bot's venue."""
    venue = bot.account.venue
    fitting = [name for name, account in known.items() if account.venue == venue]
    wanted = [name for name in fitting if choices.account in (None, name)]
    if len(wanted) == 1:
        return wanted[0]
    if wanted:
        raise UsageError(f"fleet.yaml has several accounts at {venue}", hint=f"--account {' or '.join(wanted)}")
    lines = account_yaml(choices.account or venue, bot, choices.environment)
    raise Refused(
        f"fleet.yaml has no account {choices.account or ''} at {venue}".replace("  ", " "),
        hint=f"add these lines to its accounts, then import again:\n{lines}",
    )


def _new_accounts(bots: Mapping[Path, Imported], choices: Choices) -> dict[Path, str]:
    """A name for each account: the bots of one venue and one set of secrets share theirs."""
    names: dict[str, str] = {}
    for bot in bots.values():
        venue, key = bot.account.venue, repr(bot.account)
        if key not in names:
            count = sum(name.startswith(venue) for name in names.values())
            names[key] = choices.account or (venue if not count else f"{venue}-{count + 1}")
    if choices.account and len(names) > 1:
        raise UsageError("these files are of several accounts", hint="leave --account out, or import them apart")
    return {file: names[repr(bot.account)] for file, bot in bots.items()}


def _fleet(workspace: Workspace, accounts: Mapping[str, Imported], choices: Choices) -> str:
    fleet_id = re.sub(r"[^a-z0-9]+", "-", workspace.root.resolve().name.lower()).strip("-")[:40].rstrip("-")
    texts = [account_yaml(name, bot, choices.environment) for name, bot in accounts.items()]
    return fleet_yaml(fleet_id or "fleet", "".join(texts), live=choices.environment is Environment.MAINNET)


def _checked(workspace: Workspace, texts: Mapping[str, str], new: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """What the loader warns of, in the whole workspace as it would be; ConfigInvalid for an error in the new files.
    What was wrong before is not this import's to say."""
    pasted = [path for path, text in new.items() if any(mask(line) != line for line in text.splitlines()[1:])]
    if pasted:
        raise ConfigInvalid(f"{', '.join(pasted)} would hold something as long as a key", hint="put it into .env")
    found = [one for one in _load(workspace, texts).diagnostics if one.place.file in new]
    if any(one.is_error for one in found):
        raise ConfigInvalid(
            f"nothing was written, these would not be valid:\n{_words(found)}",
            hint="give what is missing with --set KEY=VALUE (strategy.order_size=0.1), variables in .env",
        )
    return tuple(found)


def _load(workspace: Workspace, texts: Mapping[str, str]) -> Loaded:
    environment = {**read_env_file(workspace.env_file), **os.environ}
    return load_fleet(texts, environment=environment, facts=known_facts(workspace))


def _words(diagnostics: Sequence[Diagnostic]) -> str:
    return "\n".join(render(found) for found in diagnostics if found.is_error)
