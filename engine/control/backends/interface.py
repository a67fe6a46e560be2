"""What keeping programs alive means, for any supervisor: observe them, render their configuration, execute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from engine.errors import Unavailable
from engine.model.value import Value
from engine.plan.observed import Process

Progress = Callable[[str], None]
"""Takes one line for people about what is being done right now."""


class Program(Value, frozen=True, kw_only=True):
    """One process to keep alive: a bot's engine or a simulator.

    The first word of `command` is an absolute path. `STATE` in `arguments` stands for the state directory.
    """

    name: str
    command: str
    arguments: tuple[str, ...]
    stop_timeout_s: int
    autostart: bool = False
    """Started together with the supervisor, also after a reboot."""


class Load(Value, frozen=True, kw_only=True):
    """Make `programs` known without starting or stopping any; no others may leave than those in `leaving`. Of those
    that are new, no supervisor gets more than it has `room` for."""

    programs: tuple[Program, ...]
    leaving: frozenset[str]
    room: int


class Stop(Value, frozen=True, kw_only=True):
    """Ask for the stop procedure, all at once, and wait until every process is gone."""

    names: tuple[str, ...]
    deadline_s: float


class Start(Value, frozen=True, kw_only=True):
    """Start with the loaded configuration; returns before the programs are ready."""

    names: tuple[str, ...]


class Remove(Value, frozen=True, kw_only=True):
    """Forget programs that are stopped; one that is started again then takes the loaded configuration."""

    names: tuple[str, ...]


class ShutDown(Value, frozen=True, kw_only=True):
    """End the supervisor itself; its programs are stopped already."""


Operation = Load | Stop | Start | Remove | ShutDown


class Absent(Unavailable):
    """No supervisor runs: known, and different from one that does not answer."""


class Backend(Protocol):
    """Programs by name; the backend may spread them over several supervisors."""

    def observe(self) -> Mapping[str, Process]:
        """Every known program. Raises Absent when no supervisor runs, Unavailable when one does not answer."""

    def render(self, programs: Sequence[Program], room: int) -> str:
        """The configuration that keeps these programs, as text, for the record of a generation."""

    def execute(self, operation: Operation, progress: Progress) -> None:
        """Carry out one operation; done twice, the second one changes nothing."""
