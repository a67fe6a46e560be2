"""Bad weather between a venue and its clients, switched while it runs."""

from __future__ import annotations

import json

import pytest

from engine.clock import NS_PER_MS, NS_PER_S
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.sim.faults import CONTROL_TARGET, FaultyMachine
from engine.sim.machine import (
    HttpAnswered,
    HttpReceived,
    Inbound,
    Outbound,
    SocketClosed,
    SocketDropped,
    SocketOpened,
    SocketReceived,
    SocketSent,
)
from engine.spec.types import FaultSpec

ALWAYS = 1.0
OK = HttpResponse(status=200, body=b"done")


class Teller:
    """Answers every request at once and says every frame it is given back to its socket."""

    def __init__(self) -> None:
        self.heard: list[tuple[Inbound, int]] = []
        self.next_wake_ns: int | None = None

    def handle(self, message: Inbound, now_ns: int) -> list[Outbound]:
        self.heard.append((message, now_ns))
        if isinstance(message, HttpReceived):
            return [HttpAnswered(request_id=message.request_id, response=OK)]
        if isinstance(message, SocketReceived):
            return [SocketSent(socket_id=message.socket_id, text=message.text)]
        return []

    def wake(self, now_ns: int) -> list[Outbound]:
        return []


class Weather:
    def __init__(self, **faults: object) -> None:
        self.teller = Teller()
        self.machine = FaultyMachine(self.teller, FaultSpec(**faults), seed=1)
        self.now_ns = 0

    def ask(self, target: str = "/order", method: str = "POST", body: object = None) -> HttpResponse | None:
        headers = (("content-type", "application/json"),)
        content = json.dumps(body).encode() if body is not None else b""
        request = HttpRequest(method=method, target=target, headers=headers, body=content)
        out = self.machine.handle(HttpReceived(request_id=9, request=request), self.now_ns)
        return next((message.response for message in out if isinstance(message, HttpAnswered)), None)

    def frames(self, *texts: str, socket_id: int = 1) -> list[str]:
        """What arrives of the frames a venue says on one socket."""
        out: list[Outbound] = []
        for text in texts:
            out += self.machine.handle(SocketReceived(socket_id=socket_id, text=text), self.now_ns)
        return [message.text if isinstance(message, SocketSent) else "closed" for message in out]

    def switch(self, **faults: object) -> None:
        answer = self.ask(CONTROL_TARGET, body=faults)
        assert answer is not None and answer.status == 200, answer


def test_without_faults_everything_passes_at_once() -> None:
    weather = Weather()
    assert weather.ask() == OK and weather.frames("a", "b") == ["a", "b"]


@pytest.mark.parametrize(
    ("fault", "arrives"),
    [
        ("drop", []),
        ("duplicate", ["a", "a", "b", "b", "c", "c"]),
        ("reorder", ["b", "a"]),
        ("gap", []),
        ("zombie", []),
    ],
)
def test_what_becomes_of_frames(fault: str, arrives: list[str]) -> None:
    assert Weather(**{fault: ALWAYS}).frames("a", "b", "c") == arrives


def test_a_gap_swallows_several_in_a_row_and_then_ends() -> None:
    weather = Weather(gap=ALWAYS)
    weather.frames("a")
    weather.switch(gap=0)
    assert weather.frames("b", "c", "d", "e", "f") == ["f"]


def test_a_zombie_never_speaks_again_while_a_new_socket_does() -> None:
    weather = Weather(zombie=ALWAYS)
    weather.frames("a")
    weather.switch(zombie=0)
    assert weather.frames("b") == []
    assert weather.frames("b", socket_id=2) == ["b"]


def test_a_cut_socket_is_closed_for_both_and_what_was_on_its_way_is_lost() -> None:
    weather = Weather(disconnect=ALWAYS)
    assert weather.frames("a", "b") == ["closed"]
    assert weather.teller.heard[-1][0] == SocketClosed(socket_id=1)
    weather.machine.handle(SocketClosed(socket_id=1), 0)
    closes = [message for message, _ in weather.teller.heard if isinstance(message, SocketClosed)]
    assert len(closes) == 1


