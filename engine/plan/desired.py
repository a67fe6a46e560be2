"""What should be true: the fleet as its files say it now, resolved by `engine.control.desired`."""

from __future__ import annotations

from engine.model.value import Value
from engine.spec.types import BotSpec, FleetSpec


class DesiredBot(Value, frozen=True, kw_only=True):
    """One declared bot. `places` maps a field's path as written (`strategy.spread_bps`) to `file:line`."""

    spec: BotSpec
    fingerprint: str
    file: str
    places: dict[str, str] = {}

    def place(self, path: str) -> str:
        """Where a field is said; where its nearest parent is said when it is left out; else the file."""
        while path:
            if path in self.places:
                return self.places[path]
            path = path.rpartition(".")[0]
        return self.file


class DesiredSimulator(Value, frozen=True, kw_only=True):
    """One simulated venue the fleet declares."""

    fingerprint: str


class Desired(Value, frozen=True, kw_only=True):
    """The whole fleet, checked and resolved; secrets are still references. `rules` says where each rule of the
    policy is written, `without` why a bot that is not among them goes, in words; `came_from` is the generation
    that all of this was read back from, None for what files say now."""

    fleet: FleetSpec
    bots: dict[str, DesiredBot]
    simulators: dict[str, DesiredSimulator] = {}
    rules: dict[str, str] = {}
    without: str = "no file declares it any more"
    came_from: int | None = None
