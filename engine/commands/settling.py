"""What `adopt` and `ignore` share: they show what bots' fills do not explain, ask, and settle it."""

from __future__ import annotations

from collections.abc import Sequence

from engine.commands.consent import confirm
from engine.commands.table import table
from engine.control.adoption import Difference, Settling, differences, settle
from engine.control.fleet import Fleet
from engine.errors import UsageError

HEAD = ("BOT", "LEG", "ACCOUNT", "MARKET", "UNEXPLAINED", "AT", "OWN POSITION", "IGNORED")


def settle_all(
    fleet: Fleet, names: Sequence[str], settling: Settling, *, price: str | None, yes: bool, why: str
) -> None:
    """Every difference of these bots, one after the other, once a person has seen all of them."""
    found = differences(fleet, names)
    if not found:
        print("every position is explained by own fills")
        return
    if price is not None and len(found) > 1:
        raise UsageError("--price is for one position, and there are several", hint="name one bot")
    print(table(HEAD, [_row(one, price) for one in found]))
    if not yes:
        confirm(f"{str(settling).capitalize()} this?")
    for one in found:
        settle(fleet, one, settling, price=price, why=why)
        print(f"{one.bot}: {one.size} on {one.market} {_DONE[settling]}")


_DONE = {
    Settling.ADOPT: "is in its books now; it quotes again",
    Settling.IGNORE: "is none of its business from now on; it quotes again",
}


def _row(one: Difference, price: str | None) -> tuple[str, ...]:
    return (
        one.bot,
        one.leg,
        one.account,
        one.market,
        one.size,
        price or one.price or "?",
        one.position,
        one.ignored,
    )
