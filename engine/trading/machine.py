"""The bot as a pure machine: `step(event, budgets) -> Step`.

Events change the legs' state (`news`); then the machine decides (`_decide`): ask the venue where something is
unknown, and send the difference between what the strategy wants resting and what rests, as far as limits and
budget allow. The same machine runs live, over simulated wire and in a backtest.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.clock import NS_PER_MS
from engine.model.account import Stake
from engine.model.commands import CancelOrder, Command
from engine.model.events import BudgetsRead, Event, Paused, Resumed, StopRequested, TimePassed, TripHeld
from engine.model.target import Target
from engine.spec.types import BotSpec, StopPolicy
from engine.strategies.interface import Hedger, Patient, Strategy, View
from engine.strategies.registry import build_strategy
from engine.trading.budgets import Budgets
from engine.trading.desk import Desk
from engine.trading.hedging import HedgeWatch
from engine.trading.leg import Leg, LegSetup
from engine.trading.news import take_news
from engine.trading.orders import Sequence
from engine.trading.parting import NOTHING, Parting
from engine.trading.patience import next_move_ns
from engine.trading.purse import Purse
from engine.trading.records import Budget, FillRecord, Memory, Step, as_counted
from engine.trading.stakes import leg_stake
from engine.trading.statistics import MachineStatistics, leg_statistics, machine_statistics
from engine.trading.status import MachineStatus, leg_status
from engine.trading.sync import is_question
from engine.trading.tally import Timed
from engine.trading.views import leg_view
from engine.trading.watch import Watch

NO_BUDGET = Budget(reduce=0, cancel=0, place=0)
NEVER_NS = 1 << 63
STARVED_WAKE_NS = 100 * NS_PER_MS
"""What is due already lacks budget or an answer; asking again sooner would only spin."""


class Machine:
    """One bot. Deterministic: the same memory and events give the same steps."""

    def __init__(self, *, legs: Mapping[str, LegSetup], spec: BotSpec, memory: Memory) -> None:
        """Begin from what the journal remembers. Raises ConfigInvalid when the strategy cannot be built."""
        sequence = Sequence(memory.next_sequence)
        self._spec = spec
        self._strategy = build_strategy(spec.strategy)
        self._patience_ns = _patience_ns(self._strategy)
        self._legs = {name: Leg(setup, spec.risk, sequence) for name, setup in legs.items()}
        self._hedge = self._watch_hedge()
        rule = self._strategy.hedging if isinstance(self._strategy, Hedger) else None
        self._watch = Watch(self._legs, memory.stops, rule.hedge if rule else None)
        self.budgets = Budgets(self._legs, spec, rule)
        self._paused = False
        self._parting: Parting | None = None
        self._remember(memory)

    def _remember(self, memory: Memory) -> None:
        runs = {run.leg: run for run in memory.runs}
        tallies = {tally.leg: tally for tally in memory.tallies}
        for name, leg in self._legs.items():
            leg.tally.remember(runs.get(name), tallies.get(name))
        for record in memory.orders:
            self._legs[record.request.leg].remember_order(record)
        for counted in as_counted(memory.fills, memory.funding):
            self._legs[counted.leg].remember(counted)
            if self._hedge and isinstance(counted, FillRecord):
                self._hedge.remember(counted.fill.at_ns)
        for kept in memory.memos:
            self._legs[kept.leg].memo = kept.memo
        for ignored in memory.ignored:
            self._legs[ignored.leg].difference.ignored_lots = ignored.lots
        for leg in self._legs.values():
            leg.begin_run()

    # The only entrances -------------------------------------------------------------------------------------

    def step(self, event: Event, budgets: Mapping[str, Budget]) -> Step:
        """Take one event and decide. `event.at_ns` never goes back by more than the caller's clock does. `budgets`
        are by leg: each leg's requests are its own account's."""
        changed = self._take(event)
        self._look_at_touch(event)
        return self._decide(event.at_ns, budgets) if changed else Step(wake_ns=self._wake_ns(event.at_ns))

    def reconfigure(self, spec: BotSpec, at_ns: int, budgets: Mapping[str, Budget]) -> Step:
        """Take new strategy, risk and process settings without stopping (an in-place change)."""
        self._strategy = build_strategy(spec.strategy)
        self._patience_ns = _patience_ns(self._strategy)
        self._spec = spec
        if self._hedge and isinstance(self._strategy, Hedger):
            self._hedge.apply(self._strategy.hedging)
        for leg in self._legs.values():
            leg.limit_by(spec.risk)
        self.budgets.limit_by(spec)
        return self._decide(at_ns, budgets)

    @property
    def is_stopped(self) -> bool:
        """True once nothing of ours can rest any more and the position is as the stop policy wants it."""
        if self._parting is None or any(True for leg in self._legs.values() for _ in leg.orders.live):
            return False
        if self._hedge and self._hedge.is_open:
            return False
        return all(self._parting.is_over(leg) for leg in self._leading_legs.values())

    @property
    def is_synced(self) -> bool:
        """Whether the venue has answered every leg's questions at least once."""
        return all(leg.was_synced for leg in self._legs.values())

    @property
    def _policy(self) -> StopPolicy:
        """What becomes of the position when the bot ends."""
        on_trip = self._spec.risk.on_trip if self._watch.trip else None
        return on_trip or self._spec.process.stop_policy

    @property
    def watch(self) -> Watch:
        """What the bot's stops have to say."""
        return self._watch

    def last_cancels(self) -> tuple[CancelOrder, ...]:
        """What is left to say for a bot that cannot go on: nothing of this is remembered."""
        return tuple(
            CancelOrder(leg=name, client_id=order.request.client_id, venue_order_id=order.venue_order_id)
            for name, leg in self._legs.items()
            for order in leg.orders.live
            if order.remaining_lots > 0
        )

    def statistics(self) -> MachineStatistics:
        """What the bot did and made, over all its lives and in this one."""
        return machine_statistics({name: leg_statistics(leg) for name, leg in self._legs.items()})

    def status(self) -> MachineStatus:
        return MachineStatus(
            paused=self._paused,
            stopping=self._is_stopping,
            trip=self._watch.trip,
            money=self._watch.status(self._spec.risk),
            budgets=self.budgets.status(self._watch.day_pnl[1]),
            legs={name: leg_status(leg) for name, leg in self._legs.items()},
            hedge=self._hedge.status() if self._hedge else None,
        )

    def stakes(self, now_ns: int) -> dict[str, Stake]:
        """What each leg has at stake, for plans."""
        return {name: leg_stake(leg, now_ns) for name, leg in self._legs.items()}

    # News ---------------------------------------------------------------------------------------------------

    def _take(self, event: Event) -> bool:
        """Let an event change the state; False when it cannot change any decision."""
        if isinstance(event, Paused | Resumed):
            self._paused = isinstance(event, Paused)
            if not self._paused:
                self._watch.resumed(event.at_ns)
            return True
        if isinstance(event, BudgetsRead):
            self.budgets.read(event)
            return True
        if isinstance(event, TripHeld):
            self._watch.held(event.why, event.at_ns)
            return True
        if isinstance(event, StopRequested):
            self._parting = self._parting or self._part(event)
            for leg in self._legs.values():
                leg.sync.want(event.at_ns)
            return True
        if isinstance(event, TimePassed):
            return True
        concerned = self._legs.get(event.leg)
        return concerned is not None and take_news(concerned, event)

    def _look_at_touch(self, event: Event) -> None:
        concerned = self._legs.get(event.leg)
        for leg in (concerned,) if concerned else self._legs.values():
            leg.look_at_touch(event.at_ns)

    def sent(self, leg: str, taken_ns: int) -> None:
        """What a change of the book led to has left, so long after the change was in hand; for the statistics."""
        self._legs[leg].tally.timed(Timed.SEND, taken_ns)

    # Decisions ----------------------------------------------------------------------------------------------

    def _decide(self, now_ns: int, budgets: Mapping[str, Budget]) -> Step:
        purses = {name: Purse(budgets.get(name, NO_BUDGET)) for name in self._legs}
        if self._hedge:
            self._hedge.look(now_ns)
        commands: list[Command] = []
        self._mind_stops(now_ns)
        for name, leg in self._legs.items():
            commands += self._ask(leg, now_ns, purses[name])
        target = self._target(now_ns, purses)
        self.budgets.want(target)
        for name in sorted(target, key=lambda name: target[name].inventory is None):
            leg = self._legs[name]
            leg.wanted(target[name], now_ns)
            desk = Desk(leg, now_ns, purses[name], interval_ns=self._interval_ns)
            commands += desk.bring_about(target[name], self._strategy.requote_threshold_ticks)
        records = [record for leg in self._legs.values() for record in leg.take_records(now_ns)]
        records += self._watch.take_records()
        return Step(
            commands=tuple(commands),
            records=tuple(records),
            wake_ns=self._wake_ns(now_ns),
            waiting=tuple(name for name, purse in purses.items() if purse.is_waiting),
        )

    def _mind_stops(self, now_ns: int) -> None:
        """Before anything is decided: whether the bot may trade at all, and whether a tripped one is done."""
        if self._parting is None:
            self._watch.look(self._spec.risk, self.budgets, now_ns)
        if self._watch.trip and not self._watch.is_over and self._has_come_to_rest:
            self._watch.over()

    @property
    def _has_come_to_rest(self) -> bool:
        """Nothing of ours may rest or fill, the venue has said so, all is hedged, the position is as declared."""
        legs, leading = self._legs.values(), self._leading_legs.values()
        if any(True for leg in legs for _ in leg.orders.live) or (self._hedge and self._hedge.is_open):
            return False
        return all(leg.synced for leg in legs) and all(self._parting_of_a_trip.is_over(leg) for leg in leading)

    @property
    def _parting_of_a_trip(self) -> Parting:
        """What a tripped bot does about its position, for as long as that takes."""
        return Parting(self._policy, self._spec.risk, reduce_until_ns=NEVER_NS)

    def _ask(self, leg: Leg, now_ns: int, purse: Purse) -> list[Command]:
        if any(is_question(order, now_ns) for order in leg.orders.live):
            leg.sync.want_soon(now_ns)
        reachable = not leg.link_why_not or self._is_stopping
        if reachable and leg.sync.is_due(now_ns) and purse.take_round():
            return leg.sync.start(now_ns, leg.asked_since_ns(now_ns))
        if leg.synced and leg.funding.is_due(now_ns) and purse.take_round():
            return [leg.funding.ask(now_ns)]
        return []

    def _target(self, now_ns: int, purses: Mapping[str, Purse]) -> Target:
        """What each leg should look like; a leg that was never synchronised is left exactly as it is."""
        legs = {name: leg_view(leg, now_ns, takes=purses[name].takes) for name, leg in self._legs.items()}
        view = View(now_ns=now_ns, legs=legs)
        if self._parting is not None:
            return self._parted(self._parting, now_ns) | self._owed(view)
        pulled = {name: NOTHING for name, leg in self._legs.items() if leg.may_be_pulled(now_ns)}
        if self._watch.trip:
            parted = self._parted(self._parting_of_a_trip, now_ns)
            return {name: parted[name] for name in pulled} | self._owed(view)
        alarm = self._hedge.alarm if self._hedge else ""
        if self._paused or alarm or any(leg.why_not for leg in self._legs.values()):
            return pulled | self._owed(view)
        return self._strategy.target(view)

    def _parted(self, parting: Parting, now_ns: int) -> Target:
        """While the hedge leg could not follow, no position is touched: half of a pair is a bet."""
        leading = {name: parting.target(leg, now_ns) for name, leg in self._leading_legs.items()}
        followers = (leg for name, leg in self._legs.items() if name not in leading)
        leads_alone = any(leg.why_not for leg in followers)
        return dict.fromkeys(self._legs, NOTHING) | ({} if leads_alone else leading)

    def _owed(self, view: View) -> Target:
        """The hedge of what was filled, which is owed whether or not anything is quoted. Only a leg of which all is
        known is hedged on: fills that were not heard may have hedged already."""
        if not isinstance(self._strategy, Hedger) or self._legs[self._strategy.hedging.hedge].why_not:
            return {}
        return self._strategy.owed(view)

    def _watch_hedge(self) -> HedgeWatch | None:
        if not isinstance(self._strategy, Hedger):
            return None
        rule = self._strategy.hedging
        hedge = self._legs[rule.hedge]
        hedge.sync.asks_balances = True
        return HedgeWatch(rule, self._legs[rule.maker], hedge)

    @property
    def _leading_legs(self) -> Mapping[str, Leg]:
        """Those whose position is their own decision; a hedge leg follows, in a stop that flattens too."""
        if not isinstance(self._strategy, Hedger):
            return self._legs
        following = self._strategy.hedging.hedge
        return {name: leg for name, leg in self._legs.items() if name != following}

    @property
    def _is_stopping(self) -> bool:
        return self._parting is not None

    def _part(self, event: StopRequested) -> Parting:
        policy = StopPolicy.KEEP if event.keep_position else self._policy
        return Parting(policy, self._spec.risk, reduce_until_ns=event.reduce_until_ns)

    @property
    def _interval_ns(self) -> int:
        """How long quotes stay where they were put; an end is not kept waiting."""
        return 0 if self._is_stopping or self._watch.trip else self._patience_ns

    def _wake_ns(self, now_ns: int) -> int | None:
        due = [leg.refusals.next_ns(now_ns) for leg in self._legs.values()]
        due += [leg.sync.next_ns for leg in self._legs.values() if not leg.link_why_not or self._is_stopping]
        due += [leg.funding.due_ns for leg in self._legs.values() if leg.synced]
        due += [self._hedge.due_ns] if self._hedge else []
        if interval_ns := self._interval_ns:
            due += [next_move_ns(leg.orders.live, interval_ns, now_ns) for leg in self._legs.values()]
        soonest = min((ns for ns in due if ns is not None), default=None)
        return soonest if soonest is None or soonest > now_ns else now_ns + STARVED_WAKE_NS


def _patience_ns(strategy: Strategy) -> int:
    return strategy.requote_interval_ns if isinstance(strategy, Patient) else 0
