"""What goes into a signature beside the command: the venue's time, our token, and a nonce where the venue wants
one. Used for every request and subscription of a session.
"""

from __future__ import annotations

from engine.exchanges.interface import Context, NonceRule
from engine.model.commands import Change, Command
from engine.session.clock_offset import ClockOffset
from engine.session.nonces import ClockNonces, SequenceNonces


class Contexts:
    """`token` is put in by whoever keeps it; `sequence` is set where the venue's rule is SEQUENCE."""

    def __init__(self, clock: ClockOffset, rule: NonceRule, clock_nonces: ClockNonces) -> None:
        self.token = ""
        self.sequence: SequenceNonces | None = None
        self._clock = clock
        self._rule = rule
        self._clock_nonces = clock_nonces

    def plain(self) -> Context:
        """For requests that are no commands: logins, streams, questions for a nonce."""
        now_ns = self._clock.now_ns()
        nonce = self._clock_nonces(now_ns) if self._rule is NonceRule.CLOCK_US else None
        return Context(now_ns=now_ns, nonce=nonce, token=self.token)

    def of(self, command: Command) -> Context:
        """For one command, to be sent at once. Of a sequence only what changes something takes a number; NotSent
        while that is not known."""
        if self.sequence is None or not isinstance(command, Change):
            return self.plain()
        return Context(now_ns=self._clock.now_ns(), nonce=self.sequence.take(), token=self.token)
