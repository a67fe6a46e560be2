"""Limits in trouble, over the simulated venue in virtual time: rows H4, H5 and H6 of the ways to lose money."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.exchanges.messages import HttpResponse
from engine.host.holds import HoldKind, lift_hold, read_hold
from engine.model.order import Side
from engine.runtime.process import BotProcess
from engine.sim.machine import HttpAnswered, HttpReceived
from engine.spec.types import BotSpec, BudgetSpec, BudgetsSpec, RiskSpec, StopPolicy, StrategySpec
from tests.determinism.conftest import MakePlay
from tests.determinism.play import ACCOUNT, BOT, MARKET, MOMENT_S, Play
from tests.fleets import RISK, STRATEGY, bot_spec, write_generation

PERP = "SOL_USDC_PERP"
LIMIT = Decimal(2)
LONG_S = 600.0
BUDGET = Decimal(300)
"""Less than both bots would use: three quotes of 0.4 SOL on a side are worth more than 200."""
LOSS = replace(RISK, stop_loss_usd=Decimal("0.05"))


def declare(play: Play, risk: RiskSpec, *, perp: bool = False) -> None:
    write_generation(play.workspace, {BOT: spec_of(risk, perp=perp)}, number=2)


def spec_of(risk: RiskSpec, *, perp: bool) -> BotSpec:
    spec = bot_spec(BOT, market=PERP if perp else MARKET)
    if perp:
        skipped = ("capital", "base_target_pct", "rebalance_threshold_pct", "rebalance_slippage_bps")
        parameters = {name: value for name, value in STRATEGY.items() if name not in skipped}
        parameters |= {"inventory_skew": "0", "target_position": "0"}
        spec = replace(spec, strategy=StrategySpec(kind="perp_market_maker", parameters=parameters))
    return replace(spec, risk=risk)


def begin(play: Play) -> tuple[BotProcess, asyncio.Future[None]]:
    """A life of the bot, under the hold that is in place."""
    process = play.process(play.world(), hold=read_hold(play.workspace, BOT))
    return process, asyncio.ensure_future(process.live())


async def until(condition: Any) -> None:
    while not condition():
        await asyncio.sleep(MOMENT_S)


def resting(play: Play) -> list[Side]:
    return [order.side for order in play.venue.exchange.open_orders(ACCOUNT)]


def held_lots(play: Play) -> int:
    return play.venue.exchange.account(ACCOUNT).lots(PERP)


def without_positions(play: Play) -> None:
    """From now on the venue answers everything but what the position is."""
    handle = play.venue.handle

    def refuse(message: Any, now_ns: int) -> list[Any]:
        if isinstance(message, HttpReceived) and message.request.target.startswith("/api/v1/position"):
            answer = HttpResponse(status=503, headers=(), body=b"later")
            return [HttpAnswered(request_id=message.request_id, response=answer)]
        return handle(message, now_ns)

    play.venue.handle = refuse  # type: ignore[method-assign] # the one venue of this play


def test_h4_while_the_position_cannot_be_asked_what_would_add_is_pulled(make_play: MakePlay) -> None:
    """Elsewhere the limit was switched off."""
    play = make_play(seed=4)
    declare(play, replace(RISK, max_position=LIMIT), perp=True)

    async def scene() -> None:
        process, life = begin(play)
        await play.resting()
        await until(lambda: held_lots(play) != 0)
        play.is_quiet = True
        await until(lambda: len(set(resting(play))) == 2)
        without_positions(play)
        await asyncio.sleep(60)
        assert held_lots(play) != 0
        reducing = Side.SELL if held_lots(play) > 0 else Side.BUY
        assert set(resting(play)) <= {reducing}
        process.request_stop("the play is over")
        await life

    play.run(scene())


def test_h5_at_the_position_limit_only_the_reducing_side_rests(make_play: MakePlay) -> None:
    """Elsewhere both sides were quoted on."""
    play = make_play(seed=5)
    declare(play, replace(RISK, max_position=Decimal("0.4")), perp=True)

    async def scene() -> None:
        process, life = begin(play)
        await play.resting()
        await until(lambda: abs(held_lots(play)) >= 40)
        play.is_quiet = True
        await asyncio.sleep(5)
        assert abs(held_lots(play)) == 40
        reducing = Side.SELL if held_lots(play) > 0 else Side.BUY
        assert set(resting(play)) == {reducing}
        process.request_stop("the play is over")
        await life

    play.run(scene())


def test_h6_a_stop_loss_is_a_hold_that_only_a_person_lifts(make_play: MakePlay) -> None:
    """Elsewhere it quoted again in the next cycle."""
    play = make_play(seed=6)
    declare(play, LOSS)

    async def scene() -> None:
        _, life = begin(play)
        await asyncio.wait_for(life, LONG_S)
        hold = read_hold(play.workspace, BOT)
        assert hold is not None
        assert (hold.kind, hold.why.partition(":")[0]) == (HoldKind.TRIP, "stop_loss_usd")
        assert resting(play) == []
        traded = len(play.fills_at_venue())
        _, life = begin(play)
        await asyncio.wait_for(life, LONG_S)
        assert (resting(play), len(play.fills_at_venue())) == ([], traded)
        lift_hold(play.workspace, BOT)
        process, life = begin(play)
        await play.resting()
        assert process.bot is not None and process.bot.trip == ""
        process.request_stop("the play is over")
        await life

    play.run(scene())


@pytest.mark.parametrize("crash_after", range(10))
def test_a_crash_between_the_trip_and_its_hold_does_not_trade_on(make_play: MakePlay, crash_after: int) -> None:
    """The world ends with some effect after the trip: a commit, a cancel, an answer."""
    play = make_play(seed=6)
    declare(play, LOSS)

    async def scene() -> None:
        world = play.world()
        process = play.process(world)
        life = asyncio.ensure_future(process.live())
        await until(lambda: process.bot is not None)
        assert process.bot is not None
        await process.bot.until(lambda: process.bot is not None and bool(process.bot.trip))
        world.crash_in(crash_after)
        await asyncio.wait((life, asyncio.ensure_future(world.crashed.wait())), return_when="FIRST_COMPLETED")
        world.fence()
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        # What was on its way when the world ended may still arrive.
        known = {order.request.client_id for order in play.live_in_journal()}
        _, life = begin(play)
        while not life.done():
            assert set(play.resting_at_venue()) <= known, "a tripped bot placed an order"
            await asyncio.sleep(MOMENT_S)
        life.result()
        assert resting(play) == []
        hold = read_hold(play.workspace, BOT)
        assert hold is not None and hold.kind is HoldKind.TRIP

    play.run(scene())


def test_a_tripped_bot_that_flattens_is_flat_before_it_ends(make_play: MakePlay) -> None:
    play = make_play(seed=7)
    risk = replace(RISK, max_position=LIMIT, max_daily_loss_usd=Decimal("0.05"), on_trip=StopPolicy.FLATTEN)
    declare(play, risk, perp=True)

    async def scene() -> None:
        _, life = begin(play)
        await asyncio.wait_for(life, LONG_S)
        assert (resting(play), held_lots(play)) == ([], 0)
        hold = read_hold(play.workspace, BOT)
        assert hold is not None and hold.why.startswith("max_daily_loss_usd")

    play.run(scene())


@pytest.mark.parametrize("seed", range(3))
def test_two_bots_never_have_more_than_their_fleets_budget(make_play: MakePlay, seed: int) -> None:
    """Looked at from within the venue, after every hundredth of a second, through crashes of both."""
    play = make_play(seed=seed)
    budgets = BudgetsSpec(fleet=BudgetSpec(max_gross_exposure_usd=BUDGET))
    first, second = spec_of(RISK, perp=False), spec_of(RISK, perp=True)
    bots = {"one": replace(first, name="one", budgets=budgets), "two": replace(second, name="two", budgets=budgets)}
    write_generation(play.workspace, bots, number=2)

    async def scene() -> None:
        both_rested = False
        lives: dict[str, asyncio.Future[None]] = {}
        worlds: dict[str, Any] = {}
        for moment in range(3_000):
            for bot in bots:
                if bot not in lives:
                    worlds[bot] = play.world()
                    lives[bot] = asyncio.ensure_future(play.process(worlds[bot], bot=bot).live())
            used = gross_usd(play, first.legs["main"].market) + gross_usd(play, PERP)
            assert used <= BUDGET * Decimal("1.02"), f"{used} of {BUDGET}, after {moment / 100} s"
            orders = play.venue.exchange.open_orders(ACCOUNT)
            both_rested |= len({order.symbol for order in orders}) == 2
            if moment % 700 == 650:
                victim = ("one", "two")[moment // 700 % 2]
                worlds[victim].fence()
                lives.pop(victim).cancel()
            await asyncio.sleep(MOMENT_S)
        assert both_rested
        for life in lives.values():
            life.cancel()
        await asyncio.gather(*lives.values(), return_exceptions=True)

    play.run(scene())


def gross_usd(play: Play, symbol: str) -> Decimal:
    """What the bots have on one market with everything open filled, at the price it began with."""
    exchange = play.venue.exchange
    at = exchange.markets[symbol]
    held = sum(fill.lots * fill.side.sign for fill in exchange.fills(ACCOUNT) if fill.symbol == symbol)
    orders = [order for order in exchange.open_orders(ACCOUNT) if order.symbol == symbol]
    buys = sum(order.open_lots for order in orders if order.side is Side.BUY)
    sells = sum(order.open_lots for order in orders if order.side is Side.SELL)
    lots = max(held + buys, sells - held)
    return at.market.start_price * at.market.instrument.lot_size * lots
