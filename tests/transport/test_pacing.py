"""The token bucket, for any order of asking, sending and being told to slow down."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.clock import NS_PER_MS, NS_PER_S
from engine.transport.pacing import NS_PER_MINUTE, RECOVERY_NS, Pacing

waits_ns = st.lists(st.integers(0, 20 * NS_PER_S), min_size=1, max_size=80)


@given(st.integers(2, 5000), waits_ns, st.randoms(use_true_random=False))
def test_whoever_keeps_to_the_budget_never_exceeds_the_limit_in_any_minute(limit, waits, source) -> None:
    pacing, now_ns, sent = Pacing(limit, 0), 0, []
    for wait_ns in waits:
        now_ns += wait_ns
        if source.random() < 0.1:
            pacing.rate_limited(now_ns)
        requests = source.choice((1.0, 1.0, source.random())) * pacing.budget(now_ns).reduce
        pacing.spent(int(requests), now_ns)
        sent.append((now_ns, int(requests)))
        assert sum(count for at_ns, count in sent if at_ns > now_ns - NS_PER_MINUTE) <= limit


@given(st.integers(1, 5000), waits_ns, st.randoms(use_true_random=False))
def test_a_more_urgent_kind_may_always_send_at_least_as_much(limit, waits, source) -> None:
    pacing, now_ns = Pacing(limit, 0), 0
    for wait_ns in waits:
        now_ns += wait_ns
        budget = pacing.budget(now_ns)
        assert budget.reduce >= budget.cancel >= budget.place >= 0
        pacing.spent(source.randint(0, budget.reduce), now_ns)


def test_placing_leaves_room_to_cancel_and_cancelling_leaves_room_to_reduce() -> None:
    pacing = Pacing(2000, 0)
    pacing.spent(pacing.budget(0).place, 0)
    assert pacing.budget(0).place == 0
    assert pacing.budget(0).cancel == 40
    pacing.spent(pacing.budget(0).cancel, 0)
    assert pacing.budget(0).cancel == 0
    assert pacing.budget(0).reduce == 20


def test_a_small_limit_still_lets_an_order_out() -> None:
    assert Pacing(2, 0).budget(0).place == 1


def test_queries_may_leave_a_debt_that_time_pays_off() -> None:
    pacing = Pacing(600, 0)
    pacing.spent(100, 0)
    assert pacing.budget(0).reduce == 0
    assert pacing.budget(4 * NS_PER_S).reduce == 0
    assert pacing.budget(5 * NS_PER_S).reduce > 0


def test_a_rate_limit_stops_everything_and_halves_the_pace() -> None:
    pacing = Pacing(600, 0)
    pacing.rate_limited(0)
    assert pacing.budget(0).reduce == 0
    assert pacing.budget(2 * NS_PER_S).reduce == 9  # 9 a second at full pace.


def test_many_rate_limits_leave_a_slow_pace_that_recovers_by_itself() -> None:
    pacing = Pacing(600, 0)
    for _ in range(20):
        pacing.rate_limited(0)
    assert pacing.budget(NS_PER_S).reduce == 0
    pacing.budget(RECOVERY_NS)
    pacing.spent(pacing.budget(RECOVERY_NS).reduce, RECOVERY_NS)
    assert pacing.budget(RECOVERY_NS + NS_PER_S).reduce in (8, 9)


def test_a_clock_that_stands_still_or_goes_back_gives_nothing() -> None:
    pacing = Pacing(600, NS_PER_S)
    pacing.spent(60, NS_PER_S)
    assert pacing.budget(NS_PER_S).reduce == 0
    assert pacing.budget(500 * NS_PER_MS).reduce == 0
