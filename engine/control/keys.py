"""What secrets say to a plan: which bots could not start, and which run with other keys than they would find now.

An engine reads its keys once, when it starts. Of changed ones only salted digests are compared and shown, and
nothing follows by itself: at some venues another key is another account to a bot, so a person restarts it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from engine.errors import BotctlError, Conflict
from engine.host.accounts import declared_keys
from engine.host.secrets import Secrets, keys_digest, read_salt
from engine.host.workspace import Workspace
from engine.plan.actions import Plan, Subject
from engine.plan.desired import Desired
from engine.plan.observed import Engine, Observed
from engine.spec.types import AccountSpec


def missing_keys(workspace: Workspace, plan: Plan, desired: Desired) -> Iterator[Conflict]:
    """What the bots that a plan starts would fail for, account by account."""
    secrets, seen = Secrets(workspace, shell=os.environ), set[str]()
    for action in plan.changes:
        if action.subject is not Subject.BOT or not action.kind.starts_process:
            continue
        spec = desired.bots[action.name].spec
        for name in sorted({leg.account for leg in spec.legs.values()} - seen):
            seen.add(name)
            try:
                declared_keys(spec.accounts[name], secrets)
            except BotctlError as error:
                yield Conflict(f"{action.name} could not start: {error.message}", hint=error.hint)


def require_keys(workspace: Workspace, plan: Plan, desired: Desired) -> None:
    """Nothing is stopped or written for bots that could not start."""
    for missing in missing_keys(workspace, plan, desired):
        raise missing


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
