"""Where everything of one workspace lies. Every process of botctl starts here: verbs, engines, simulators.

Only `prepare` writes; everything else is arithmetic on paths, so that a dry run stays dry.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from engine.errors import UsageError
from engine.host.files import private_directory, read_if_present, write_atomic
from engine.model.value import Value

STATE_NAME = ".botctl"


class Workspace(Value, frozen=True, kw_only=True):
    """A folder with `bots/fleet.yaml`, and its state beside it.

    `tree` is another folder whose bots/, templates/ and envs/ are read instead: those of a commit. State, secrets
    and everything that runs stay those of `root`.
    """

    root: Path
    tree: Path | None = None

    @property
    def declared(self) -> Path:
        """Where what is wanted is read."""
        return self.tree or self.root

    @property
    def bots(self) -> Path:
        return self.declared / "bots"

    @property
    def templates(self) -> Path:
        return self.declared / "templates"

    @property
    def envs(self) -> Path:
        return self.declared / "envs"

    @property
    def env_file(self) -> Path:
        return self.root / ".env"

    @property
    def state(self) -> Path:
        return self.root / STATE_NAME

    @property
    def generations(self) -> Path:
        return self.state / "generations"

    @property
    def current(self) -> Path:
        """A symlink to the generation that engines read."""
        return self.state / "current"

    @property
    def holds(self) -> Path:
        return self.state / "holds"

    @property
    def finished(self) -> Path:
        return self.state / "finished"

    @property
    def direct(self) -> Path:
        """Bots that are run in the foreground and that no generation holds."""
        return self.state / "direct"

    @property
    def journals(self) -> Path:
        return self.state / "journals"

    @property
    def archive(self) -> Path:
        """What `botctl forget` put aside."""
        return self.state / "archive"

    @property
    def starts(self) -> Path:
        """When each engine last started: its own crash back-off reads this."""
        return self.state / "starts"

    @property
    def locks(self) -> Path:
        """One lock per bot: a bot has one process in one workspace, whatever account it trades."""
        return self.state / "locks"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def sim(self) -> Path:
        return self.state / "sim"

    @property
    def facts(self) -> Path:
        """Venue facts cached for planning."""
        return self.state / "facts"

    @property
    def watch(self) -> Path:
        """What `botctl watch` keeps: one copy of the repository, one tree, one status."""
        return self.state / "watch"

    @property
    def audit_log(self) -> Path:
        return self.state / "audit.jsonl"

    @property
    def alerts(self) -> Path:
        """What is wrong, and who was told."""
        return self.state / "alerts.json"

    @property
    def approvals(self) -> Path:
        """Who approved which saved plan."""
        return self.state / "approvals"

    @property
    def ignored_drift(self) -> Path:
        """What people said of drift that they leave as it is."""
        return self.state / "ignored-drift.json"

    @property
    def supervisor_conf(self) -> Path:
        return self.state / "supervisord.conf"

    @property
    def digest(self) -> str:
        """Twelve characters that stand for this place on this host."""
        return sha256(os.fsencode(self.root.resolve())).hexdigest()[:12]

    @property
    def runtime_dir(self) -> Path:
        """Where the sockets are: a short path, because a unix socket's may have about 100 bytes.

        The place chosen first is remembered, so that a cron job without XDG_RUNTIME_DIR finds the daemon that
        a login session started; it counts only while it exists and belongs to this very folder.
        """
        remembered = read_if_present(self.state / "runtime")
        if remembered:
            place = Path(os.fsdecode(remembered))
            if place.name == self.digest and place.is_dir():
                return place
        return _runtime_base() / self.digest

    @property
    def supervisor_socket(self) -> Path:
        """Without `.sock`, so that no bot's name can be its."""
        return self.runtime_dir / "supervisord"

    def control_socket(self, bot: str) -> Path:
        return self.runtime_dir / f"{bot}.sock"

    def prepare(self) -> None:
        """Make the state and runtime directories, private to this user; Refused when somebody else owns one."""
        private_directory(self.state)
        place = self.runtime_dir
        private_directory(place.parent)
        private_directory(place)
        remembered, name = self.state / "runtime", os.fsencode(place)
        if read_if_present(remembered) != name:  # Who comes to a full disk, to stop what trades, writes nothing.
            write_atomic(remembered, name)


def _runtime_base() -> Path:
    session = os.environ.get("XDG_RUNTIME_DIR")
    return Path(session) / "botctl" if session else Path("/tmp") / f"botctl-{os.getuid()}"


def find_workspace(directory: Path | None = None) -> Workspace:
    """The workspace of `-C DIR`, else of BOTCTL_WORKSPACE, else of the nearest parent with bots/fleet.yaml."""
    named = directory or (Path(name) if (name := os.environ.get("BOTCTL_WORKSPACE")) else None)
    candidates = [named.absolute()] if named else [Path.cwd(), *Path.cwd().parents]
    for root in candidates:
        if (root / "bots" / "fleet.yaml").is_file():
            return Workspace(root=root)
    where = str(candidates[0]) if named else f"{candidates[0]} or any folder above it"
    raise UsageError(
        f"no bots/fleet.yaml in {where}",
        hint="make a workspace with `botctl init`, or name one with -C DIR or BOTCTL_WORKSPACE",
    )


def workspace_of_state(state: Path) -> Workspace:
    """The workspace whose state directory this is: engines are started with nothing else.

    UsageError when it cannot be one: a slip of the hand must not serve or trade some other folder's fleet.
    """
    workspace = Workspace(root=state.absolute().parent)
    if workspace.state != state.absolute():
        raise UsageError(f"{state} is no state directory", hint=f"it is the {workspace.state.name} of a workspace")
    return workspace
