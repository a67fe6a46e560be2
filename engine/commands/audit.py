"""`botctl audit`: who did what to the fleet, and whether the record is as it was written."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from engine.commands.options import Directory, Json
from engine.commands.table import table
from engine.control.chain import END, Verdict, verify
from engine.control.fleet import open_fleet
from engine.errors import BotctlError, UsageError
from engine.host.files import read_if_present
from engine.plan.words import listed

HEAD = ("WHEN (UTC)", "WHO", "VERB", "RESULT", "WHAT")
PLAIN = ("bots", "actions")
TOLD = (
    *PLAIN,
    "generation",
    "came_from",
    "pending",
    "orders_left",
    "of",
    "fleet",
    "person",
    "overridden",
    "why",
    "error",
)
NAMES_MAX = 4


class Question(StrEnum):
    VERIFY = "verify"


def command(
    question: Annotated[
        Question | None, typer.Argument(metavar="[verify]", help="check the chain", show_default=False)
    ] = None,
    directory: Directory = None,
    as_json: Json = False,
    count: Annotated[int, typer.Option("-n", "--lines", metavar="N", min=1, help="how many of the newest")] = 20,
    head: Annotated[
        str,
        typer.Option("--head", metavar="HASH", help="with verify: a head noted earlier must still be in the log"),
    ] = "",
) -> None:
    """Show the audit log, or check that none of its lines was changed, removed or put in between."""
    if head and question is None:
        raise UsageError("--head belongs to `botctl audit verify`")
    content = read_if_present(open_fleet(directory, verb="audit").workspace.audit_log) or b""
    if question is Question.VERIFY:
        _verify(content, head, as_json)
        return
    entries = [entry for line in content.split(END) if (entry := _entry(line))][-count:]
    if as_json:
        print(json.dumps(entries, indent=2, ensure_ascii=False))
    else:
        print(table(HEAD, [_row(entry) for entry in entries]) if entries else "nothing was done here yet")


def _verify(content: bytes, head: str, as_json: bool) -> None:
    found = verify(content)
    missing = bool(head) and head not in found.hashes
    if as_json:
        print(json.dumps(_document(found, missing), indent=2))
    elif not found.broken:
        print("\n".join(_words(found)))
    if found.broken:
        raise BotctlError(
            f"the audit log is not as it was written: {found.broken}",
            hint="lines were changed, removed or put in; compare with a backup, and with heads noted elsewhere",
        )
    if missing:
        raise BotctlError(
            f"the audit log does not hold the entry {head}",
            hint="it was cut off or written anew since that head was noted, or the head is another log's",
        )


def _words(found: Verdict) -> list[str]:
    if not found.hashes:
        return ["no entry yet"]
    lines = [f"{len(found.hashes)} entries, each follows from the one before", f"head {found.head}"]
    if found.begins > 1:
        lines.append(
            f"the chain begins at line {found.begins}: the lines before it are an earlier version's, and it "
            "vouches for them only from there on"
        )
    lines += [f"line {number} is torn: its writer was killed or ran out of power" for number in found.torn]
    return lines


def _document(found: Verdict, missing: bool) -> dict[str, Any]:
    return {
        "is_whole": not found.broken and not missing,
        "entries": len(found.hashes),
        "head": found.head or None,
        "begins_at_line": found.begins or None,
        "torn_lines": list(found.torn),
        "broken": found.broken or None,
    }


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    when = str(entry.get("at", "-"))[:19].replace("T", " ")
    told = "; ".join(_fact(name, entry[name]) for name in TOLD if entry.get(name) is not None)
    return (when, *(str(entry.get(name, "-")) for name in ("who", "what", "result")), told)


def _fact(name: str, value: object) -> str:
    words = listed([str(one) for one in value], NAMES_MAX) if isinstance(value, list) else str(value)
    return words if name in PLAIN else f"{name.replace('_', ' ')}: {words}"
