"""A workspace for one bot, on simulated venues, in a temporary folder: where `botctl run` finds none.

It has an account with play money for every one the bot names, a simulator for every venue, and needs no network or
key. It goes away with its simulators at a clean end; after any other it stays, so that its journal and logs can be
looked at.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from engine.control.desired import resolve_desired
from engine.control.direct import Tell, Wish, read_bot_file
from engine.control.generations import switch_to, write_generation
from engine.errors import Refused, Unavailable, UsageError
from engine.host.endpoints import read_sim_endpoint
from engine.host.workspace import Workspace
from engine.sim.hints import own_balances
from engine.sim.venues import SIMULATED
from engine.spec.diagnostics import Findings, nearest
from engine.spec.document import data_of
from engine.spec.said import COMMAND_LINE, ENVIRONMENT, Said
from engine.spec.types import BASE, Environment
from engine.spec.writing import text_scalar
from engine.spec.yaml_loader import load_yaml

ACCOUNT = "main"
"""What the account is called where nobody says."""
START_S = 30.0
END_S = 30.0
POLL_S = 0.05


@contextmanager
def throwaway_workspace(wish: Wish, tell: Tell) -> Iterator[Workspace]:
    """The workspace, with its simulators running, until the block ends."""
    accounts = _accounts_of(wish)
    workspace = Workspace(root=Path(tempfile.mkdtemp(prefix="botctl-run-")))
    try:
        _furnish(workspace, accounts)
        tell(f"no workspace here: a throwaway one, with play money, is in {workspace.root}")
        with ExitStack() as running:
            for venue in sorted(set(accounts.values())):
                running.enter_context(_simulated(workspace, venue))
                tell(f"{venue} is simulated until the bot ends")
            yield workspace
    except BaseException:
        if workspace.journals.exists():
            tell(f"{workspace.root} is kept: journal and logs are in {workspace.state.name}/")
        else:
            _remove(workspace)
        raise
    _remove(workspace)
    tell(f"{workspace.root} is removed")


def _accounts_of(wish: Wish) -> dict[str, str]:
    """The accounts that the bot needs, each with its venue; UsageError where it does not say at which that is."""
    if wish.environment not in (None, Environment.SIM):
        raise Refused(f"{wish.environment} wants a workspace, and here is none", hint="make one: `botctl init`")
    accounts = {}
    for leg in _legs(wish):
        venue = leg.get("venue")
        if venue is None:
            raise UsageError(
                "here is no workspace, so the venue has to be said", hint=f"--exchange {' or '.join(SIMULATED)}"
            )
        if venue not in SIMULATED:
            raise UsageError(f"{venue} cannot be simulated", hint=nearest(str(venue), SIMULATED))
        accounts[str(leg.get("account", ACCOUNT))] = str(venue)
    return accounts


def _legs(wish: Wish) -> list[dict[str, Any]]:
    """What is written of the bot's legs, by variables, in its file and by flags."""
    text = read_bot_file(wish.file) if wish.file else ""
    said = Said(file=str(wish.file or ""), text=text, over=wish.over, under=wish.under)
    exchange: dict[str, Any] = {}
    for layer in (ENVIRONMENT, said.file, COMMAND_LINE):
        exchange |= _exchange(said.texts.get(layer, ""))
    legs = exchange.get("legs") or {ACCOUNT: exchange}
    return [leg for leg in legs.values() if isinstance(leg, dict)] if isinstance(legs, dict) else []


def _exchange(text: str) -> dict[str, Any]:
    """As far as it can be read; what is wrong with it, the loader will say."""
    root = load_yaml("", text, Findings({}))
    exchange: dict[str, Any] = data_of(root.mapping("exchange")) if root else {}
    return exchange


def _furnish(workspace: Workspace, accounts: Mapping[str, str]) -> None:
    """A fleet without bots, applied, so that its simulators can start."""
    lines = [f"id: {re.sub('[^a-z0-9]+', '-', workspace.root.name.lower())}", "accounts:"]
    for name, venue in accounts.items():
        balances = ", ".join(f"{asset}: {amount:f}" for asset, amount in own_balances(venue).items())
        lines += [f"  {text_scalar(name)}: {{venue: {venue}, balances: {{{balances}}}}}"]
    workspace.bots.mkdir()
    (workspace.bots / "fleet.yaml").write_text("\n".join([*lines, ""]), encoding="utf-8")
    workspace.prepare()
    number = write_generation(workspace, resolve_desired(workspace, lambda _warning: None, BASE), conf="")
    switch_to(workspace, number)


@contextmanager
def _simulated(workspace: Workspace, venue: str) -> Iterator[None]:
    """A session of its own keeps Ctrl-C from it: the bot cancels its orders there first."""
    command = [sys.executable, "-P", "-m", "engine.sim.main", str(workspace.state), venue]
    simulator = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        _await(workspace, venue, simulator)
        yield
    finally:
        simulator.terminate()
        try:
            simulator.wait(END_S)
        except subprocess.TimeoutExpired:
            simulator.kill()


def _await(workspace: Workspace, venue: str, simulator: subprocess.Popen[bytes]) -> None:
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s and simulator.poll() is None:
        with suppress(Unavailable):
            read_sim_endpoint(workspace, venue)
            return
        time.sleep(POLL_S)
    raise Unavailable(f"the simulated {venue} did not start", hint=f"its log is in {workspace.logs}")


def _remove(workspace: Workspace) -> None:
    shutil.rmtree(workspace.runtime_dir, ignore_errors=True)
    shutil.rmtree(workspace.root, ignore_errors=True)
