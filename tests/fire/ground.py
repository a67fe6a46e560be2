"""What is set on fire: a fleet of real processes, and a venue that is elsewhere.

The venue's simulator is no program of the fleet, so that it outlives every supervisord, as real venues do: what
rested and was filled there is still asked of it afterwards. To the fleet it is a testnet, with keys in `.env`.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import httpx

from engine.exchanges.registry import find_venue
from engine.host.accounts import simulated_seed
from engine.host.endpoints import SimEndpoint, read_sim_endpoint
from engine.host.holders import verified_holder
from engine.host.process import is_alive
from engine.runtime.starts import forget_starts
from engine.sim.faults import CONTROL_TARGET
from tests.e2e.botctl import BOTCTL, Botctl, until
from tests.fire.fleet import ACCOUNTS, BOTS, VENUE, elsewhere_text, fleet_text

STATE_BYTES = 64 << 20
"""Of the disk that can be filled: room for the journals and logs of an hour."""


class Ground:
    """The fleet's workspace and the venue's; `close` leaves nothing of either."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="botctl fire-"))
        self.botctl = Botctl(self.root / "fleet")
        self.has_small_disk = False
        self._elsewhere = Botctl(self.root / "venue")
        self._venue: subprocess.Popen[bytes] | None = None
        self._fleet_id = f"fire-{secrets.token_hex(4)}"

    def open(self) -> None:
        """Start the venue, then the fleet, and wait until it trades."""
        for place in (self.botctl, self._elsewhere):
            (place.root / "bots").mkdir(parents=True)
        self._elsewhere.write("bots/fleet.yaml", elsewhere_text(self._fleet_id))
        log = (self.root / "venue.log").open("wb")
        self._venue = subprocess.Popen(
            [str(BOTCTL), "sim", VENUE], cwd=self._elsewhere.root, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        log.close()
        until((self._elsewhere.workspace.sim / f"{VENUE}.json").exists)
        self._declare(self.endpoint)
        self.has_small_disk = self._mount_state()
        self.botctl("apply", "--yes")
        self.botctl("status", "--wait", "--timeout", "90")

    def close(self) -> None:
        for pid in (self.supervisord, self._venue and self._venue.pid, *map(self.engine, BOTS)):
            if pid:
                strike(pid, signal.SIGCONT)
        subprocess.run([str(BOTCTL), "down"], cwd=self.botctl.root, capture_output=True, timeout=180, check=False)
        if self._venue:
            self._venue.kill()
            self._venue.wait()
        if self.has_small_disk:
            subprocess.run(["umount", "--lazy", str(self.botctl.workspace.state)], check=False)
        shutil.rmtree(self.root, ignore_errors=True)

    def keep_evidence(self) -> None:
        """Copy what a person wants to look at after a failure; says where it is."""
        place = Path(tempfile.mkdtemp(prefix="botctl-fire-evidence-"))
        for name in ("logs", "journals", "audit.jsonl"):
            found = self.botctl.workspace.state / name
            copy = shutil.copytree if found.is_dir() else shutil.copy
            copy(found, place / name)
        print(f"      logs and journals: {place}", flush=True)

    # The processes ------------------------------------------------------------------------------------------

    @property
    def endpoint(self) -> SimEndpoint:
        return read_sim_endpoint(self._elsewhere.workspace, VENUE)

    @property
    def supervisord(self) -> int | None:
        """Its process id, while it lives."""
        with suppress(OSError, ValueError):
            pid = int((self.botctl.workspace.state / "supervisord.pid").read_text())
            return pid if is_alive(pid) else None
        return None

    def engine(self, bot: str) -> int | None:
        """The process that holds the bot's lock."""
        holder = verified_holder(self.botctl.workspace.locks / bot)
        return holder.pid if holder else None

    def credentials(self, account: str) -> dict[str, str]:
        """The keys the venue knows the account by; no other fleet on this host ever had them."""
        return dict(find_venue(VENUE).throwaway_credentials(simulated_seed(self._fleet_id, account)))

    def switch_faults(self, faults: dict[str, float]) -> None:
        """Other weather between the fleet and the venue; none ends it."""
        url = self.endpoint.rest_url + CONTROL_TARGET
        method, settings = ("POST", faults) if faults else ("DELETE", None)
        httpx.request(method, url, json=settings, trust_env=False, timeout=30).raise_for_status()

    def forgive(self) -> None:
        """Let the next round find bots that owe no back-off for the crashes of this one."""
        for bot in BOTS:
            forget_starts(self.botctl.workspace, bot)

    # The small disk -----------------------------------------------------------------------------------------

    def fill_disk(self) -> None:
        """Not a byte is left where journals, logs and locks are."""
        handle = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            for size in (1 << 20, 1 << 12, 1):
                with suppress(OSError):
                    while True:
                        os.write(handle, bytes(size))
        finally:
            os.close(handle)

    def free_disk(self) -> None:
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.botctl.workspace.state / "ballast"

    def _mount_state(self) -> bool:
        """Whether the state lies on a disk of its own, which takes the right to mount one."""
        state = self.botctl.workspace.state
        state.mkdir(mode=0o700)
        mount = shutil.which("mount")
        if mount is None or os.geteuid() != 0:
            return False
        options = f"size={STATE_BYTES},mode=0700"
        done = subprocess.run(
            [mount, "-t", "tmpfs", "-o", options, "tmpfs", str(state)], capture_output=True, check=False
        )
        return done.returncode == 0

    def _declare(self, endpoint: SimEndpoint) -> None:
        self.botctl.write("bots/fleet.yaml", fleet_text(self._fleet_id, endpoint.rest_url, endpoint.ws_url))
        for name, bot in BOTS.items():
            self.botctl.write(f"bots/{name}.yaml", bot.text)
        keys = [
            f"{account.upper()}_{field.upper()}={value}"
            for account in ACCOUNTS
            for field, value in self.credentials(account).items()
        ]
        self.botctl.write(".env", "\n".join(keys) + "\n")
        (self.botctl.root / ".env").chmod(0o600)


def strike(pid: int, number: signal.Signals) -> None:
    """A signal; a process that is gone already does not mind."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
