"""20 of 100 bots changed, each with a drain of 2 s: `botctl apply` beside `supervisorctl update`. See README.md."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch

import msgspec

from benchmarks.stand_ins import DRAIN_S, answering, write_stand_in
from engine.control import programs
from engine.control.apply import apply
from engine.control.backends.interface import Load, Program
from engine.control.backends.supervisor import supervisor_backend
from engine.control.desired import resolve_desired
from engine.control.down import take_down
from engine.control.fleet import Fleet
from engine.control.programs import programs_of
from engine.host.workspace import Workspace
from engine.plan.desired import Desired, DesiredBot
from engine.spec.fingerprint import fingerprint

BOTS, CHANGED = 100, 20
TARGET_S = 6
PATIENCE_S = 300.0
BOT = """
metadata: {name: NAME}
exchange: {account: NAME, market: SOL_USDC}
strategy: {kind: market_maker, spread_bps: 8, order_size: 1, capital: {base: 1, quote: 100}}
"""


def main() -> int:
    print(f"{CHANGED} of {BOTS} bots changed, {DRAIN_S} s to stop each; seconds until all run again")
    with prepared() as (fleet, before, after):
        apply(fleet, before, lambda _plan: None)
        started = time.monotonic()
        apply(fleet, after, lambda _plan: None)
        print(f"{f'botctl apply (target: under {TARGET_S})':<36}{time.monotonic() - started:6.1f}")
    with prepared() as (fleet, before, after):
        load = Load(programs=starting(before), leaving=frozenset(), room=before.fleet.max_programs)
        fleet.backend.execute(load, fleet.progress)
        await_all(fleet)
        started = time.monotonic()
        update(fleet, after)
        print(f"{'supervisorctl update':<36}{time.monotonic() - started:6.1f}")
    return 0


@contextmanager
def prepared() -> Iterator[tuple[Fleet, Desired, Desired]]:
    """A fleet in a folder of its own, and what it should be before and after."""
    with tempfile.TemporaryDirectory(prefix="botctl-bench-") as folder:
        os.environ.update(XDG_STATE_HOME=f"{folder}/host", XDG_RUNTIME_DIR=f"{folder}/run")
        Path(folder, "run").mkdir(mode=0o700)
        workspace = Workspace(root=Path(folder))
        write_fleet(workspace.root)
        workspace.prepare()
        fleet = Fleet(workspace=workspace, backend=supervisor_backend(workspace), progress=lambda _line: None)
        desired = without_simulators(resolve_desired(workspace, lambda _warning: None))
        stand_in = write_stand_in(workspace)
        with patch.object(programs, "_launcher", lambda _script: str(stand_in)), answering(workspace, desired.bots):
            try:
                yield fleet, desired, changed(desired)
            finally:
                take_down(fleet)


def write_fleet(root: Path) -> None:
    names = [f"bot-{number:03}" for number in range(BOTS)]
    account = "{venue: backpack, balances: {USDC: 1000, SOL: 10}}"
    (root / "bots").mkdir()
    accounts = "\n".join(f"  {name}: {account}" for name in names)
    (root / "bots" / "fleet.yaml").write_text(f"id: bench\nsentinel: {{enabled: false}}\naccounts:\n{accounts}\n")
    for name in names:
        (root / "bots" / f"{name}.yaml").write_text(BOT.replace("NAME", name))


def without_simulators(desired: Desired) -> Desired:
    """Nobody trades here."""
    fleet = msgspec.structs.replace(desired.fleet, sims={})
    return msgspec.structs.replace(desired, fleet=fleet, simulators={})


def changed(desired: Desired) -> Desired:
    """Every fifth bot with another deadline for its stop, which supervisord learns only at a start."""
    names = sorted(desired.bots)[:: BOTS // CHANGED]
    return msgspec.structs.replace(
        desired, bots={**desired.bots, **{name: _with_more_time(desired.bots[name]) for name in names}}
    )


def _with_more_time(bot: DesiredBot) -> DesiredBot:
    process = msgspec.structs.replace(bot.spec.process, stop_timeout_s=Decimal(20))
    spec = msgspec.structs.replace(bot.spec, process=process)
    return msgspec.structs.replace(bot, spec=spec, fingerprint=fingerprint(spec))


def starting(desired: Desired) -> tuple[Program, ...]:
    """The same programs as supervisord would start them by itself: `update` starts no others."""
    return tuple(msgspec.structs.replace(program, autostart=True) for program in programs_of(desired))


def update(fleet: Fleet, desired: Desired) -> None:
    """What one would type without botctl."""
    conf = fleet.backend.render(starting(desired), desired.fleet.max_programs)
    fleet.workspace.supervisor_conf.write_text(conf)
    server = f"unix://{fleet.workspace.supervisor_socket}"
    command = [sys.executable, "-m", "supervisor.supervisorctl", "-s", server, "update"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE_S)
    await_all(fleet)


def await_all(fleet: Fleet) -> None:
    while sum(process.is_up for process in fleet.backend.observe().values()) < BOTS:
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
