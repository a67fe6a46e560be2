"""One side of `tick_to_order`: a whole bot but for its process, around the same session, machine and journal.

The only liberty: what is no book change is decided with an empty budget, so that one change leads to one order.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

from engine.exchanges.interface import Codec, Context, Endpoints
from engine.exchanges.messages import HttpRequest
from engine.exchanges.registry import find_venue
from engine.model.commands import Command, SubmitOrder
from engine.model.events import Event, OrderUpdated
from engine.model.instrument import Instrument, MarketKind
from engine.runtime.journal import Journal, JournalLeg, JournalOwner, open_journal
from engine.session.session import Session
from engine.session.settings import SessionSettings
from engine.spec.types import BotSpec, LegSpec, ProcessSpec, RiskSpec, StopPolicy, StrategySpec
from engine.trading.leg import LegSetup
from engine.trading.machine import Machine
from engine.trading.records import Budget, Memory
from engine.transport.live import LiveWorld

LEG, TAG = "main", 7
NOTHING, PLENTY = Budget(reduce=0, cancel=0, place=0), Budget(reduce=99, cancel=99, place=99)
CENT = Decimal("0.01")
SOL = Instrument(
    venue="backpack",
    symbol="SOL_USDC",
    kind=MarketKind.SPOT,
    base="SOL",
    quote="USDC",
    tick_size=CENT,
    lot_size=CENT,
    min_size=CENT,
)
PARAMETERS = {
    "spread_bps": "20",
    "order_size": "1",
    "layers": 1,
    "layer_step": {"bps": "5"},
    "size_profile": "equal",
    "requote_threshold_ticks": 1,
    "post_only": True,
    "refill_below": None,
    "capital": {"base": "0", "quote": "100000"},
    "base_target_pct": "0",
    "rebalance_threshold_pct": None,
    "rebalance_slippage_bps": "20",
}
"""Quote capital alone: only a bid is quoted."""
SPEC = BotSpec(
    name="bench",
    labels={},
    enabled=True,
    legs={LEG: LegSpec(venue="backpack", account="bench", market=SOL.symbol)},
    accounts={},
    strategy=StrategySpec(kind="market_maker", parameters=PARAMETERS),
    risk=RiskSpec(
        max_position=Decimal(1_000),
        max_open_notional_usd=Decimal(1_000_000),
        max_order_notional_usd=Decimal(100_000),
        max_orders_per_minute=1_000_000,
        price_band_bps=Decimal(500),
        max_data_age_s=Decimal(10),
    ),
    process=ProcessSpec(
        stop_policy=StopPolicy.KEEP, stop_timeout_s=Decimal(10), duration_s=None, log_level="warning"
    ),
)


class Stopwatch:
    """A codec that notes the time between a frame in hand and the order it led to, signed."""

    def __init__(self, codec: Codec, times_us: list[float]) -> None:
        self.instrument = codec.instrument
        self.streams = codec.streams
        self.decode_reply = codec.decode_reply
        self.answer_frame = codec.answer_frame
        self.gate, self.nonce_source = codec.gate, codec.nonce_source
        self._codec = codec
        self._times_us = times_us
        self._heard_s = 0.0

    def encode(self, command: Command, context: Context) -> HttpRequest:
        request = self._codec.encode(command, context)
        if isinstance(command, SubmitOrder):
            self._times_us.append((time.perf_counter() - self._heard_s) * 1e6)
        return request

    def decode_frame(self, text: str | bytes, *, at_ns: int) -> Sequence[Event]:
        self._heard_s = time.perf_counter()
        return self._codec.decode_frame(text, at_ns=at_ns)


class Trader:
    """Steps the machine as a bot does: decide, write down, send."""

    def __init__(self, journal: Journal) -> None:
        client_ids = find_venue("backpack").facts.client_ids
        setup = LegSetup(leg=LEG, instrument=SOL, client_ids=client_ids, tag=TAG, send_lifetime_ns=5 * 10**9)
        self._machine = Machine(legs={LEG: setup}, spec=SPEC, memory=Memory())
        self._journal = journal
        self.session: Session | None = None

    @property
    def is_quoting(self) -> bool:
        return self._machine.status().legs[LEG].ready

    def handle(self, event: Event) -> None:
        budget = NOTHING if isinstance(event, OrderUpdated) else PLENTY
        step = self._machine.step(event, {LEG: budget})
        self._journal.commit(step.records)
        assert self.session is not None
        for command in step.commands:
            self.session.send(command)


@asynccontextmanager
async def engine_client(folder: Path, endpoints: Endpoints, times_us: list[float]) -> AsyncIterator[None]:
    """A bot that trades until left; `folder` is new, and gets its journal."""
    world, venue = LiveWorld(), find_venue("backpack")
    credentials = venue.throwaway_credentials("bench")
    codec = venue.codec(leg=LEG, instrument=SOL, credentials=credentials, endpoints=endpoints)
    owner = JournalOwner(fleet_id="bench", bot="bench", identity="bench")
    legs = {LEG: JournalLeg(market=SOL.symbol, client_ids=venue.facts.client_ids)}
    journal = open_journal(world, folder / "journal.sqlite", owner, legs)
    journal.claim(LEG, TAG, 0)
    trader = Trader(journal)
    watched, settings = Stopwatch(codec, times_us), SessionSettings(leg=LEG)
    trader.session = Session(world, venue, watched, lambda: endpoints, trader.handle, settings)
    running = asyncio.create_task(trader.session.run())
    try:
        while not trader.is_quoting and not running.done():
            await asyncio.sleep(0.01)
        yield
    finally:
        await trader.session.close()
        await running
        await world.close()
        journal.close()
