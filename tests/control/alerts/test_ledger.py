"""Who is told what, and when: something that lasts is told once, what is over is told once, and nothing is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.clock import NS_PER_S
from engine.control.alerts.ledger import Condition, Ledger, News, Rules, heard, missed, only, owed, seen

RULES = Rules(for_ns=60 * NS_PER_S, repeat_ns=600 * NS_PER_S)
FAILED = Condition("bot/sol", "sol is failed")
TRIP = Condition("trip/sol", "sol tripped", is_urgent=True)
LOOK_S = 5


class Person:
    """One channel to somebody, over time."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.rules = rules
        self.ledger = Ledger()
        self.heard: list[tuple[int, News]] = []

    def look(self, at_s: int, *wrong: Condition, gets_through: bool = True) -> News:
        at_ns = at_s * NS_PER_S
        self.ledger = seen(self.ledger, wrong, self.rules, at_ns)
        news = owed(self.ledger, "ops", self.rules, at_ns)
        if news and gets_through:
            self.ledger = heard(self.ledger, "ops", news, at_ns)
            self.heard.append((at_s, news))
        elif news:
            self.ledger = missed(self.ledger, "ops", "it answered 500")
        return news


def test_what_lasts_is_told_once_and_its_end_too() -> None:
    ops = Person()
    for at_s in range(0, 300, LOOK_S):
        ops.look(at_s, *([FAILED] if at_s < 150 else []))
    assert ops.heard == [
        (60, News(begun={"bot/sol": "sol is failed"})),
        (210, News(over={"bot/sol": "sol is failed"})),
    ]


def test_what_passes_by_itself_is_never_told() -> None:
    ops = Person()
    for at_s in range(0, 600, LOOK_S):
        ops.look(at_s, *([FAILED] if at_s % 300 < 50 else []))
    assert ops.heard == []


def test_what_comes_and_goes_is_one_thing() -> None:
    ops = Person()
    for at_s in range(0, 400, LOOK_S):
        ops.look(at_s, *([FAILED] if at_s % 20 < 10 else []))
    assert [news for _, news in ops.heard] == [News(begun={"bot/sol": "sol is failed"})]


def test_a_trip_is_told_at_once() -> None:
    assert Person().look(0, TRIP) == News(begun={"trip/sol": "sol tripped"})


def test_what_goes_on_is_told_again_after_a_while_in_its_present_words() -> None:
    ops = Person()
    for at_s in range(0, 1_300, LOOK_S):
        ops.look(at_s, FAILED._replace(text=f"sol is failed, {at_s // 600}"))
    assert ops.heard == [
        (60, News(begun={"bot/sol": "sol is failed, 0"})),
        (660, News(lasting={"bot/sol": "sol is failed, 1"})),
        (1_260, News(lasting={"bot/sol": "sol is failed, 2"})),
    ]


def test_nobody_is_reminded_where_nobody_wants_to_be() -> None:
    ops = Person(Rules(for_ns=0, repeat_ns=None))
    for at_s in range(0, 10_000, 100):
        ops.look(at_s, FAILED)
    assert len(ops.heard) == 1


def test_a_channel_that_fails_is_owed_what_counts_when_it_works_again() -> None:
    ops = Person()
    for at_s in range(0, 100, LOOK_S):
        ops.look(at_s, FAILED, gets_through=False)
    assert ops.ledger.failing == {"ops": "it answered 500"}
    assert ops.look(100, FAILED, TRIP) == News(begun={"bot/sol": "sol is failed", "trip/sol": "sol tripped"})
    assert ops.ledger.failing == {}


def test_what_is_over_before_a_channel_heard_of_it_is_never_told() -> None:
    ops = Person()
    for at_s in range(0, 300, LOOK_S):
        ops.look(at_s, *([FAILED] if at_s < 100 else []), gets_through=at_s > 200)
    assert ops.heard == []


def test_channels_are_told_apart() -> None:
    ledger = seen(Ledger(), [TRIP], RULES, 0)
    ledger = heard(ledger, "ops", owed(ledger, "ops", RULES, 0), 0)
    assert not owed(ledger, "ops", RULES, 1)
    assert owed(ledger, "mail", RULES, 1).begun == {"trip/sol": "sol tripped"}
    assert only(ledger, ["mail"]).told == {}


@given(
    st.lists(st.tuples(st.sets(st.sampled_from(["a", "b", "c"])), st.booleans()), max_size=60),
    st.sets(st.sampled_from(["a", "b", "c"])),
    st.integers(0, 100),
)
def test_in_the_end_who_is_reached_knows_exactly_what_is_wrong(
    past: list[tuple[set[str], bool]], now: set[str], for_s: int
) -> None:
    ops = Person(Rules(for_ns=for_s * NS_PER_S, repeat_ns=None))
    looks = [*past, *[(now, True)] * (for_s // LOOK_S + 2)]
    for number, (wrong, gets_through) in enumerate(looks):
        ops.look(number * LOOK_S, *(Condition(key, key) for key in sorted(wrong)), gets_through=gets_through)
    assert ops.ledger.told.get("ops", {}).keys() == now
    told = [key for _, news in ops.heard for key in news.begun]
    over = [key for _, news in ops.heard for key in news.over]
    assert sorted(told) == sorted([*over, *now]), "every beginning has one end, or goes on"
