"""What Paradex counts: changes of orders and private questions of an account, the rest by address (Rate limits,
docs.paradex.trade). Public questions are counted with the private ones of the address."""

from __future__ import annotations

from engine.exchanges.limits import WeightClass
from engine.model.commands import Batch, CancelOrder, Command, QueryBook, QueryInstrument, SubmitOrder

ORDERS_PER_MINUTE = 17_250
READS_PER_MINUTE = 600
ADDRESS_PER_MINUTE = 1_500

_PUBLIC: dict[type[Command], int] = {QueryBook: 0, QueryInstrument: 0}
_CHANGES: dict[type[Command], int] = {SubmitOrder: 1, CancelOrder: 1, Batch: 1}
"""A batch counts as one request, however long it is."""
_UNCHARGED = dict.fromkeys(_CHANGES, 0)

WEIGHT_CLASSES = (
    WeightClass(name="orders", per_minute=ORDERS_PER_MINUTE, costs=_CHANGES),
    WeightClass(name="reads", per_minute=READS_PER_MINUTE, costs=_PUBLIC | _UNCHARGED, other=1),
    WeightClass(name="address", per_minute=ADDRESS_PER_MINUTE, costs=_UNCHARGED, other=1, per_address=True),
)
