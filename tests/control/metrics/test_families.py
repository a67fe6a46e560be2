"""What a fleet looks like to Prometheus: every figure once, in base units, and nothing where nothing is known."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from engine.control.metrics.site import metrics
from engine.control.metrics.snapshot import Snapshot
from tests.control.metrics.snapshots import LEG, snapshot

OF_LEG = {"bot": "maker", "leg": "main", "venue": "backpack", "account": "alpha", "market": "SOL_USDC"}


def told(snapshot: Snapshot, name: str) -> list[tuple[dict[str, str], float]]:
    """Every sample of that name, as another program reads it."""
    page = metrics(snapshot).body.decode()
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    return [(sample.labels, sample.value) for sample in samples if sample.name == f"botctl_{name}"]


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("info", {"version": "0.1.0", "fleet": "demo"}, 1),
        ("generation", {}, 3),
        ("supervisor_up", {}, 1),
        ("companion_up", {"name": "sentinel"}, 1),
        ("bot_net_pnl", {"bot": "maker"}, -2.5),
        ("bot_drawdown_ratio", {"bot": "maker"}, 0.125),
        ("bot_rejects_in_a_row", {"bot": "maker"}, 3),
        ("bot_hedge_residual", {"bot": "maker"}, 0.3),
        ("bot_hedge_alarm", {"bot": "maker"}, 1),
        ("bot_memory_bytes", {"bot": "maker"}, 2 << 20),
        ("bot_cpu_seconds_total", {"bot": "maker"}, 1.5),
        ("budget_usd", {"budget": "fleet", "figure": "net"}, 10),
        ("leg_ready", OF_LEG, 1),
        ("leg_open_orders", OF_LEG, 4),
        ("leg_unresolved_orders", OF_LEG, 1),
        ("leg_position", OF_LEG, -1.5),
        ("leg_bid_price", OF_LEG, 180.45),
        ("leg_fills_total", OF_LEG, 7),
        ("leg_fees", {**OF_LEG, "asset": "USDC"}, -0.2),
        ("leg_realised_pnl", OF_LEG, 1.25),
        ("leg_watched_seconds_total", OF_LEG, 60),
    ],
)
def test_a_figure_is_told_once(name: str, labels: dict[str, str], value: float) -> None:
    assert told(snapshot(), name) == [(labels, value)]


@pytest.mark.parametrize("name", ["leg_ask_price", "leg_net_pnl", "bot_day_pnl"])
def test_what_is_not_known_is_absent_and_never_zero(name: str) -> None:
    assert told(snapshot(), name) == []


def test_a_bot_that_nobody_hears_is_named_and_needs_somebody() -> None:
    assert ({"bot": "mute", "state": "unknown"}, 1.0) in told(snapshot(), "bot_state")
    assert told(snapshot(), "bot_needs_attention") == [({"bot": "maker"}, 1.0), ({"bot": "mute"}, 1.0)]
    assert {labels["bot"] for labels, _ in told(snapshot(), "leg_position")} == {"maker"}


def test_parts_of_a_figure_have_a_label_more() -> None:
    volumes = {(of["liquidity"], of["side"]): value for of, value in told(snapshot(), "leg_quote_volume_total")}
    assert volumes == {("maker", "buy"): 540, ("maker", "sell"): 812, ("taker", "buy"): 0, ("taker", "sell"): 0}
    assert {of["side"]: value for of, value in told(snapshot(), "leg_base_volume_total")} == {"buy": 3, "sell": 4.5}
    assert {of["outcome"]: value for of, value in told(snapshot(), "leg_orders_total")}["rejected"] == 1


def test_latencies_are_cumulated_and_what_never_happened_is_left_out() -> None:
    buckets = told(snapshot(), "leg_latency_seconds_bucket")
    assert {of["of"] for of, _ in buckets} == {"order_to_ack"}
    counts = {of["le"]: value for of, value in buckets}
    assert (counts["0.0005"], counts["0.001"], counts["0.0025"], counts["0.005"], counts["+Inf"]) == (0, 1, 3, 5, 6)
    assert list(counts.values()) == sorted(counts.values())


def test_bots_that_share_an_account_tell_its_budget_once() -> None:
    one = snapshot().statuses[0]
    both = snapshot(statuses=(one, replace(one, name="other")))
    of_account = {"venue": "backpack", "account": "alpha", "count": "requests"}
    assert told(both, "venue_budget_used_per_minute") == [(of_account, 30)]
    assert told(both, "venue_budget_pace") == [(of_account, 0.5)]
    assert len(told(both, "leg_open_orders")) == 2


def test_a_fleet_of_which_nothing_is_applied_has_no_figures() -> None:
    bare = snapshot(generation=None, companions={}, statuses=(), statistics=(), usage={})
    assert told(bare, "generation") == []
    assert told(bare, "leg_position") == []


def test_prometheus_own_checker_finds_nothing_to_say() -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not here: apt-get install prometheus")
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=metrics(snapshot()).body,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_openmetrics_is_spoken_to_who_asks_for_it() -> None:
    answer = metrics(snapshot(), "application/openmetrics-text; version=1.0.0")
    assert answer.content_type.startswith("application/openmetrics-text")
    assert answer.body.endswith(b"# EOF\n")
    assert LEG.market.encode() in answer.body
