"""What one quoting engine costs beside a bare asyncio process with a TLS context. See README.md here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.processes import Cost, can_measure, cpu_ms, memory_mib, typical
from engine.control.desired import resolve_desired
from engine.control.generations import switch_to, write_generation
from engine.errors import StateDamaged
from engine.host.generation import read_current
from engine.host.workspace import Workspace
from engine.resources import resource
from engine.runtime.journal_reader import live_orders

ROUNDS = 5
READY_WITHIN_S = 60.0
LOOK_EVERY_S = 0.001
FIRST_ANSWER = b'"journal restored"'
SETTLE_S = 2.0
REFILL_S = 10.0
"""In which what an account may send at once, a tenth of a minute's requests, has come back. Of an account that
nobody used yet it is not known what the venue still allows, so its first bot waits before it quotes; that is why a
round that is not counted comes first."""
ENGINE = """
import sys
from engine.runtime.launch import main
from engine.transport.tls import client_context
client_context()
code = main()
print(len(sys.modules), flush=True)
sys.exit(code)
"""
VENUE = "import sys; from engine.sim.main import main; sys.exit(main())"
ALL_MODULES = """
import engine.runtime.main, engine.sim.main
from engine.exchanges.registry import find_venue
import engine.strategies.market_maker, engine.strategies.perp_market_maker
find_venue("backpack")
"""
FLOOR_MODULES = "import asyncio, ssl, sys; ssl.create_default_context(); print(len(sys.modules))"


def main() -> int:
    if not can_measure():
        print("footprint: reads /proc/PID/smaps_rollup, which only Linux has")
        return 0
    with tempfile.TemporaryDirectory(prefix="botctl-bench-") as folder:
        settle_in(Path(folder))
        floors, engines = measure(Path(folder))
    report(typical(floors), typical(engines), len(engines) // ROUNDS)
    return 0


def settle_in(folder: Path) -> None:
    """Directories of this run's own, and compiled modules for both sides, so that nobody pays for compiling."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.update(
        PYTHONPYCACHEPREFIX=str(folder / "compiled"),
        XDG_STATE_HOME=str(folder / "host"),
        XDG_RUNTIME_DIR=str(folder / "run"),
    )
    for code in (FLOOR_MODULES, ALL_MODULES):
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def report(floor: Cost, engine: Cost, count: int) -> None:
    print(f"footprint of one process, {count} at once, median of {ROUNDS} rounds, Python {sys.version.split()[0]}")
    print(f"{'':<28}{'RSS MiB':>9}{'PSS MiB':>9}{'CPU ms until heard':>20}{'until quoting':>15}{'modules':>9}")
    for name, cost in (("asyncio + TLS context", floor), ("quoting engine", engine)):
        cpu = f"{cost.heard_ms:20.0f}{cost.quoted_ms:15.0f}"
        print(f"{name:<28}{cost.rss_mib:9.1f}{cost.pss_mib:9.1f}{cpu}{cost.modules:9.0f}")
    memory = f"{engine.rss_mib / floor.rss_mib:9.2f}{engine.pss_mib / floor.pss_mib:9.2f}"
    cpu = f"{engine.heard_ms / floor.heard_ms:20.2f}{engine.quoted_ms / floor.quoted_ms:15.2f}"
    print(f"{'ratio':<28}{memory}{cpu}")


def measure(folder: Path) -> tuple[list[Cost], list[Cost]]:
    """Floors and engines in turn, so that what else the machine does meets both. The engines are those that the
    sample fleet has on the simulated Backpack: other venues load signing libraries, which would weigh a library."""
    workspace = _applied_sample(folder)
    bots = _bots_on("backpack", workspace)
    floors, engines = list[Cost](), list[Cost]()
    with _speaking(["-c", VENUE, str(workspace.state), "backpack"]):
        _measure_engines(workspace, bots)
        for _round in range(ROUNDS):
            time.sleep(REFILL_S)
            floors += _measure_floors(len(bots))
            engines += _measure_engines(workspace, bots)
    return floors, engines


