"""1,000 bots with nothing to do: `botctl validate`, `plan` and `apply` beside `terraform plan`. See README.md."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from statistics import median
from unittest.mock import patch

from benchmarks.stand_ins import answering
from engine.control import programs
from engine.control.backends.interface import Load, ShutDown, Start, Stop
from engine.control.backends.supervisor import supervisor_backend
from engine.control.desired import resolve_desired
from engine.control.generations import switch_to, write_generation
from engine.control.programs import programs_of
from engine.host.facts import write_facts
from engine.host.workspace import Workspace
from engine.model.instrument import Instrument, MarketKind
from engine.model.value import Value
from engine.spec.facts import VenueMarkets
from engine.spec.types import Environment

BOTS, ACCOUNTS = 1000, 100
ROUNDS = 3
PATIENCE_S = 600.0
BOTCTL = Path(sys.executable).parent / "botctl"
ASSETS = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "AVAX", "LINK", "SUI", "HYPE")
WAITS = '#!/bin/sh\necho $$ > "$1/up/$2"\nexec sleep 1000000\n'

Command = Sequence[str | Path]


class Cost(Value, frozen=True, kw_only=True):
    """Seconds of one process and its children: on the clock, and of processor."""

    wall_s: float
    cpu_s: float


class Contest(Value, frozen=True, kw_only=True):
    """What is timed, by name; where, and in which environment."""

    commands: dict[str, Command]
    place: Path
    environment: dict[str, str]


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="botctl-bench-") as folder, ExitStack() as running:
        contests = [running.enter_context(fleet(Path(folder)))]
        if shutil.which("terraform"):
            contests.append(resources(Path(folder) / "terraform"))
        costs = measured(contests)
    show(costs)
    return 0


def measured(contests: Sequence[Contest]) -> dict[str, Cost]:
    """The median of each command's rounds; every round asks all of them, so that all share the weather."""
    seen: dict[str, list[Cost]] = {}
    for _ in range(ROUNDS):
        for contest in contests:
            for name, command in contest.commands.items():
                seen.setdefault(name, []).append(timed(command, contest.place, contest.environment))
    return {
        name: Cost(wall_s=median(c.wall_s for c in costs), cpu_s=median(c.cpu_s for c in costs))
        for name, costs in seen.items()
    }


def show(costs: Mapping[str, Cost]) -> None:
    judge = costs.get("terraform plan")
    print(f"{BOTS} bots, nothing to do{'wall s':>13}{'CPU s':>8}{'of terraform plan (wall, CPU)':>32}")
    for name, cost in costs.items():
        shares = f"{cost.wall_s / judge.wall_s:16.0%}{cost.cpu_s / judge.cpu_s:7.0%}" if judge else ""
        print(f"{name:<24}{cost.wall_s:10.2f}{cost.cpu_s:8.2f}{shares:>32}")
    if judge is None:
        print("terraform not present: not compared")


