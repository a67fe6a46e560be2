"""The stops that take a whole bot out of trade: loss, profit, drawdown, a bad day, refusal after refusal.

Pure: what was remembered and what is known now give what to remember. A trip is latched here, before anything else
is done about it: it goes into the journal with the step that found it, so that no crash can forget it. Only known
figures come in; who does not know the net profit does not ask.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal

from msgspec.structs import replace

from engine.clock import NS_PER_S
from engine.model.instrument import plain
from engine.model.value import Message
from engine.spec.types import RiskSpec

DAY_NS = 86_400 * NS_PER_S
_CENT = Decimal("0.01")


class Stops(Message, frozen=True, kw_only=True):
    """What stops remember of a bot, in quote. All marks are values of its net profit since its first fill.

    `base_usd` is where profit and loss are counted from: zero in the beginning, and after a trip was resumed the
    next figure that is known (None until then). `others_usd` is what the other bots of each shared budget had made
    on the day and at the time of a resume. `trip` says why the bot tripped; `is_held`: its hold is placed, so
    that a missing one means it was lifted; `is_over`: nothing rests any more and the position is as declared.
    """

    base_usd: Decimal | None = None
    peak_usd: Decimal = Decimal(0)
    day: int = 0
    day_start_usd: Decimal = Decimal(0)
    others_usd: dict[str, Decimal] = {}
    trip: str = ""
    is_held: bool = False
    is_over: bool = False


RESUMED = Stops()
"""Everything begins anew: what led to the trip does not count again."""


def first_look(net_usd: Decimal, now_ns: int) -> Stops:
    """The stops of a bot that was never watched: what it lost before counts, but not as today's loss."""
    return Stops(base_usd=Decimal(0), peak_usd=max(net_usd, Decimal(0)), day=_day(now_ns), day_start_usd=net_usd)


def follow(stops: Stops | None, net_usd: Decimal, now_ns: int) -> Stops:
    """Raise the peak and turn the day. A clock that goes back begins no day again."""
    if stops is None:
        return first_look(net_usd, now_ns)
    if stops.base_usd is None:
        return Stops(base_usd=net_usd, peak_usd=net_usd, day=_day(now_ns), day_start_usd=net_usd)
    if _day(now_ns) > stops.day:
        stops = replace(stops, day=_day(now_ns), day_start_usd=net_usd, others_usd={})
    return replace(stops, peak_usd=net_usd) if net_usd > stops.peak_usd else stops


def latched(stops: Stops, trip: str) -> Stops:
    """Tripped, for this reason, until somebody resumes it."""
    return replace(stops, trip=trip, is_held=False, is_over=False)


def is_watched(risk: RiskSpec) -> bool:
    """Whether any limit wants the net profit known."""
    limits = (risk.stop_loss_usd, risk.stop_loss_pct, risk.take_profit_usd, risk.take_profit_pct)
    return any(limit is not None for limit in (*limits, risk.max_drawdown_pct, risk.max_daily_loss_usd))


def trip_of_money(stops: Stops, net_usd: Decimal, risk: RiskSpec) -> str:
    """Why the bot must stop, in words that name the limit; empty while it need not. `stops` followed `net_usd`."""
    return next((words for words in _reached(stops, net_usd, risk)), "")


def trip_of_rejects(in_a_row: int, risk: RiskSpec) -> str:
    """The same for orders that the venue refuses one after the other."""
    most = risk.max_rejects_in_a_row
    if most is None or in_a_row < most:
        return ""
    return f"max_rejects_in_a_row: the venue refused {in_a_row} orders, and took none in between"


def drawdown_pct(stops: Stops, net_usd: Decimal, capital_usd: Decimal) -> Decimal:
    """How far capital and profit together are below their highest."""
    highest = capital_usd + stops.peak_usd - (stops.base_usd or 0)
    return ((stops.peak_usd - net_usd) * 100 / highest).quantize(_CENT, ROUND_FLOOR)


def _reached(stops: Stops, net_usd: Decimal, risk: RiskSpec) -> Iterator[str]:
    gained = net_usd - (stops.base_usd or 0)
    today = net_usd - stops.day_start_usd
    for name, limit in _losses(risk):
        if -gained >= limit:
            yield f"{name}: lost {_money(-gained)}, the limit is {_money(limit)}"
    for name, limit in _profits(risk):
        if gained >= limit:
            yield f"{name}: gained {_money(gained)}, the goal is {_money(limit)}"
    if risk.max_daily_loss_usd is not None and -today >= risk.max_daily_loss_usd:
        yield f"max_daily_loss_usd: lost {_money(-today)} today, the limit is {_money(risk.max_daily_loss_usd)}"
    if risk.max_drawdown_pct is not None and risk.capital_usd is not None:
        fallen = drawdown_pct(stops, net_usd, risk.capital_usd)
        if fallen >= risk.max_drawdown_pct:
            limit = risk.max_drawdown_pct
            yield f"max_drawdown_pct: {plain(fallen)} % below the peak, the limit is {plain(limit)} %"


def _losses(risk: RiskSpec) -> Iterator[tuple[str, Decimal]]:
    if risk.stop_loss_usd is not None:
        yield "stop_loss_usd", risk.stop_loss_usd
    if risk.stop_loss_pct is not None and risk.capital_usd is not None:
        yield "stop_loss_pct", risk.stop_loss_pct * risk.capital_usd / 100


def _profits(risk: RiskSpec) -> Iterator[tuple[str, Decimal]]:
    if risk.take_profit_usd is not None:
        yield "take_profit_usd", risk.take_profit_usd
    if risk.take_profit_pct is not None and risk.capital_usd is not None:
        yield "take_profit_pct", risk.take_profit_pct * risk.capital_usd / 100


def _day(now_ns: int) -> int:
    """Days since the epoch, as UTC counts them."""
    return now_ns // DAY_NS


def _money(amount: Decimal) -> str:
    return plain(amount.quantize(_CENT))
