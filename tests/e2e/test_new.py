"""`botctl new` at a terminal, over a running simulated venue: asked, answered, mistyped, interrupted."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml

from tests.e2e.botctl import BOTCTL, Botctl

pytestmark = pytest.mark.timeout(180)

PATIENCE_S = 60.0
CTRL_C = "\x03"


class Person:
    """Somebody at a terminal who waits for a question before he answers."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self.seen = ""
        self._answered = 0

    def reads(self, words: str) -> None:
        """Wait until the words stand after what was answered last."""
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.seen[self._answered :]:
            assert time.monotonic() < deadline, f"{words!r} did not come:\n{self.seen}"
            self._take()

    def answers(self, question: str, text: str = "") -> None:
        self.reads(question)
        self._answered = len(self.seen)
        os.write(self._terminal, f"{text}\n".encode() if text != CTRL_C else text.encode())

    def _take(self) -> None:
        if select.select([self._terminal], [], [], 0.2)[0]:
            self.seen += os.read(self._terminal, 4096).decode(errors="replace")


@contextmanager
def typing(botctl: Botctl, *words: str) -> Iterator[tuple[Person, subprocess.Popen[bytes]]]:
    """A verb whose whole talk goes over a terminal of its own."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(BOTCTL), *words],
        cwd=botctl.root,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(theirs)
    try:
        yield Person(ours), process
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _take_terminal() -> None:
    """Ctrl-C reaches the process only from its controlling terminal, which the first one it opens becomes."""
    os.close(os.open(os.ttyname(0), os.O_RDWR))


def test_a_person_answers_slips_and_gets_a_bot_that_plans(botctl: Botctl) -> None:
    botctl("apply", "--yes")
    with typing(botctl, "new") as (person, process):
        person.answers("venue", "bakpack")
        person.answers("did you mean `backpack`?", "backpack")
        person.answers("account (alpha, beta, or a new name)", "beta")
        person.answers("market of backpack", "ETH_USDT")
        person.answers("did you mean `ETH_USDC`?", "ETH_USDC")
        person.answers("strategy for a spot market", "market_maker")
        person.answers("name [eth-usdc]", "eth-maker")
        person.answers("strategy.spread_bps", "-1")
        for setting in ("order_size", "layers", "capital.base", "capital.quote"):
            person.answers(f"strategy.{setting}")
        person.reads("bots/eth-maker.yaml:13:15: error: strategy.spread_bps must be more than 0")
        person.answers("strategy.spread_bps", "9")
        for setting in ("order_size", "layers", "capital.base", "capital.quote"):
            person.answers(f"strategy.{setting}")
        person.reads("spread_bps: 9")
        assert not (botctl.root / "bots" / "eth-maker.yaml").exists()
        person.answers("Write bots/eth-maker.yaml?", "y")
        person.reads("`botctl plan`")
        assert process.wait(PATIENCE_S) == 0
    bot = yaml.safe_load((botctl.root / "bots" / "eth-maker.yaml").read_text())
    assert (bot["strategy"]["spread_bps"], bot["exchange"]["account"]) == (9, "beta")
    assert re.search(r"\+ eth-maker +create", botctl("plan"))


def test_ctrl_c_writes_nothing(botctl: Botctl) -> None:
    before = sorted((botctl.root / "bots").iterdir())
    with typing(botctl, "new", "--exchange", "aster", "--account", "paper") as (person, process):
        person.answers("add it, simulated on aster, with play money?", "y")
        person.answers("market of aster", CTRL_C)
        assert process.wait(PATIENCE_S) == 130
    assert sorted((botctl.root / "bots").iterdir()) == before
    assert "paper" not in (botctl.root / "bots" / "fleet.yaml").read_text()


def test_without_a_terminal_flags_do(botctl: Botctl) -> None:
    words = ("new", "--account", "alpha", "--symbol", "BTC_USDC", "--strategy", "grid")
    assert "--yes is missing" in botctl(*words, code=64)
    assert "written: bots/btc-usdc.yaml" in botctl(*words, "--yes")
    assert "btc-usdc" in botctl("plan")
