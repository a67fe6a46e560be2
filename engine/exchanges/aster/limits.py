"""What Aster counts: the weight of requests by address, and new orders by account (Limits, exchangeInfo).

Besides 1200 orders a minute a futures account may send 300 in ten seconds, and that is the most a bucket of 1200
lets out in ten seconds. Spot allows 6000 a minute with the same 300 in ten seconds, so it is given the same bucket.

A batch has a weight of its own, however long it is; among the orders every item counts, and an amend too.
"""

from __future__ import annotations

from engine.exchanges.limits import WeightClass
from engine.model.commands import (
    AmendOrder,
    Batch,
    Command,
    QueryBalances,
    QueryBook,
    QueryFills,
    QueryFunding,
    QueryOrderHistory,
    QueryPosition,
    SetDeadMansSwitch,
    SubmitOrder,
)
from engine.model.instrument import MarketKind

WEIGHTS_PER_MINUTE = {MarketKind.PERP: 2_400, MarketKind.SPOT: 6_000}
ORDERS_PER_MINUTE = 1_200


def weight_classes(kind: MarketKind) -> tuple[WeightClass, ...]:
    heavy: dict[type[Command], int] = {
        QueryFills: 5,
        QueryOrderHistory: 5,
        QueryFunding: 30,
        QueryPosition: 5,
        QueryBalances: 5,
        QueryBook: 20,
        SetDeadMansSwitch: 10,
        Batch: 5,
    }
    weights = WEIGHTS_PER_MINUTE[kind]
    return (
        WeightClass(name="weight", per_minute=weights, costs=heavy, other=1, per_address=True),
        WeightClass(name="orders", per_minute=ORDERS_PER_MINUTE, costs={SubmitOrder: 1, AmendOrder: 1}),
    )
