"""`botctl alerts`: what people should know now and who was told; `alerts test` tries the ways to them."""

from __future__ import annotations

import json
import os
import time
from enum import StrEnum
from typing import Annotated

import msgspec
import typer

from engine.clock import iso_utc
from engine.commands.options import Directory, Json, tell
from engine.commands.table import table
from engine.control.alerts.channels import send
from engine.control.alerts.file import read_ledger
from engine.control.alerts.ledger import Ledger
from engine.control.alerts.message import Message
from engine.control.fleet import open_view
from engine.errors import BotctlError, ConfigInvalid, UsageError
from engine.host.generation import read_current_fleet
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.spec.types import AlertsSpec, FleetSpec

HEAD = ("SINCE", "TOLD", "WHAT")


class Wish(StrEnum):
    TEST = "test"


def command(
    wish: Annotated[
        Wish | None, typer.Argument(metavar="[test]", help="send a message over channels", show_default=False)
    ] = None,
    channels: Annotated[
        list[str] | None, typer.Argument(metavar="[CHANNEL]…", help="none is all", show_default=False)
    ] = None,
    directory: Directory = None,
    as_json: Json = False,
) -> int:
    """Show what is wrong, since when, and who was told."""
    workspace = open_view(directory, verb="alerts").workspace
    fleet = read_current_fleet(workspace)
    if fleet is None or fleet.alerts is None:
        raise ConfigInvalid(
            "the fleet in force has no alerts", hint="write `alerts:` into bots/fleet.yaml, and botctl apply"
        )
    if wish is Wish.TEST:
        return _test(workspace, fleet, fleet.alerts, channels or [])
    ledger = read_ledger(workspace)
    print(json.dumps(msgspec.to_builtins(ledger), indent=2) if as_json else _text(ledger, fleet.alerts))
    return 0


def _test(workspace: Workspace, fleet: FleetSpec, spec: AlertsSpec, names: list[str]) -> int:
    if unknown := sorted(set(names) - spec.channels.keys()):
        raise UsageError(f"no channel {', '.join(unknown)}", hint=f"channels: {', '.join(spec.channels)}")
    secrets = Secrets(workspace, shell=os.environ)
    subject = f"botctl {fleet.id}: a test, sent at {iso_utc(time.time_ns())}"
    failures = 0
    for name in names or spec.channels:
        try:
            send(spec.channels[name], name, secrets, fleet.id, Message(subject=subject, text=subject))
        except BotctlError as error:
            failures += 1
            tell(f"{name}: {error.message}")
        else:
            print(f"{name}: taken")
    return BotctlError.exit_code if failures else 0


def _text(ledger: Ledger, spec: AlertsSpec) -> str:
    rows = [
        (iso_utc(each.since_ns), ", ".join(sorted(_told(ledger, key))) or "-", each.text)
        for key, each in sorted(ledger.active.items(), key=lambda item: item[1].since_ns)
        if each.gone_ns is None
    ]
    lines = [table(HEAD, rows)] if rows else ["nobody is needed"]
    failing = {name: why for name, why in ledger.failing.items() if name in spec.channels}
    lines += [f"{name} does not get through: {why}" for name, why in failing.items()]
    return "\n".join(lines)


def _told(ledger: Ledger, key: str) -> list[str]:
    return [name for name, told in ledger.told.items() if key in told]
