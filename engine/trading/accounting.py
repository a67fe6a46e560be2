"""What own fills made of the account: position, FIFO profit, fees, volumes. Exact; the same after a restart,
because it is only ever a replay of the fills."""

from __future__ import annotations

from collections import Counter, deque
from decimal import Decimal

from engine.model.account import Fill
from engine.model.instrument import Instrument
from engine.model.order import Liquidity
from engine.trading.equity import EquityCurve
from engine.trading.orders import ADOPTED_SLOT, INVENTORY_SLOT, REDUCE_SLOT, SYSTEM_SLOT, base_slot


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
        self.equity = EquityCurve()
        self.volume_lots: Counter[Liquidity] = Counter()
        self.executed_lots: Counter[str] = Counter()
        """Unsigned lots by base slot since something traded beside the slots."""

    def add(self, slot: str, fill: Fill) -> None:
        """Count one fill; the caller has made sure it is counted once."""
        signed = fill.lots * fill.side.sign
        if slot == ADOPTED_SLOT:
            self._adopt(signed, fill.ticks)
            return
        self.fills += 1
        self.position_lots += signed
        self._flow_units -= signed * fill.ticks
        self._count_fee(fill)
        self.volume_lots[fill.liquidity] += fill.lots
        self._count_slot(slot, fill.lots)
        self._match(signed, fill.ticks)
        profit = self.net_pnl(2 * fill.ticks)
        if profit is not None:
            self.equity.add(fill.at_ns, profit)

    def _adopt(self, signed: int, ticks: int) -> None:
        """Hold what was there already. It is no trade; what it takes away, round trips cannot close any more."""
        if signed * self.position_lots < 0:
            self.executed_lots.clear()
        self.position_lots += signed
        self._flow_units -= signed * ticks
        self._match(signed, ticks)

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
        """FIFO, in quote, before fees."""
        return self._realised_units * self._unit

    def unrealised_pnl(self, twice_mid_ticks: int) -> Decimal:
        """Of what is open, marked at the mid, in quote."""
        twice = sum(signed * (twice_mid_ticks - 2 * ticks) for signed, ticks in self._open)
        return twice * self._unit / 2

    def net_pnl(self, twice_mid_ticks: int) -> Decimal | None:
        """What all fills made after fees, marked at the mid, in quote; None while a fee in some third asset has no
        price here."""
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
        """Quote gained by all fills, fees taken in quote included."""
        return self._flow_units * self._unit - self.fees.get(self._instrument.quote, Decimal(0))
