"""Prometheus' metrics from names and samples: every name begins with `botctl_`, and None is no sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

BOT = ("bot",)
LEG = ("bot", "leg", "venue", "account", "market")

Labels = tuple[str, ...]
Samples = Iterable[tuple[Labels, Any]]


def gauge(name: str, text: str, labels: Labels, samples: Samples) -> Metric:
    """What goes up and down."""
    return _filled(GaugeMetricFamily(f"botctl_{name}", text, labels=labels), samples)


def counter(name: str, text: str, labels: Labels, samples: Samples) -> Metric:
    """What only grows; its samples are called `…_total`."""
    return _filled(CounterMetricFamily(f"botctl_{name}", text, labels=labels), samples)


def split(
    family: Callable[[str, str, Labels, Samples], Metric],
    name: str,
    text: str,
    label: str,
    parts: Iterable[tuple[Labels, Mapping[str, Any]]],
) -> Metric:
    """A leg's figure in parts, told apart by one more label."""
    samples = [((*labels, part), value) for labels, values in parts for part, value in values.items()]
    return family(name, text, (*LEG, label), samples)


def _filled(family: Any, samples: Samples) -> Metric:
    for labels, value in samples:
        if value is not None:
            family.add_metric(labels, float(value))
    filled: Metric = family
    return filled
