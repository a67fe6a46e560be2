"""What a bot did and made, for people: every figure of `botctl stats`, with its exact definition.

Made from the books (`accounting`, a replay of own fills) and the counts beside them (`tally`). The same functions
serve a running machine and a journal that is read from outside; without a market's mid what needs one is None.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Literal

from engine.clock import NS_PER_S
from engine.model.instrument import Instrument
from engine.model.order import Liquidity, Side
from engine.model.value import Value
from engine.spec.grid import Cell, cell_of
from engine.trading.accounting import Accounting, Sums
from engine.trading.durations import DurationStatus
from engine.trading.equity import EquityCurve
from engine.trading.leg import Leg
from engine.trading.records import RunRecord
from engine.trading.tally import Count, Tally

BPS = 10_000
RATIO = Decimal("0.0001")
"""What ratios are rounded to."""
SpanName = Literal["total", "run"]


class OrderCounts(Value, frozen=True, kw_only=True):
    """Own orders by what became of them. `placed`: taken by the venue; each of them rests, is on its way to its
    end, or ended as `canceled`, `expired` or `filled` (wholly). `rejected`: refused by the venue, or never arrived
    there. `amended`: amends carried out."""

    placed: int
    rejected: int
    canceled: int
    expired: int
    filled: int
    amended: int


class TouchTimes(Value, frozen=True, kw_only=True):
    """Seconds in which a whole book and the own orders were known (`watched_s`), and of those in which an own bid
    or ask rested at the best price of the market, own quotes counted."""

    watched_s: float
    bid_s: float
    ask_s: float


class Statistics(Value, frozen=True, kw_only=True):
    """One leg over one span: all lives of the bot on this market, or the run that goes on or ended last.

    Sizes in base, money in quote; only own fills count. `volume` is quote traded, by liquidity and side;
    `quote_volume` is all of it. `fees` are paid minus received by asset, `rebates` what of that was received.
    `funding` is received minus paid for holding a perp. `realised_pnl` is FIFO before fees and funding. `net_pnl`
    is realised and unrealised after both at the present mid; a run's is what it differs from the equity when the
    run began. `wear_bps` is the loss per quote traded, 0 for a profit. `equity` has the net profit just after a
    fill or a payment, at the last fill's price, as (instant in ns, profit); its last, highest and lowest value and
    its deepest fall count every one. `grid_profit` is what closes of grid cells made at their levels' prices,
    before fees. `fill_ratio` is the executed part of the size of placed orders that are over.
    """

    since_ns: int | None
    fills: int
    bought: Decimal
    sold: Decimal
    quote_volume: Decimal
    volume: dict[str, dict[str, Decimal]]
    fees: dict[str, Decimal]
    rebates: dict[str, Decimal]
    funding: Decimal
    realised_pnl: Decimal
    net_pnl: Decimal | None
    wear_bps: Decimal | None
    equity: tuple[tuple[int, Decimal], ...]
    equity_last: Decimal
    equity_high: Decimal
    equity_low: Decimal
    peak_drawdown: Decimal
    grid_profit: Decimal
    orders: OrderCounts
    fill_ratio: Decimal | None
    touch: TouchTimes
    latency: dict[str, DurationStatus]


class LevelStatus(Value, frozen=True, kw_only=True):
    """One cell of a grid that has traded since the position was last flattened: opened by `side` at one price,
    closed at the other, `size` per round. `held` is open now, `rounds` were closed whole, and `profit` is what all
    closes made at the levels' prices, before fees."""

    side: Side
    open_price: Decimal
    close_price: Decimal
    size: Decimal
    held: Decimal
    rounds: int
    profit: Decimal


class LegStatistics(Value, frozen=True, kw_only=True):
    """One leg. `runs` counts the lives of the bot on this market; position and entry (the FIFO mean price of what
    is open) are from own fills."""

    venue: str
    market: str
    base: str
    quote: str
    runs: int
    position: Decimal
    entry_price: Decimal | None
    mid: Decimal | None
    unrealised_pnl: Decimal | None
    levels: tuple[LevelStatus, ...]
    total: Statistics
    run: Statistics


class Whole(Value, frozen=True, kw_only=True):
    """All legs of a bot together, in quote; quotes of different names are taken for equal, as limits take them."""

    quote_volume: Decimal
    net_pnl: Decimal | None
    wear_bps: Decimal | None


class MachineStatistics(Value, frozen=True, kw_only=True):
    """A whole bot."""

    legs: dict[str, LegStatistics]
    total: Whole
    run: Whole


def leg_statistics(leg: Leg) -> LegStatistics:
    """Of a leg that lives."""
    tally = leg.tally
    mid = leg.twice_mid_ticks
    return statistics_of(leg.instrument, leg.accounting, (tally.total, tally.run), tally.this_run, mid)


def statistics_of(
    instrument: Instrument,
    books: Accounting,
    tallies: tuple[Tally, Tally],
    run: RunRecord | None,
    twice_mid: int | None = None,
) -> LegStatistics:
    """Of books and counts from wherever they come; `tallies` are of all lives and of the run."""
    net = None if twice_mid is None else books.net_pnl(twice_mid)
    since, before = books.sums().less(books.at_run_start), books.at_run_start.profit
    return LegStatistics(
        venue=instrument.venue,
        market=instrument.symbol,
        base=instrument.base,
        quote=instrument.quote,
        runs=run.number if run else 0,
        position=instrument.size(books.position_lots),
        entry_price=_rounded_entry(instrument, books.entry_price),
        mid=None if twice_mid is None else instrument.price(twice_mid) / 2,
        unrealised_pnl=None if twice_mid is None else books.unrealised_pnl(twice_mid),
        levels=tuple(_levels(instrument, books.executed_lots)),
        total=_span(books.sums(), net, books.equity, tallies[0], run.first_ns if run else None),
        run=_span(
            since,
            None if net is None else net - before,
            books.run_equity,
            tallies[1],
            run.started_ns if run else None,
        ),
    )


