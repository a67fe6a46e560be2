"""What own fills and funding made of the account: position, FIFO profit, fees, volumes. Exact; the same after a
restart, because it is only ever a replay of both, in the order in which they were counted."""

from __future__ import annotations

from collections import Counter, deque
from decimal import Decimal

from engine.model.account import Fill
from engine.model.instrument import Instrument
from engine.model.order import Liquidity, Side
from engine.model.value import Value
from engine.spec.grid import profit_ticks
from engine.trading.equity import EquityCurve
from engine.trading.orders import ADOPTED_SLOT, INVENTORY_SLOT, REDUCE_SLOT, SYSTEM_SLOT, base_slot


class Sums(Value, frozen=True, kw_only=True):
    """What of the books only ever adds up, so that what a run made is a difference. Money in quote.

    `traded` is (base, quote) by liquidity and side. `closed_rounds` is what closes of grid cells made at the
    levels' prices, before fees, and `profit` the equity after the newest fill.
    """

    fills: int = 0
    traded: dict[tuple[Liquidity, Side], tuple[Decimal, Decimal]] = {}
    fees: dict[str, Decimal] = {}
    rebates: dict[str, Decimal] = {}
    funding: Decimal = Decimal(0)
    realised_pnl: Decimal = Decimal(0)
    closed_rounds: Decimal = Decimal(0)
    profit: Decimal = Decimal(0)

    def less(self, before: Sums) -> Sums:
        """What came to these since then."""
        nothing = (Decimal(0), Decimal(0))
        earlier = {kind: before.traded.get(kind, nothing) for kind in self.traded}
        return Sums(
            fills=self.fills - before.fills,
            traded={kind: (b - earlier[kind][0], q - earlier[kind][1]) for kind, (b, q) in self.traded.items()},
            fees=_less(self.fees, before.fees),
            rebates=_less(self.rebates, before.rebates),
            funding=self.funding - before.funding,
            realised_pnl=self.realised_pnl - before.realised_pnl,
            closed_rounds=self.closed_rounds - before.closed_rounds,
            profit=self.profit - before.profit,
        )


