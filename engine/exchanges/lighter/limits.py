"""What Lighter counts of an account: of a standard one, requests; of a premium one, weights and transactions
(Rate limits, apidocs.lighter.xyz)."""

from __future__ import annotations

from engine.exchanges.limits import WeightClass
from engine.model.commands import CancelOrder, QueryFills, QueryOrderHistory, SetDeadMansSwitch, SubmitOrder

STANDARD_REQUESTS_PER_MINUTE = 60
PREMIUM_WEIGHT_PER_MINUTE = 24_000
PREMIUM_TRANSACTIONS_PER_MINUTE = 4_000
"""What the smallest premium account may send."""
TRANSACTION_WEIGHT = 6

PREMIUM_CLASSES = (
    WeightClass(
        name="weight",
        per_minute=PREMIUM_WEIGHT_PER_MINUTE,
        costs={
            SubmitOrder: TRANSACTION_WEIGHT,
            CancelOrder: TRANSACTION_WEIGHT,
            SetDeadMansSwitch: TRANSACTION_WEIGHT,
            QueryOrderHistory: 100,
            QueryFills: 600,
        },
        other=300,
    ),
    WeightClass(
        name="transactions",
        per_minute=PREMIUM_TRANSACTIONS_PER_MINUTE,
        costs={SubmitOrder: 1, CancelOrder: 1, SetDeadMansSwitch: 1},
    ),
)