def timed(command: Command, place: Path, environment: Mapping[str, str]) -> Cost:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    run(command, place, environment)
    wall_s, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(wall_s=wall_s, cpu_s=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def run(command: Command, place: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {done.returncode}\n{done.stdout}")
    return done.stdout


# botctl ---------------------------------------------------------------------------------------------------------


@contextmanager
def fleet(root: Path) -> Iterator[Contest]:
    """A fleet that runs as declared: real supervisords, processes that wait, one thread that answers for them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.environ.update(XDG_STATE_HOME=f"{root}/host", XDG_RUNTIME_DIR=f"{root}/run")
    (root / "run").mkdir(mode=0o700)
    workspace = Workspace(root=root / "fleet")
    declare(workspace)
    desired = resolve_desired(workspace, print)
    names = sorted(desired.bots)
    switch_to(workspace, write_generation(workspace, desired, conf=""))
    stand_in = root / "stand-in"
    stand_in.write_text(WAITS)
    stand_in.chmod(0o755)
    (workspace.state / "up").mkdir()
    backend = supervisor_backend(workspace)
    with patch.object(programs, "_launcher", lambda _script: str(stand_in)):
        wanted = programs_of(desired)
    up = tuple(program.name for program in wanted)
    with answering(workspace, names):
        try:
            load = Load(programs=wanted, leaving=frozenset(), room=desired.fleet.max_programs)
            backend.execute(load, _say_nothing)
            backend.execute(Start(names=up), _say_nothing)
            until(lambda: sum(process.is_up for process in backend.observe().values()) == len(up))
            until(lambda: len(list((workspace.state / "up").iterdir())) == len(up))
            verbs = {"validate": [], "plan": [], "apply": ["--yes"]}
            commands: dict[str, Command] = {
                f"botctl {verb}": [BOTCTL, verb, *flags] for verb, flags in verbs.items()
            }
            require_nothing_to_do(run([BOTCTL, "plan"], workspace.root, os.environ))
            yield Contest(commands=commands, place=workspace.root, environment=dict(os.environ))
        finally:
            backend.execute(Stop(names=up, deadline_s=PATIENCE_S), _say_nothing)
            backend.execute(ShutDown(), _say_nothing)


def declare(workspace: Workspace) -> None:
    """One file per bot, a hundred accounts, ten markets whose ticks and lots are known. No venue is asked."""
    workspace.prepare()
    workspace.bots.mkdir()
    accounts = [f"account-{number:03}" for number in range(ACCOUNTS)]
    lines = [account_line(name, f"KEY_{number}") for number, name in enumerate(accounts)]
    urls = "{rest_url: 'http://127.0.0.1:9', ws_url: 'ws://127.0.0.1:9'}"
    head = f"id: bench\nsentinel: {{enabled: false}}\nvenues: {{backpack: {{environments: {{testnet: {urls}}}}}}}\n"
    (workspace.bots / "fleet.yaml").write_text(f"{head}accounts:\n{chr(10).join(lines)}\n")
    workspace.env_file.write_text("".join(f"KEY_{number}=throwaway-{number}\n" for number in range(ACCOUNTS)))
    workspace.env_file.chmod(0o600)
    for number in range(BOTS):
        text = bot(f"bot-{number:04}", accounts[number % ACCOUNTS], ASSETS[number // ACCOUNTS])
        (workspace.bots / f"bot-{number:04}.yaml").write_text(text)
    markets = VenueMarkets(fetched_at_ns=time.time_ns(), instruments=tuple(map(instrument, ASSETS)))
    write_facts(workspace, "backpack", Environment.TESTNET, markets)


def account_line(name: str, key: str) -> str:
    return (
        f"  {name}: {{venue: backpack, environment: testnet, "
        f"credentials: {{api_key: '${{{key}}}', api_secret: '${{{key}}}'}}}}"
    )


def bot(name: str, account: str, asset: str) -> str:
    return (
        f"metadata: {{name: {name}, labels: {{desk: {account}}}}}\n"
        f"exchange: {{account: {account}, market: {asset}_USDC}}\n"
        "strategy:\n  kind: market_maker\n  spread_bps: 8\n  order_size: 1\n  layers: 3\n"
        "  capital: {base: 10, quote: 1000}\nrisk:\n  stop_loss_usd: 50\n"
    )


def instrument(asset: str) -> Instrument:
    return Instrument(
        venue="backpack",
        symbol=f"{asset}_USDC",
        kind=MarketKind.SPOT,
        base=asset,
        quote="USDC",
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.01"),
        min_size=Decimal("0.01"),
    )


def require_nothing_to_do(plan: str) -> None:
    if "nothing to do" not in plan:
        raise SystemExit(f"this fleet is not what was to be timed:\n{plan}")


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        if time.monotonic() > deadline:
            raise SystemExit("the fleet did not come up")
        time.sleep(0.2)


def _say_nothing(_line: str) -> None:
    """Nobody watches."""


# terraform ------------------------------------------------------------------------------------------------------


def resources(place: Path) -> Contest:
    """As many `terraform_data` resources, with as many settings, in the state they are declared in."""
    place.mkdir()
    (place / "main.tf").write_text("".join(map(resource_text, range(BOTS))))
    (place / "terraformrc").write_text("")
    told = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_CLI_CONFIG_FILE": str(place / "terraformrc")}
    environment = {**os.environ, **told}
    for words in (["init", "-input=false"], ["apply", "-auto-approve"]):
        run(["terraform", *words], place, environment)
    commands: dict[str, Command] = {
        "terraform validate": ["terraform", "validate"],
        "terraform plan": ["terraform", "plan", "-input=false"],
        "terraform apply": ["terraform", "apply", "-auto-approve"],
    }
    return Contest(commands=commands, place=place, environment=environment)


def resource_text(number: int) -> str:
    account, asset = f"account-{number % ACCOUNTS:03}", ASSETS[number // ACCOUNTS]
    return (
        f'resource "terraform_data" "bot_{number:04}" {{\n  input = {{\n'
        f'    account = "{account}", market = "{asset}_USDC", kind = "market_maker", spread_bps = 8\n'
        "    order_size = 1, layers = 3, capital = { base = 10, quote = 1000 }, stop_loss_usd = 50\n  }\n}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
