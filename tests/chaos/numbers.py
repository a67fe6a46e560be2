"""Overhears the numbers that transactions on Lighter carry: one that is used is never sent again.

The venue refuses it, so no order is hurt, and the bot asks and goes on: nothing else would notice. One excuse is
good: the question for the next number overtook the transaction that used it. Of two on their way, either may win.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol
from unittest.mock import patch
from urllib.parse import parse_qsl

from engine.clock import NS_PER_S
from engine.sim.lighter.errors import INVALID_NONCE
from engine.sim.machine import HttpAnswered, HttpReceived, Inbound, Outbound, SocketReceived, SocketSent
from engine.sim.market_machine import MarketMachine
from engine.sim.network import Host, VirtualNetwork

QUESTION = "/api/v1/nextNonce"
REFUSED = f'"code":{INVALID_NONCE[0]}'


class Stage(Protocol):
    """What the judge needs of the play."""

    network: VirtualNetwork

    def complain(self, what: str) -> None: ...


class Use(NamedTuple):
    """When the transaction that used a number left its bot, and when the venue took it."""

    sent_ns: int
    taken_ns: int


class Numbers:
    """Of one venue's one key."""

    def __init__(self, machine: MarketMachine, play: Stage) -> None:
        self._play = play
        self._sent_ns: dict[str, int] = {}
        """By signature."""
        self._uses: dict[int, Use] = {}
        self._asked_ns: list[int] = []
        """When the venue told the next number."""
        self._handle = machine.handle
        machine.handle = self._overhear  # type: ignore[method-assign]  # on its way to the venue

    @contextmanager
    def reading(self) -> Iterator[None]:
        """While it is noted when each transaction leaves its bot."""
        send, request = Host.send, Host.request

        def note_and_send(host: Host, line: Any, text: str) -> None:
            self._note(SocketReceived(socket_id=line.socket_id, text=text))
            send(host, line, text)

        def note_and_request(host: Host, asked: Any, answer: Any) -> None:
            self._note(HttpReceived(request_id=0, request=asked))
            request(host, asked, answer)

        with patch.object(Host, "send", note_and_send), patch.object(Host, "request", note_and_request):
            yield

    def _note(self, message: Inbound) -> None:
        info = transaction_in(message)
        if info is not None:
            self._sent_ns[info["Sig"]] = self._play.network.elapsed_ns

    def _overhear(self, message: Inbound, now_ns: int) -> list[Outbound]:
        said = self._handle(message, now_ns)
        info, elapsed_ns = transaction_in(message), self._play.network.elapsed_ns
        if isinstance(message, HttpReceived) and message.request.target.startswith(QUESTION):
            self._asked_ns.append(elapsed_ns)
        elif info is not None:
            self._judge(info["Nonce"], Use(self._sent_ns[info["Sig"]], elapsed_ns), map(_words, said))
        return said

    def _judge(self, number: int, use: Use, answers: Iterator[str]) -> None:
        words = next((each for each in answers if '"tx_hash"' in each or REFUSED in each), "")
        if '"tx_hash"' in words:
            self._uses[number] = use
        elif words and number in self._uses:
            first = self._uses[number]
            was_used = first.taken_ns < use.sent_ns
            if was_used and not any(first.sent_ns <= asked_ns <= first.taken_ns for asked_ns in self._asked_ns):
                when = f"{use.sent_ns / NS_PER_S:.3f} s"
                self._play.complain(f"{when}: number {number} was sent again, and it was known to be used")


def transaction_in(message: Inbound) -> dict[str, Any] | None:
    """The transaction that is on its way to the venue, whichever way it goes."""
    if isinstance(message, HttpReceived) and message.request.target.endswith("/sendTx"):
        fields = dict(parse_qsl(message.request.body.decode()))
        return dict(json.loads(fields["tx_info"]))
    if isinstance(message, SocketReceived) and '"jsonapi/sendtx"' in message.text:
        return dict(json.loads(message.text)["data"]["tx_info"])
    return None


def _words(said: Outbound) -> str:
    """Of an answer, without blanks."""
    if isinstance(said, HttpAnswered):
        return said.response.body.decode().replace(" ", "")
    return said.text.replace(" ", "") if isinstance(said, SocketSent) else ""
