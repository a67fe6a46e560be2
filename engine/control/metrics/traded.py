"""What bots did and made, as metrics: the totals of `botctl stats`, over all lives of a bot on its market."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client.core import HistogramMetricFamily, Metric

from engine.control.metrics.shapes import LEG, Labels, counter, gauge, split
from engine.control.metrics.snapshot import Snapshot

BOUNDS_MS = tuple(float(f"{step}e{power}") for power in range(-2, 6) for step in (1, 2.5, 5))
"""Of the eighty buckets that durations are counted in, every third or fourth: enough for percentiles on a page."""
MS_PER_S = 1_000
GAUGES = (
    ("funding", "Funding received minus paid, in quote."),
    ("realised_pnl", "Profit of closed positions before fees and funding, FIFO, in quote."),
    ("net_pnl", "Profit after fees and funding at the present mid, in quote."),
    ("peak_drawdown", "Deepest fall of the profit below its peak, in quote."),
)

Totals = list[tuple[Labels, Mapping[str, Any]]]


def of_trading(snapshot: Snapshot) -> Iterator[Metric]:
    """Every leg's figures, of the bots whose engines answer."""
    totals = _totals(snapshot)
    yield counter("leg_fills", "Own fills.", LEG, [(labels, total["fills"]) for labels, total in totals])
    yield from _volumes(totals)
    fees = [(labels, total["fees"]) for labels, total in totals]
    yield split(gauge, "leg_fees", "Fees paid minus received.", "asset", fees)
    for name, text in GAUGES:
        yield gauge(f"leg_{name}", text, LEG, [(labels, total[name]) for labels, total in totals])
    orders = [(labels, total["orders"]) for labels, total in totals]
    yield split(counter, "leg_orders", "Own orders by what became of them.", "outcome", orders)
    yield from _times(totals)


def _totals(snapshot: Snapshot) -> Totals:
    accounts = {(bot.name, name): leg.account for bot in snapshot.statuses for name, leg in bot.legs.items()}
    return [
        ((bot.name, name, leg["venue"], accounts.get((bot.name, name), ""), leg["market"]), leg["total"])
        for bot in snapshot.statistics
        for name, leg in bot.legs.items()
    ]


def _volumes(totals: Totals) -> Iterator[Metric]:
    base = [(labels, {"buy": total["bought"], "sell": total["sold"]}) for labels, total in totals]
    yield split(counter, "leg_base_volume", "Base bought and sold.", "side", base)
    quote = [
        ((*labels, liquidity, side), volume)
        for labels, total in totals
        for liquidity, sides in total["volume"].items()
        for side, volume in sides.items()
    ]
    yield counter("leg_quote_volume", "Quote traded.", (*LEG, "liquidity", "side"), quote)


def _times(totals: Totals) -> Iterator[Metric]:
    touch = [(labels, total["touch"]) for labels, total in totals]
    watched = [(labels, times["watched_s"]) for labels, times in touch]
    yield counter("leg_watched_seconds", "Time in which book and own orders were known.", LEG, watched)
    sides = [(labels, {"buy": times["bid_s"], "sell": times["ask_s"]}) for labels, times in touch]
    yield split(counter, "leg_at_touch_seconds", "Of that, with an own order at the best price.", "side", sides)
    taken = HistogramMetricFamily("botctl_leg_latency_seconds", "How long something took.", labels=(*LEG, "of"))
    for labels, total in totals:
        for of, durations in total["latency"].items():
            if durations["count"]:  # What never happened would be most of the page.
                taken.add_metric((*labels, of), _cumulated(durations), sum_value=None)
    yield taken


def _cumulated(durations: Mapping[str, Any]) -> list[tuple[str, float]]:
    """What took at most so many seconds, as Prometheus counts."""
    counts = {float(bound): count for bound, count in durations["buckets"].items()}
    within = [(bound, sum(counts[each] for each in counts if each <= bound)) for bound in BOUNDS_MS]
    return [*((f"{bound / MS_PER_S:g}", count) for bound, count in within), ("+Inf", durations["count"])]
