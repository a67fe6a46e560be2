"""The limits of an account's bots against its equity: refused, warned about, unknown, or nothing to say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.control.apply import require_plannable
from engine.errors import Refused
from engine.plan.actions import Plan
from engine.plan.diff import diff
from engine.plan.observed import Engine
from engine.plan.render import render
from engine.spec.types import BotSpec, Environment
from tests.plan import fleets

EQUITY = 10_000
"""What the account opens with; at a mid of 140, ten thousand are 71.4 SOL."""


def on(account: Any = None, **changes: Any) -> BotSpec:
    bot = fleets.spec(changes.pop("name", "sol"), **changes)
    return msgspec.structs.replace(bot, accounts={"main": account or fleets.ACCOUNT})


def plan(*bots: BotSpec, running: bool = True) -> Plan:
    return diff(fleets.desired(*bots), fleets.running(*(bots if running else ())))


def account(**changes: Any) -> Any:
    return msgspec.structs.replace(fleets.ACCOUNT, **changes)


def objections(*bots: BotSpec, running: bool = True) -> list[tuple[str, bool]]:
    return [(objection.code, objection.is_error) for objection in plan(*bots, running=running).objections]


def test_limits_within_the_equity_need_no_words() -> None:
    assert objections(on(max_position=71)) == []


def test_limits_beyond_the_equity_are_a_warning_until_somebody_says_what_is_allowed() -> None:
    assert objections(on(max_position=72)) == [("beyond-equity", False)]
    require_plannable(plan(on(max_position=72)))


@pytest.mark.parametrize(("most", "is_refused"), [("1", True), ("1.9", True), ("2", False), ("5", False)])
def test_limits_beyond_what_is_allowed_are_refused(most: str, is_refused: bool) -> None:
    bot = on(account(max_leverage=Decimal(most)), max_position=142)
    assert objections(bot) == ([("beyond-equity", True)] if is_refused else [])
    if is_refused:
        with pytest.raises(Refused, match=r"positions worth 19,880\.00") as raised:
            require_plannable(plan(bot))
        assert raised.value.exit_code == 5 and raised.value.hint
        assert "refused: the bots of account main" in render(plan(bot))


def test_the_limits_of_all_bots_of_an_account_count_together() -> None:
    bots = [on(name=name, max_position=40) for name in ("eth", "sol")]
    assert objections(bots[0]) == []
    assert objections(*bots) == [("beyond-equity", False)]
    stopped = msgspec.structs.replace(bots[1], enabled=False)
    assert objections(bots[0], stopped) == []


def test_without_a_price_the_answer_is_unknown_and_never_fine() -> None:
    bot = on(account(max_leverage=Decimal(3)), max_position=1)
    assert objections(bot, running=False) == [("equity-unknown", False)]
    assert objections(on(max_position=1), running=False) == []


def test_the_equity_of_a_real_account_is_what_its_engine_says() -> None:
    real = account(environment=Environment.TESTNET, balances={}, max_leverage=Decimal(1))
    bot = on(real, max_position=72)
    assert objections(bot) == [("equity-unknown", False)]
    seen = fleets.running(bot)
    engine = seen.engines["sol"]
    assert isinstance(engine, Engine)
    stake = msgspec.structs.replace(engine.stakes["main"], margin_used=Decimal(80), margin_free=Decimal(EQUITY))
    told = msgspec.structs.replace(seen, engines={"sol": msgspec.structs.replace(engine, stakes={"main": stake})})
    assert diff(fleets.desired(bot), told).objections == ()


def test_saying_who_owns_an_account_restarts_nothing() -> None:
    owned = on(account(owner="ann", max_leverage=Decimal(3)), max_position=5)
    (action,) = diff(fleets.desired(owned), fleets.running(on(max_position=5))).actions
    assert action.kind == "record"
    assert [change.path for change in action.changes] == ["accounts.main.max_leverage", "accounts.main.owner"]
