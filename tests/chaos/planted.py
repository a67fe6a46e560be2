"""Plants bugs and sees whether the harness notices: `python -m tests.chaos.planted [WORD ...]`.

Each is a small change to a copy of the engine. The copy's own harness runs from seed 0 until a story fails; a bug
that no story notices is a hole in the harness, and this then exits 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.model.value import Value

ROOT = Path(__file__).parents[2]
SEEDS = 60


class Bug(Value, frozen=True, kw_only=True):
    """`right` stands exactly once in `file`, and `wrong` takes its place. It is looked for in stories of one kind
    only, where there is one that can show it: a bot that hedges, or a venue that amends orders."""

    name: str
    file: str
    right: str
    wrong: str
    of: str = ""


BUGS = (
    Bug(
        name="drop the ownership filter",
        file="trading/leg.py",
        right="(order is None and not fill.system) or not self.orders.count_once(fill)",
        wrong="not self.orders.count_once(fill)",
    ),
    Bug(
        name="take a timeout for a rejection",
        file="trading/lifecycle.py",
        right="            self._lose(operation, why)\n\n    def missing",
        wrong="            self.state = OrderState.REJECTED\n\n    def missing",
    ),
    Bug(
        name="send again after a timeout",
        file="trading/diff.py",
        right="    for order in orders:\n        grouped",
        wrong="    for order in orders:\n        if order.unresolved:\n            continue\n        grouped",
    ),
    Bug(
        name="skip the journal",
        file="runtime/bot.py",
        right="        self._journal.commit(step.records)\n",
        wrong="",
    ),
    Bug(
        name="journal only after the send",
        file="runtime/bot.py",
        right="        self._journal.commit(step.records)\n        self._send(step.commands)\n",
        wrong="        self._send(step.commands)\n        self._journal.commit(step.records)\n",
    ),
    Bug(
        name="ignore a gap in the book",
        file="exchanges/sequenced_book.py",
        right="if not self._follows(event, self._last_id):",
        wrong="if False:",
    ),
    Bug(
        name="keep a book whose socket is gone",
        file="session/book_feed.py",
        right="        self._is_connected = False\n        self._forget()\n        self._lose(reason)\n",
        wrong="        self._is_connected = False\n",
    ),
    Bug(
        name="begin a life with a number that the last one used",
        file="session/nonces.py",
        right="self._next = await self._fetch()",
        wrong="self._next = max(0, await self._fetch() - (not self._has_asked))",
        of="lighter",
    ),
    Bug(
        name="take the number that a holder had when it died for good",
        file="host/nonces.py",
        right="            self._write(DIRTY)\n            self.next_nonce",
        wrong="            self.next_nonce",
        of="lighter",
    ),
    Bug(
        name="count a fill twice",
        file="trading/orders.py",
        right="        if key in self._seen_fills:\n            return False\n",
        wrong="",
    ),
    Bug(
        name="check the limit against what is held only",
        file="risk/guard.py",
        right="held + (exposure.open_buy_lots if buying else exposure.open_sell_lots) + request.lots",
        wrong="held + request.lots",
    ),
    Bug(
        name="count a lost amend as done",
        file="trading/lifecycle.py",
        right="        if self.state is _PENDING[operation]:\n",
        wrong="        if self.amended is not None:\n"
        "            self._amended_to(self.amended)\n"
        "        elif self.state is _PENDING[operation]:\n",
        of="aimed",
    ),
    Bug(
        name="count a lost amend as never carried out",
        file="trading/lifecycle.py",
        right="        if self.state is _PENDING[operation]:\n",
        wrong="        if self.amended is not None:\n"
        "            self._amended_to(self.request)\n"
        "        elif self.state is _PENDING[operation]:\n",
        of="aimed",
    ),
    Bug(
        name="forget a pending amend in a crash",
        file="trading/lifecycle.py",
        right="order.amended, order.reported_ns = record.amended, record.reported_ns",
        wrong="order.reported_ns = record.reported_ns",
        of="aster",
    ),
    Bug(
        name="count a failed item of a batch as placed",
        file="trading/news.py",
        right='order.submit_rejected(f"{event.reason}: {event.venue_words}", event.at_ns)',
        wrong="order.still_rests(event.at_ns)",
    ),
    Bug(
        name="forget remembered orders",
        file="trading/machine.py",
        right="        for record in memory.orders:\n",
        wrong="        for record in ():\n",
    ),
    Bug(
        name="use client ids again after a restart",
        file="trading/machine.py",
        right="Sequence(memory.next_sequence)",
        wrong="Sequence(0)",
    ),
    Bug(
        name="forget the loss limit's marks in a restart",
        file="trading/machine.py",
        right="Watch(self._legs, memory.stops,",
        wrong="Watch(self._legs, None,",
    ),
    Bug(
        name="count a funding payment twice",
        file="trading/funding.py",
        right=" and payment.payment_id not in self._seen",
        wrong="",
    ),
    Bug(
        name="take a failed question for funding for one without payments",
        file="trading/funding.py",
        right="self._due_ns = event.at_ns + wait_ns(FIRST_RETRY_NS, self._retries, LAST_RETRY_NS)",
        wrong="self._newest_ns = event.at_ns + OVERLAP_NS",
    ),
    Bug(
        name="forget in a restart what was paid",
        file="trading/machine.py",
        right="as_counted(memory.fills, memory.funding)",
        wrong="as_counted(memory.fills, ())",
    ),
    Bug(
        name="claim a shared budget without looking at the others",
        file="host/exposures.py",
        right="taken = _total([words.claim for words in others])",
        wrong="taken = _total([])",
    ),
    Bug(
        name="stop without waiting for the cancels",
        file="trading/machine.py",
        right="self._parting is None or any(True for leg in self._legs.values() for _ in leg.orders.live)",
        wrong="self._parting is None",
    ),
    Bug(
        name="give an order up before it is dead",
        file="trading/sync.py",
        right="if whole and self._asked_ns > order.dead_after_ns + DEAD_MARGIN_NS:",
        wrong="if whole:",
    ),
    Bug(
        name="take an order that is over for done before its fills are known",
        file="trading/lifecycle.py",
        right="self.state = self.final if agree else OrderState.CLOSING",
        wrong="self.state = self.final",
    ),
    Bug(
        name="hedge again while a hedge is under way",
        file="trading/desk.py",
        right="        coming = leg.taking_lots\n",
        wrong="        coming = 0\n",
        of="hedge",
    ),
    Bug(
        name="let a quote use up the budget of its hedge",
        file="trading/claims.py",
        right="price / (price + hedge_price) if price else Decimal(0)",
        wrong="Decimal(1)",
        of="hedge",
    ),
    Bug(
        name="take what was open before a restart for flat",
        file="trading/machine.py",
        right="as_counted(memory.fills, memory.funding)",
        wrong="as_counted((), ())",
        of="hedge",
    ),
    Bug(
        name="count a lost cancel as done",
        file="trading/lifecycle.py",
        right="        if self.state is _PENDING[operation]:\n",
        wrong="        if operation is Operation.CANCEL:\n"
        "            self._over(OrderState.CANCELED, why)\n"
        "        elif self.state is _PENDING[operation]:\n",
    ),
    Bug(
        name="count an order as gone once its cancel is sent",
        file="trading/orders.py",
        right="for order in self.without(without) if order.request.side is side)",
        wrong="for order in self.without(without)"
        ' if order.request.side is side and order.state != "cancel pending")',
    ),
    Bug(
        name="book the hedge leg's funding under the maker leg",
        file="trading/funding.py",
        right="FundingRecord(leg=self._leg, payment",
        wrong='FundingRecord(leg="maker", payment',
        of="hedge",
    ),
    Bug(
        name="round what is not hedged to lots",
        file="trading/hedging.py",
        right="return self._maker.held_base + self._hedge.held_base",
        wrong="return sum(leg.instrument.size(leg.held_lots) for leg in (self._maker, self._hedge))",
        of="hedge",
    ),
)


def plant(bug: Bug, place: Path) -> None:
    """A copy of engine and harness with the bug in it."""
    for room in ("engine", "tests"):
        shutil.copytree(ROOT / room, place / room, ignore=shutil.ignore_patterns("__pycache__"))
    for room in ("schemas", "templates", "bots"):
        (place / room).symlink_to(ROOT / room)
    file = place / "engine" / bug.file
    text = file.read_text(encoding="utf-8")
    if text.count(bug.right) != 1:
        raise ValueError(f"{bug.name}: its place in {bug.file} has changed")
    file.write_text(text.replace(bug.right, bug.wrong), encoding="utf-8")


def noticed(bug: Bug) -> str:
    """The first thing the harness has to say about it; empty when it notices nothing."""
    with TemporaryDirectory(prefix="planted-") as directory:
        plant(bug, Path(directory))
        only = ["--of", bug.of] if bug.of else []
        run = subprocess.run(
            [sys.executable, "-m", "tests.chaos", "--seeds", str(SEEDS), *only, "--fail-fast"],
            cwd=directory,
            env={**os.environ, "PYTHONPATH": directory},
            capture_output=True,
            text=True,
            check=False,
        )
    if run.returncode == 0:
        return ""
    return (run.stdout.strip() or run.stderr.strip()).splitlines()[-1]


def main() -> int:
    """Of all bugs, or of those that have one of the given words in their name."""
    words, holes = sys.argv[1:], 0
    chosen = [bug for bug in BUGS if not words or any(word in bug.name for word in words)]
    for bug in chosen:
        said = noticed(bug)
        holes += not said
        print(f"{bug.name}: {said or 'NOT NOTICED'}", flush=True)
    print(f"{len(chosen) - holes} of {len(chosen)} planted bugs were noticed")
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main())
