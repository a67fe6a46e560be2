"""Every own fill and funding payment that journals know, line by line: for bookkeeping, and for checking ours.

Of bots that are declared no more, too, until somebody forgets them: a year's books are not made of today's fleet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.clock import iso_utc
from engine.errors import UsageError
from engine.host.workspace import Workspace
from engine.model.account import Fill
from engine.model.instrument import Instrument, plain
from engine.model.value import Value
from engine.runtime.journal_reader import LegBooks, leg_books, places
from engine.trading.accounting import Accounting
from engine.trading.orders import ADOPTED_SLOT
from engine.trading.records import FillRecord


class Line(Value, frozen=True, kw_only=True):
    """One fill or payment, money as text. `journal` tells accounts apart and begins with `sim-` for simulated ones.

    `kind` is `fill`, `system` (liquidation and the like), `adoption` (position a person gave the bot) or `funding`.
    `fee` is paid, or received where it is negative; `funding` is received. `realised_pnl` is what this line
    realised, FIFO, before fees and funding; `position` is what it left.
    """

    at: str
    kind: str
    bot: str
    leg: str
    venue: str
    market: str
    journal: str
    side: str = ""
    liquidity: str = ""
    price: str = ""
    size: str = ""
    quote_amount: str = ""
    fee: str = ""
    fee_asset: str = ""
    funding: str = ""
    realised_pnl: str = ""
    position: str = ""
    trade_id: str = ""
    order_id: str = ""
    client_id: str = ""
    slot: str = ""
    at_ns: int


def journals_of(workspace: Workspace, bots: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Name and file of every journal of these bots, or of all there ever were here."""
    known = sorted(folder.name for folder in workspace.journals.glob("*") if folder.is_dir())
    if unknown := sorted(set(bots) - set(known)):
        raise UsageError(f"no journal of {', '.join(unknown)}", hint=f"there are: {', '.join(known) or 'none yet'}")
    for bot in sorted(bots) or known:
        yield from ((bot, file) for file in sorted((workspace.journals / bot).glob("*.sqlite")))


def lines_of(bot: str, file: Path) -> Iterator[Line]:
    """A journal's lines, leg by leg in the order in which they were counted; StateDamaged when it is unreadable."""
    for leg, market in places(file):
        if books := leg_books(file, leg, market):
            yield from _replayed(bot, file, leg, books)


def _replayed(bot: str, file: Path, leg: str, books: LegBooks) -> Iterator[Line]:
    instrument, accounting = books.run.instrument, Accounting(books.run.instrument)
    for record in books.counted:
        before = accounting.realised_pnl
        if isinstance(record, FillRecord):
            accounting.add(record.slot, record.fill)
            at_ns, terms = record.fill.at_ns, _terms(record.fill, record.slot, instrument)
        else:
            accounting.add_funding(record.own, record.payment.at_ns)
            at_ns = record.payment.at_ns
            terms = {"kind": "funding", "funding": plain(record.own), "trade_id": record.payment.payment_id}
        yield Line(
            at=iso_utc(at_ns),
            at_ns=at_ns,
            bot=bot,
            leg=leg,
            venue=instrument.venue,
            market=instrument.symbol,
            journal=file.stem,
            realised_pnl=plain(accounting.realised_pnl - before),
            position=plain(instrument.size(accounting.position_lots)),
            **terms,
        )


def _terms(fill: Fill, slot: str, instrument: Instrument) -> dict[str, str]:
    is_adopted = slot == ADOPTED_SLOT
    return {
        "kind": "adoption" if is_adopted else "system" if fill.system else "fill",
        "side": str(fill.side),
        "liquidity": "" if is_adopted else str(fill.liquidity),
        "price": plain(instrument.price(fill.ticks)),
        "size": plain(instrument.size(fill.lots)),
        "quote_amount": plain(instrument.notional(fill.ticks, fill.lots)),
        "fee": plain(fill.fee),
        "fee_asset": fill.fee_asset,
        "trade_id": fill.trade_id,
        "order_id": fill.venue_order_id,
        "client_id": "" if fill.client_id is None else str(fill.client_id),
        "slot": slot,
    }
