"""The one place where a secret's reference becomes the secret, for plans and engines alike.

Looked up where the reference says: a private file, or a variable of the workspace's `.env`. A supervised bot
never takes a variable from the shell: supervisord froze its own environment when it started, so the value would
be there today and gone after the next reboot.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from engine.errors import ConfigInvalid
from engine.host.env_file import read_env_file, require_private
from engine.host.files import private_directory, read_if_present, write_atomic
from engine.host.locks import exclusive
from engine.host.workspace import Workspace
from engine.spec.types import SecretRef


class Secrets:
    """Resolves references of one workspace. `shell` is the caller's environment.

    With `shell_allowed` (`botctl run`, in the foreground) the shell's value wins over `.env`, as people expect.
    """

    def __init__(self, workspace: Workspace, *, shell: Mapping[str, str], shell_allowed: bool = False) -> None:
        self._workspace = workspace
        self._shell = shell
        self._shell_allowed = shell_allowed

    def resolve(self, what: str, reference: SecretRef) -> str:
        """The secret behind a reference; `what` names it in errors (`account main-backpack: api_key`)."""
        secret = (
            self._from_file(what, reference.file) if reference.file else self._from_env(what, reference.env or "")
        )
        if not secret:
            raise ConfigInvalid(
                f"{what} is empty", hint=f"write it into {reference.file or self._workspace.env_file}"
            )
        return secret

    def variable(self, name: str) -> str | None:
        """A variable that need not be there, from where supervised bots (or this one) may take it."""
        if self._shell_allowed and self._shell.get(name):
            return self._shell[name]
        return self._env_file.get(name) or None

    @cached_property
    def _env_file(self) -> dict[str, str]:
        return read_env_file(self._workspace.env_file)

    def _from_file(self, what: str, name: str) -> str:
        path = self._workspace.root / name
        try:
            require_private(path)
            return path.read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigInvalid(f"{what}: cannot read {path}: {type(error).__name__}") from error

    def _from_env(self, what: str, name: str) -> str:
        if self._shell_allowed and name in self._shell:
            return self._shell[name]
        if name in self._env_file:
            return self._env_file[name]
        where = self._workspace.env_file
        if name in self._shell:
            raise ConfigInvalid(
                f"{what}: {name} is set in this shell only, where a supervised bot cannot find it",
                hint=f"put {name}=… into {where} (chmod 600), or run the bot in the foreground with `botctl run`",
            )
        raise ConfigInvalid(f"{what}: {name} is not in {where}", hint=f"put {name}=… into it and chmod 600 it")


def digest(secret: str, salt: bytes) -> str:
    """Eight characters that change when the secret does: all that is ever shown of it."""
    return hmac.digest(salt, secret.encode(), "sha256").hex()[:8]


def keys_digest(keys: Mapping[str, str], salt: bytes) -> str:
    """The digest of an account's keys together."""
    return digest("\0".join(f"{field}={keys[field]}" for field in sorted(keys)), salt)


def workspace_salt(workspace: Workspace) -> bytes:
    """The workspace's own salt, made on first use; without it a digest tells nothing of a guessable secret."""
    salt = read_salt(workspace)
    if salt is not None:
        return salt
    with exclusive(
        private_directory(workspace.state) / "salt.lock"
    ):  # Engines that start together must not make two.
        salt = read_salt(workspace)
        if salt is None:
            salt = os.urandom(16)
            write_atomic(_salt_file(workspace), salt)
        return salt


def read_salt(workspace: Workspace) -> bytes | None:
    """None before it was needed."""
    return read_if_present(_salt_file(workspace))


def _salt_file(workspace: Workspace) -> Path:
    return workspace.state / "salt"
