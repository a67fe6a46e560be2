"""Aster's dead man's switch: a countdown per account and market, at whose end all orders there are canceled."""

from __future__ import annotations

from engine.clock import NS_PER_MS
from engine.exchanges.aster import wire
from engine.sim.aster.calls import Call
from engine.sim.aster.state import AsterState


def set_countdown(call: Call) -> wire.Countdown:
    """POST countdownCancelAll: begins the countdown anew; 0 ends it."""
    key = call.account, call.market().market.symbol
    call.text("countdownTime")
    countdown_ms = call.number("countdownTime", 0)
    call.state.countdowns.pop(key, None)
    if countdown_ms:
        ends_ns = call.now_ns + countdown_ms * NS_PER_MS
        call.state.countdowns[key] = ends_ns
        call.state.schedule.at(ends_ns, lambda at_ns: _ended(call.state, key, ends_ns, at_ns))
    return wire.Countdown(symbol=key[1], countdown_time=str(countdown_ms))


def _ended(state: AsterState, key: tuple[str, str], ends_ns: int, at_ns: int) -> None:
    """Nothing happens where it was begun anew or ended since."""
    if state.countdowns.get(key) == ends_ns:
        del state.countdowns[key]
        for order in state.exchange.open_orders(*key):
            state.exchange.cancel(order, at_ns)
