"""Options that several verbs share."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import UsageError
from engine.plan.risk_words import RiskWord

Directory = Annotated[
    Path | None, typer.Option("-C", "--directory", help="the workspace; else BOTCTL_WORKSPACE, else found upwards")
]
SELECTORS = "names, globs, label:KEY=VALUE, venue:NAME, account:NAME, market:NAME"
Names = Annotated[
    list[str] | None, typer.Argument(metavar="[SELECTOR]…", help=f"bots: {SELECTORS}", show_default=False)
]
Exclude = Annotated[
    list[str] | None, typer.Option("--exclude", metavar="SELECTOR", help="all but these", show_default=False)
]
All = Annotated[bool, typer.Option("--all", help="every bot of the fleet")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]
Accept = Annotated[
    str,
    typer.Option(
        "--accept",
        metavar="RISK,…",
        help=f"take risks that --yes does not cover ({', '.join(RiskWord)}); what wants one names it",
    ),
]
Env = Annotated[
    str | None,
    typer.Option(
        "--env", metavar="NAME", help="the folder of envs/ to lie over bots/; else BOTCTL_ENV, else fleet.yaml's"
    ),
]
Why = Annotated[str, typer.Option("--why", help="kept in the history and the audit log")]
Override = Annotated[
    list[str] | None,
    typer.Option("--override", metavar="RULE", help="go on against a rule of level override; needs --why"),
]
Out = Annotated[
    Path | None, typer.Option("-o", "--out", metavar="FILE.botplan", help="save it for `botctl apply FILE`")
]
Expires = Annotated[
    float, typer.Option("--expires-s", metavar="SECONDS", min=1, help="how long a saved plan may be applied")
]
HOUR_S = 3600.0
Tolerance = Annotated[
    float, typer.Option("--tolerance-pct", min=0, help="how far the money of a saved plan may move")
]
Json = Annotated[bool, typer.Option("--json", help="for programs")]


def tell(line: str) -> None:
    """Progress goes to stderr: stdout is for results."""
    print(line, file=sys.stderr, flush=True)


def read_settings(written: list[str], *, example: str) -> dict[str, str]:
    """Values by dotted path, of every `--set KEY=VALUE`; the last one for a key counts."""
    pairs = [setting.partition("=") for setting in written]
    if any(not equals or not all(key.split(".")) for key, equals, _ in pairs):
        raise UsageError("--set wants KEY=VALUE", hint=f"--set {example}")
    return {key: value for key, _, value in pairs}