def machine_statistics(legs: dict[str, LegStatistics]) -> MachineStatistics:
    """Of a bot with these legs."""
    return MachineStatistics(legs=legs, total=_whole(legs, "total"), run=_whole(legs, "run"))


def _whole(legs: Mapping[str, LegStatistics], span: SpanName) -> Whole:
    spans: list[Statistics] = [getattr(leg, span) for leg in legs.values()]
    nets = [each.net_pnl for each in spans]
    known = [net for net in nets if net is not None]
    net = sum(known, Decimal(0)) if len(known) == len(nets) else None
    volume = sum((each.quote_volume for each in spans), Decimal(0))
    return Whole(quote_volume=volume, net_pnl=net, wear_bps=wear_bps(net, volume))


def wear_bps(net_pnl: Decimal | None, quote_volume: Decimal) -> Decimal | None:
    """What each quote traded cost, in bps: loss ÷ volume; 0 for a profit, None while the profit is not known or
    nothing was traded."""
    if net_pnl is None or not quote_volume:
        return None
    return (max(-net_pnl, Decimal(0)) / quote_volume * BPS).quantize(RATIO)


def _span(sums: Sums, net: Decimal | None, equity: EquityCurve, tally: Tally, since_ns: int | None) -> Statistics:
    bought, sold = (_both(sums, side) for side in (Side.BUY, Side.SELL))
    quote_volume = bought[1] + sold[1]
    return Statistics(
        since_ns=since_ns,
        fills=sums.fills,
        bought=bought[0],
        sold=sold[0],
        quote_volume=quote_volume,
        volume={
            str(liquidity): {str(side): _traded(sums, liquidity, side)[1] for side in Side}
            for liquidity in Liquidity
        },
        fees=sums.fees,
        rebates=sums.rebates,
        funding=sums.funding,
        realised_pnl=sums.realised_pnl,
        net_pnl=net,
        wear_bps=wear_bps(net, quote_volume),
        equity=tuple(equity.points),
        equity_last=equity.last,
        equity_high=equity.peak,
        equity_low=equity.low,
        peak_drawdown=equity.peak_drawdown,
        grid_profit=sums.closed_rounds,
        orders=_orders(tally),
        fill_ratio=_fill_ratio(tally),
        touch=_touch(tally),
        latency={str(timed): each.status() for timed, each in tally.durations.items()},
    )


def _traded(sums: Sums, liquidity: Liquidity, side: Side) -> tuple[Decimal, Decimal]:
    return sums.traded.get((liquidity, side), (Decimal(0), Decimal(0)))


def _both(sums: Sums, side: Side) -> tuple[Decimal, Decimal]:
    """Base and quote traded on a side, as maker and taker."""
    made, took = (_traded(sums, liquidity, side) for liquidity in Liquidity)
    return made[0] + took[0], made[1] + took[1]


def _orders(tally: Tally) -> OrderCounts:
    counts = tally.counts
    return OrderCounts(
        placed=counts[Count.PLACED],
        rejected=counts[Count.REJECTED],
        canceled=counts[Count.CANCELED],
        expired=counts[Count.EXPIRED],
        filled=counts[Count.FILLED],
        amended=counts[Count.AMENDED],
    )


def _fill_ratio(tally: Tally) -> Decimal | None:
    ended = tally.counts[Count.ENDED_LOTS]
    return (Decimal(tally.counts[Count.EXECUTED_LOTS]) / ended).quantize(RATIO) if ended else None


def _touch(tally: Tally) -> TouchTimes:
    counts = tally.counts
    return TouchTimes(
        watched_s=counts[Count.WATCHED_NS] / NS_PER_S,
        bid_s=counts[Count.BID_AT_TOUCH_NS] / NS_PER_S,
        ask_s=counts[Count.ASK_AT_TOUCH_NS] / NS_PER_S,
    )


def _rounded_entry(instrument: Instrument, price: Decimal | None) -> Decimal | None:
    return None if price is None else price.quantize(instrument.tick_size * RATIO)


def _levels(instrument: Instrument, executed_lots: Mapping[str, int]) -> Iterator[LevelStatus]:
    cells = [(cell, opened) for slot, opened in executed_lots.items() if (cell := cell_of(slot)) is not None]
    for cell, opened in sorted(cells, key=lambda each: each[0].low_ticks):
        yield _level(instrument, cell, opened, executed_lots.get(cell.close_slot, 0))


def _level(instrument: Instrument, cell: Cell, opened_lots: int, closed_lots: int) -> LevelStatus:
    return LevelStatus(
        side=cell.side,
        open_price=instrument.price(cell.open_ticks),
        close_price=instrument.price(cell.close_ticks),
        size=instrument.size(cell.lots),
        held=instrument.size(opened_lots - closed_lots),
        rounds=closed_lots // cell.lots,
        profit=instrument.notional(cell.high_ticks - cell.low_ticks, closed_lots),
    )