def _measure_floors(count: int) -> list[Cost]:
    modules = int(subprocess.check_output([sys.executable, "-c", FLOOR_MODULES]))
    with ExitStack() as stack:
        floors = [stack.enter_context(_speaking(["-m", "benchmarks.floor"])) for _ in range(count)]
        return [_cost(floor.pid, (spent_ms := cpu_ms(floor.pid), spent_ms), modules) for floor in floors]


def _measure_engines(workspace: Workspace, bots: list[str]) -> list[Cost]:
    """Start one engine after the other, let all quote, and stop them again."""
    engines, spent_ms = dict[str, subprocess.Popen[str]](), dict[str, tuple[float, float]]()
    with ExitStack() as stack:
        for bot in bots:
            is_heard, is_quoting = _hears(workspace, bot), _quotes(workspace, bot)
            engine = stack.enter_context(_running(["-c", ENGINE, str(workspace.state), bot]))
            spent_ms[bot] = (_cpu_until(is_heard, engine), _cpu_until(is_quoting, engine))
            engines[bot] = engine
        time.sleep(SETTLE_S)
        costs = [_cost(engines[bot].pid, spent_ms[bot], 0) for bot in bots]
        for engine in engines.values():
            engine.terminate()
        modules = [int(engine.communicate(timeout=60)[0].split()[-1]) for engine in engines.values()]
    return [replace(cost, modules=count) for cost, count in zip(costs, modules, strict=True)]


def _applied_sample(folder: Path) -> Workspace:
    """The sample fleet as the current generation of a new workspace, without supervisor."""
    for part in ("bots", "templates"):
        shutil.copytree(resource(part), folder / part)
    workspace = Workspace(root=folder)
    workspace.prepare()
    switch_to(workspace, write_generation(workspace, resolve_desired(workspace, lambda _warning: None), conf=""))
    return workspace


def _bots_on(venue: str, workspace: Workspace) -> list[str]:
    applied = read_current(workspace)
    assert applied is not None
    specs = applied.bots.values()
    return sorted(spec.name for spec in specs if {leg.venue for leg in spec.legs.values()} == {venue})


def _cpu_until(what: Callable[[], bool], engine: subprocess.Popen[str]) -> float:
    """Seen from outside: an engine that is asked for its status again and again would pay for the answers."""
    deadline_s = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline_s and engine.poll() is None:
        spent_ms = cpu_ms(engine.pid)
        if what():
            return spent_ms
        time.sleep(LOOK_EVERY_S)
    raise SystemExit(f"{engine.args!r} did not come as far as it should within {READY_WITHIN_S:g} s")


def _hears(workspace: Workspace, bot: str) -> Callable[[], bool]:
    """Whether the venue has said something: the engine goes on, and says that it reads its journal."""
    log = workspace.logs / f"{bot}.jsonl"
    before = log.stat().st_size if log.exists() else 0

    def hears() -> bool:
        if not log.exists():
            return False
        with log.open("rb") as file:
            file.seek(before)
            return FIRST_ANSWER in file.read()

    return hears


def _quotes(workspace: Workspace, bot: str) -> Callable[[], bool]:
    return lambda: any(_has_sent(journal) for journal in (workspace.journals / bot).glob("*.sqlite"))


def _has_sent(journal: Path) -> bool:
    try:
        return live_orders(journal) > 0
    except StateDamaged:
        return False  # Its tables are not there yet.


def _cost(pid: int, spent_ms: tuple[float, float], modules: int) -> Cost:
    (rss_mib, pss_mib), (heard_ms, quoted_ms) = memory_mib(pid), spent_ms
    return Cost(rss_mib=rss_mib, pss_mib=pss_mib, heard_ms=heard_ms, quoted_ms=quoted_ms, modules=modules)


@contextmanager
def _speaking(arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that has said that it is ready."""
    with _running(arguments) as process:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise SystemExit(f"{process.args!r} ended before it was ready")
        yield process


@contextmanager
def _running(arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


if __name__ == "__main__":
    sys.exit(main())