def test_a_rate_limited_request_never_reaches_the_venue() -> None:
    weather = Weather(rate_limited=ALWAYS)
    answer = weather.ask()
    assert answer is not None and answer.status == 429 and weather.teller.heard == []


def test_after_a_server_error_the_order_is_live() -> None:
    weather = Weather(server_error=ALWAYS)
    answer = weather.ask()
    assert answer is not None and answer.status == 503 and len(weather.teller.heard) == 1


def test_a_slow_answer_comes_late_and_the_venue_was_quick() -> None:
    weather = Weather(slow=ALWAYS, slow_ms=700)
    assert weather.ask() is None and len(weather.teller.heard) == 1
    assert weather.machine.next_wake_ns == 700 * NS_PER_MS
    assert weather.machine.wake(700 * NS_PER_MS) == [HttpAnswered(request_id=9, response=OK)]


def test_jitter_never_lets_messages_of_one_socket_overtake_each_other() -> None:
    weather = Weather(latency_ms=5, jitter_ms=100)
    weather.machine.handle(SocketOpened(socket_id=1), 0)
    texts = [str(number) for number in range(50)]
    weather.frames(*texts)
    out = weather.machine.wake(NS_PER_S)
    assert [message.text for message in out if isinstance(message, SocketSent)] == texts
    assert len({at_ns for _, at_ns in weather.teller.heard}) > 3


def test_a_skewed_clock_is_the_venues_own_and_never_goes_back() -> None:
    weather = Weather(clock_skew_ms=5_000)
    weather.now_ns = NS_PER_S
    weather.ask()
    weather.switch(clock_skew_ms=-5_000)
    weather.now_ns = 2 * NS_PER_S
    weather.ask()
    assert [at_ns for _, at_ns in weather.teller.heard] == [6 * NS_PER_S, 6 * NS_PER_S]
    weather.teller.next_wake_ns = 9 * NS_PER_S
    assert weather.machine.next_wake_ns == 14 * NS_PER_S


def test_faults_are_told_changed_one_by_one_and_taken_back() -> None:
    weather = Weather(drop=0.5)
    weather.switch(slow_ms=10)
    answer = weather.ask(CONTROL_TARGET, "GET")
    assert answer is not None
    told = json.loads(answer.body)
    assert (told["drop"], told["slow_ms"], told["gap"]) == (0.5, 10, 0)
    weather.switch(drop=1, slow_ms=20)
    weather.ask(CONTROL_TARGET, "DELETE")
    assert weather.machine.faults == FaultSpec(drop=0.5)


@pytest.mark.parametrize("changes", [{"drop": 2}, {"thunder": 1}, {"slow_ms": "late"}, [1]])
def test_what_cannot_be_meant_changes_nothing(changes: object) -> None:
    weather = Weather()
    answer = weather.ask(CONTROL_TARGET, body=changes)
    assert answer is not None and answer.status == 400
    assert weather.machine.faults == FaultSpec()


def test_a_web_page_cannot_switch_faults() -> None:
    weather = Weather()
    request = HttpRequest(method="POST", target=CONTROL_TARGET, body=b'{"drop": 1}')
    [answer] = weather.machine.handle(HttpReceived(request_id=1, request=request), 0)
    assert isinstance(answer, HttpAnswered) and answer.response.status == 415


def test_a_dropped_frame_of_the_venue_itself_is_passed_on() -> None:
    weather = Weather()
    weather.teller.wake = lambda _now_ns: [SocketDropped(socket_id=1, code=1000)]  # type: ignore[method-assign]
    assert weather.machine.wake(5) == [SocketDropped(socket_id=1, code=1000)]
