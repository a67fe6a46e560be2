"""Finds running bots whose secrets were changed meanwhile: an engine reads its keys once, when it starts.

Only salted digests are compared and shown. Nothing follows from it by itself: at some venues another key is another
account to a bot, so a person says when it is restarted.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import BotctlError
from engine.host.accounts import declared_keys
from engine.host.secrets import Secrets, keys_digest, read_salt
from engine.host.workspace import Workspace
from engine.plan.observed import Engine, Observed
from engine.spec.types import AccountSpec


def key_words(workspace: Workspace, observed: Observed) -> Iterator[str]:
    """One line per supervised bot that runs with other keys than it would find now."""
    secrets, salt = Secrets(workspace, shell={}), read_salt(workspace)
    processes = observed.processes if isinstance(observed.processes, dict) else {}
    for name, engine in sorted(observed.engines.items()):
        if salt is None or not isinstance(engine, Engine) or engine.spec is None or name not in processes:
            continue
        for account, runs in sorted(engine.keys.items()):
            now = _digest_now(engine.spec.accounts.get(account), secrets, salt)
            if now not in (None, runs):
                yield (
                    f"{name} runs with the earlier keys of account {account} ({runs}, now {now}): "
                    f"`botctl restart {name}` takes the new ones"
                )


def _digest_now(account: AccountSpec | None, secrets: Secrets, salt: bytes) -> str | None:
    """None where they cannot be read: a start would say why."""
    if account is None:
        return None
    try:
        return keys_digest(declared_keys(account, secrets), salt)
    except BotctlError:
        return None
