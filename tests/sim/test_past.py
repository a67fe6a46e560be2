"""A list that is behind shows orders as they stood: what came later is not in it, what ended later still rests."""

from __future__ import annotations

from decimal import Decimal

from engine.model.order import OrderStatus, Side, TimeInForce
from engine.sim.backpack.settings import BackpackSettings
from engine.sim.backpack.venue import BackpackMachine
from engine.sim.orders import Order
from engine.sim.past import orders_as_of

SYMBOL = "SOL_USDC"


def venue() -> BackpackMachine:
    machine = BackpackMachine(BackpackSettings(), None)
    for name in ("own", "other"):
        machine.open_account(name, name, {"SOL": Decimal(100), "USDC": Decimal(100_000)})
    return machine


def place(machine: BackpackMachine, owner: str, side: Side, lots: int, at_ns: int, *, ioc: bool = False) -> Order:
    order = Order(
        order_id=machine.exchange.next_order_id(),
        owner=owner,
        symbol=SYMBOL,
        side=side,
        ticks=18_000,
        lots=lots,
        placed_ns=at_ns,
        time_in_force=TimeInForce.IOC if ioc else TimeInForce.GTC,
    )
    machine.exchange.place(order)
    return order


def seen(machine: BackpackMachine, at_ns: int) -> list[tuple[OrderStatus, int]]:
    return [(order.status, order.executed_lots) for order in orders_as_of(machine.exchange, "own", at_ns)]


def test_a_list_that_is_behind_shows_every_state_an_order_went_through() -> None:
    machine = venue()
    order = place(machine, "own", Side.BUY, 10, 100)
    place(machine, "other", Side.SELL, 4, 200, ioc=True)
    machine.exchange.cancel(order, 300)
    assert seen(machine, 99) == []
    assert seen(machine, 100) == [(OrderStatus.RESTING, 0)]
    assert seen(machine, 200) == [(OrderStatus.RESTING, 4)]
    assert seen(machine, 300) == [(OrderStatus.CANCELED, 4)]


def test_an_order_that_was_filled_since_still_rests_in_it() -> None:
    machine = venue()
    place(machine, "own", Side.BUY, 10, 100)
    place(machine, "other", Side.SELL, 10, 200, ioc=True)
    assert seen(machine, 199) == [(OrderStatus.RESTING, 0)]
    assert seen(machine, 200) == [(OrderStatus.FILLED, 10)]
