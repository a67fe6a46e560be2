"""Whose money is where: balances, holds, perp positions, fees, funding. Exact to the last digit.

Nothing is ever created: summed over all accounts and the fee pot, money (spot totals, and for perps balance minus
the cost of what is held) stays what it was when the accounts were opened. Called by `exchange` alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal

from engine.model.order import Side
from engine.sim.market import Market

ZERO = Decimal(0)
GRAIN = Decimal("0.000000001")
"""Fees, realised results and funding are counted in whole grains of their asset, so that sums stay exact."""
HOUSE_FUNDS = Decimal(10) ** 12


@dataclass(slots=True, eq=False)
class PerpPosition:
    """A position as signed lots and the signed quote paid for them (negative: received for being short)."""

    position_id: int
    lots: int = 0
    cost: Decimal = ZERO
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO

    def entry_price(self, market: Market) -> Decimal:
        """Average price of what is held; zero when flat."""
        return self.cost / market.instrument.size(self.lots) if self.lots else ZERO

    def unrealised(self, market: Market, mark: Decimal) -> Decimal:
        return market.instrument.size(self.lots) * mark - self.cost

    def trade(self, side: Side, lots: int, lot_value: Decimal) -> Decimal:
        """Buy or sell lots at `lot_value` quote each; gives what closing part of the position earned."""
        closing = min(lots, abs(self.lots)) if self.lots * side.sign < 0 else 0
        earned = ZERO
        if closing:
            released = self.cost
            if closing != abs(self.lots):
                released = (self.cost * closing / abs(self.lots)).quantize(GRAIN, ROUND_HALF_EVEN)
            earned = -side.sign * closing * lot_value - released
            self.cost -= released
        self.cost += side.sign * (lots - closing) * lot_value
        self.lots += side.sign * lots
        self.realised += earned
        return earned


@dataclass(slots=True, eq=False)
class Account:
    """One account. House accounts are the background flow: nearly endless funds and no margin check."""

    name: str
    is_house: bool = False
    total: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    locked: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    positions: dict[str, PerpPosition] = field(default_factory=dict)
    leverage_limit: Decimal = Decimal(20)

    def available(self, asset: str) -> Decimal:
        """What neither an open spot order nor anything else holds."""
        return self.total[asset] - self.locked[asset]

    def lots(self, symbol: str) -> int:
        position = self.positions.get(symbol)
        return position.lots if position else 0


class Ledger:
    """All accounts and the pot that fees go to."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.fees: dict[str, Decimal] = defaultdict(Decimal)
        self._positions_opened = 0

    def open_account(self, name: str, balances: Mapping[str, Decimal]) -> Account:
        account = Account(name)
        account.total.update(balances)
        self.accounts[name] = account
        return account

    def open_house(self, name: str, assets: tuple[str, ...]) -> Account:
        account = self.open_account(name, dict.fromkeys(assets, HOUSE_FUNDS))
        account.is_house = True
        return account

    def withdraw(self, account: Account, asset: str, amount: Decimal) -> None:
        """Kept beside the fees, so that sums stay what they were."""
        account.total[asset] -= amount
        self.fees[asset] += amount

    def trade(
        self, account: Account, market: Market, side: Side, ticks: int, lots: int, *, fee_rate: Decimal
    ) -> tuple[Decimal, str]:
        """Book one side of a trade; gives the fee and its asset."""
        if market.is_perp:
            return self._trade_perp(account, market, side, ticks, lots, fee_rate)
        return self._trade_spot(account, market, side, ticks, lots, fee_rate)

    def pay_funding(self, account: Account, market: Market, mark: Decimal, rate: Decimal) -> Decimal:
        """Longs pay rate × size × mark, shorts receive it; gives what the account received."""
        position = account.positions[market.symbol]
        received = -(market.instrument.size(position.lots) * mark * rate).quantize(GRAIN, ROUND_HALF_EVEN)
        account.total[market.instrument.quote] += received
        position.funding += received
        self.fees[market.instrument.quote] -= received
        return received

    def _trade_spot(
        self, account: Account, market: Market, side: Side, ticks: int, lots: int, fee_rate: Decimal
    ) -> tuple[Decimal, str]:
        """The fee is taken from what is received: base for a buyer, quote for a seller."""
        instrument = market.instrument
        size, value = instrument.size(lots), instrument.notional(ticks, lots)
        paid, received = ((instrument.quote, value), (instrument.base, size))
        if side is Side.SELL:
            paid, received = received, paid
        fee = _grains(received[1] * fee_rate)
        account.total[paid[0]] -= paid[1]
        account.total[received[0]] += received[1] - fee
        self.fees[received[0]] += fee
        return fee, received[0]

    def _trade_perp(
        self, account: Account, market: Market, side: Side, ticks: int, lots: int, fee_rate: Decimal
    ) -> tuple[Decimal, str]:
        quote = market.instrument.quote
        position = account.positions.get(market.symbol)
        if position is None:
            self._positions_opened += 1
            position = account.positions[market.symbol] = PerpPosition(self._positions_opened)
        fee = _grains(market.value(ticks * lots) * fee_rate)
        position.fees += fee
        account.total[quote] += position.trade(side, lots, market.value(ticks)) - fee
        self.fees[quote] += fee
        return fee, quote


def _grains(fee: Decimal) -> Decimal:
    """Rounded in the venue's favour."""
    return fee.quantize(GRAIN, ROUND_CEILING)