class Accounting:
    """One leg's books. Money is counted in tick·lot units until it is asked for."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._unit = instrument.tick_size * instrument.lot_size
        self._open: deque[tuple[int, int]] = deque()
        """(signed lots, ticks) not yet closed, oldest first; all of one sign."""
        self._realised_units = 0
        self._flow_units = 0
        """Quote received minus quote paid, before fees."""
        self.position_lots = 0
        self.fills = 0
        self.fees: dict[str, Decimal] = {}
        """Paid minus received, by asset."""
        self.rebates: dict[str, Decimal] = {}
        """What of that was received, as positive amounts."""
        self.funding = Decimal(0)
        """Received minus paid for holding a perp, in quote."""
        self.payments = 0
        self.first_fill_ns: int | None = None
        self._last_ticks = 0
        self.equity = EquityCurve()
        self.run_equity = EquityCurve()
        """Of this run alone: it begins with nothing made."""
        self.at_run_start = Sums()
        self._traded_lots: Counter[tuple[Liquidity, Side]] = Counter()
        self._traded_units: Counter[tuple[Liquidity, Side]] = Counter()
        self._closed_round_units = 0
        self.executed_lots: Counter[str] = Counter()
        """Unsigned lots by base slot since something traded beside the slots."""

    def add(self, slot: str, fill: Fill) -> None:
        """Count one fill; the caller has made sure it is counted once."""
        signed = fill.lots * fill.side.sign
        if slot != ADOPTED_SLOT:
            self._count_trade(slot, fill)
        elif signed * self.position_lots < 0:
            self.executed_lots.clear()  # what it takes away, round trips cannot close any more
        self.fills += 1
        self.position_lots += signed
        self._flow_units -= signed * fill.ticks
        self._match(signed, fill.ticks)
        self._last_ticks = fill.ticks
        self.first_fill_ns = min(self.first_fill_ns or fill.at_ns, fill.at_ns)
        self._follow(fill.at_ns)

    def _count_trade(self, slot: str, fill: Fill) -> None:
        """What only a fill that was traded has."""
        self._count_fee(fill)
        self._traded_lots[fill.liquidity, fill.side] += fill.lots
        self._traded_units[fill.liquidity, fill.side] += fill.lots * fill.ticks
        self._closed_round_units += fill.lots * profit_ticks(base_slot(slot))
        self._count_slot(slot, fill.lots)

    def add_funding(self, amount: Decimal, at_ns: int) -> None:
        """Count the own part of one payment; the caller has made sure it is counted once."""
        self.funding += amount
        self.payments += 1
        self._follow(at_ns)

    def _follow(self, at_ns: int) -> None:
        profit = self.net_pnl(2 * self._last_ticks)
        if profit is not None:
            self.equity.add(at_ns, profit)
            self.run_equity.add(at_ns, profit - self.at_run_start.profit)

    def begin_run(self) -> None:
        """What is counted from now on belongs to a new life of the bot."""
        self.at_run_start, self.run_equity = self.sums(), EquityCurve()

    def sums(self) -> Sums:
        """What of the books adds up, until now."""
        size, unit = self._instrument.size, self._unit
        return Sums(
            fills=self.fills,
            traded={
                kind: (size(lots), self._traded_units[kind] * unit) for kind, lots in self._traded_lots.items()
            },
            fees=dict(self.fees),
            rebates=dict(self.rebates),
            funding=self.funding,
            realised_pnl=self.realised_pnl,
            closed_rounds=self._closed_round_units * unit,
            profit=self.equity.last,
        )

    def _count_fee(self, fill: Fill) -> None:
        self.fees[fill.fee_asset] = self.fees.get(fill.fee_asset, Decimal(0)) + fill.fee
        if fill.fee < 0:
            self.rebates[fill.fee_asset] = self.rebates.get(fill.fee_asset, Decimal(0)) - fill.fee

    def _count_slot(self, slot: str, lots: int) -> None:
        """Children count for their slot. Flattening, reducing or a liquidation ends every round trip that
        slots were in: what those would still close is gone."""
        if slot in (INVENTORY_SLOT, REDUCE_SLOT, SYSTEM_SLOT):
            self.executed_lots.clear()
        else:
            self.executed_lots[base_slot(slot)] += lots

    def _match(self, signed: int, ticks: int) -> None:
        """First in, first out: close the oldest lots of the other sign, open with the rest."""
        while signed and self._open and (self._open[0][0] > 0) != (signed > 0):
            held, entry_ticks = self._open[0]
            closed = min(abs(held), abs(signed))
            direction = 1 if held > 0 else -1
            self._realised_units += closed * (ticks - entry_ticks) * direction
            signed += closed * direction
            if closed == abs(held):
                self._open.popleft()
            else:
                self._open[0] = (held - closed * direction, entry_ticks)
        if signed:
            self._open.append((signed, ticks))

    @property
    def realised_pnl(self) -> Decimal:
        """FIFO, in quote, before fees and funding."""
        return self._realised_units * self._unit

    @property
    def entry_price(self) -> Decimal | None:
        """The mean price of what is open, first in, first out; None when nothing is."""
        lots = sum(signed for signed, _ in self._open)
        entry = sum(signed * ticks for signed, ticks in self._open)
        return self._instrument.tick_size * entry / lots if lots else None

    def unrealised_pnl(self, twice_mid_ticks: int) -> Decimal:
        """Of what is open, marked at the mid, in quote."""
        twice = sum(signed * (twice_mid_ticks - 2 * ticks) for signed, ticks in self._open)
        return twice * self._unit / 2

    def net_pnl(self, twice_mid_ticks: int) -> Decimal | None:
        """What all fills made after fees, and funding, marked at the mid, in quote; None while a fee in some third
        asset has no price here."""
        instrument, known = self._instrument, (self._instrument.base, self._instrument.quote)
        if any(fee for asset, fee in self.fees.items() if asset not in known):
            return None
        return self.quote_change + self.base_change * instrument.price(twice_mid_ticks) / 2

    @property
    def base_change(self) -> Decimal:
        """Base gained by all fills, fees taken in base included."""
        instrument = self._instrument
        return self.position_lots * instrument.lot_size - self.fees.get(instrument.base, Decimal(0))

    @property
    def quote_change(self) -> Decimal:
        """Quote gained by all fills, fees taken in quote included, and by funding."""
        paid = self.fees.get(self._instrument.quote, Decimal(0))
        return self._flow_units * self._unit - paid + self.funding


def _less(now: dict[str, Decimal], before: dict[str, Decimal]) -> dict[str, Decimal]:
    return {asset: amount - before.get(asset, 0) for asset, amount in now.items()}
