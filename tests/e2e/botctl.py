"""Drives the installed `botctl` in a workspace of its own, and looks at the simulated venue from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from engine.control.facts import known_facts
from engine.control.fleet import open_fleet
from engine.control.observe import observe
from engine.control.status import fleet_status
from engine.exchanges.interface import Context, Endpoints
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.exchanges.registry import find_venue
from engine.host.accounts import simulated_seed
from engine.host.endpoints import read_sim_endpoint
from engine.host.workspace import Workspace
from engine.model.commands import QueryOpenOrders
from engine.model.events import OpenOrdersReported
from engine.model.order import OrderReport
from engine.spec.types import Environment

T = TypeVar("T")
PATIENCE_S = 60.0
LOOK_S = 0.1
BOTCTL = Path(sys.executable).parent / "botctl"


def until(what: Callable[[], T], *, patience_s: float = PATIENCE_S, every_s: float = LOOK_S) -> T:
    """The first true answer; an AssertionError with the last one when it never comes. What starts a process to look
    looks less often: processes cost the cores that the fleet lives on."""
    deadline = time.monotonic() + patience_s
    while not (answer := what()):
        assert time.monotonic() < deadline, f"not within {patience_s:g} s; last answer: {answer!r}"
        time.sleep(every_s)
    return answer


class Botctl:
    """One workspace and the command that works on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.workspace = Workspace(root=root)

    def __call__(self, *arguments: str, code: int = 0, stderr: bool = True) -> str:
        """Run a verb, expect its exit code, return what it printed, with its words on stderr or without."""
        done = subprocess.run(
            [str(BOTCTL), *arguments],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if stderr else subprocess.DEVNULL,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "NO_COLOR": "1"},
        )
        assert done.returncode == code, f"botctl {' '.join(arguments)} ended with {done.returncode}\n{done.stdout}"
        return done.stdout

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Run a verb and look at it while it runs."""
        return subprocess.Popen(
            [str(BOTCTL), *arguments],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def status(self) -> dict[str, dict[str, Any]]:
        """Every bot as `status --json` tells it, asked from within this process: tests look often."""
        bots = fleet_status(observe(open_fleet(self.root, verb="status")))
        return {bot["name"]: bot for bot in json.loads(json.dumps(msgspec.to_builtins(bots)))}

    def write(self, path: str, text: str) -> None:
        (self.root / path).write_text(text)

    def edit(self, path: str, before: str, after: str) -> int:
        """Change one place of a file; the line it stands in."""
        text = (self.root / path).read_text()
        assert text.count(before) == 1
        self.write(path, text.replace(before, after))
        return text[: text.index(before)].count("\n") + 1

    def orders_at_venue(self, account: str, market: str) -> tuple[OrderReport, ...]:
        """What rests at the simulated venue, asked with the account's keys over its public interface."""
        venue = find_venue("backpack")
        facts = known_facts(self.workspace)("backpack", Environment.SIM)
        instrument = facts.find(market) if facts else None
        assert instrument is not None
        endpoint = read_sim_endpoint(self.workspace, "backpack")
        codec = venue.codec(
            leg="main",
            instrument=instrument,
            credentials=venue.throwaway_credentials(simulated_seed(self.fleet_id, account)),
            endpoints=Endpoints(rest_url=endpoint.rest_url, ws_url=endpoint.ws_url),
        )
        now_ns = time.time_ns()
        command = QueryOpenOrders(leg="main")
        response = send(endpoint.rest_url, codec.encode(command, Context(now_ns=now_ns)))
        (event,) = codec.decode_reply(command, response, requested_ns=now_ns, at_ns=now_ns)
        assert isinstance(event, OpenOrdersReported)
        return event.orders

    def runners(self) -> dict[str, list[int]]:
        """Engines of this workspace that really run, from the process table."""
        found: dict[str, list[int]] = {}
        for place in Path("/proc").glob("[0-9]*"):
            try:
                words = (place / "cmdline").read_text().split("\0")
            except OSError:
                continue
            if any(word.endswith("botctl-engine") for word in words) and str(self.workspace.state) in words:
                found.setdefault(words[-2], []).append(int(place.name))
        return found

    @property
    def fleet_id(self) -> str:
        lines = (self.root / "bots" / "fleet.yaml").read_text().splitlines()
        return next(line.removeprefix("id:").strip() for line in lines if line.startswith("id:"))


def send(rest_url: str, request: HttpRequest) -> HttpResponse:
    """One request, past every session; an OSError when it is refused or not answered."""
    asked = urllib.request.Request(
        rest_url + request.target, data=request.body or None, headers=dict(request.headers), method=request.method
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:
        headers = tuple((name.lower(), value) for name, value in answer.headers.items())
        return HttpResponse(status=answer.status, headers=headers, body=answer.read())


FLEET = """\
id: lab
accounts:
  alpha: {venue: backpack, environment: sim, balances: {USDC: 100000, SOL: 500, BTC: 1, ETH: 20}}
  beta: {venue: backpack, environment: sim, balances: {USDC: 100000, SOL: 500, BTC: 1, ETH: 20}}
sim:
  backpack: {seed: 7, speed: 4}
"""

SOL = """\
metadata: {name: sol}
exchange: {account: alpha, market: SOL_USDC}
strategy:
  kind: market_maker
  spread_bps: 8
  order_size: 1.5
  layers: 2
  capital: {base: 100, quote: 20000}
"""

BTC = """\
metadata: {name: btc}
exchange: {account: beta, market: BTC_USDC_PERP}
strategy:
  kind: perp_market_maker
  spread_bps: 6
  order_size: 0.01
  layers: 2
risk: {max_position: 0.1}
"""

ETH = """\
metadata: {name: eth}
exchange: {account: beta, market: ETH_USDC}
strategy:
  kind: market_maker
  spread_bps: 10
  order_size: 0.1
  layers: 1
  capital: {base: 4, quote: 20000}
"""
