"""The monitor beside a real fleet: metrics where they are wanted, and people told once what is wrong, and once that
it is over."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.control.metrics.place import lock_file
from engine.host.locks import is_free, read_holder
from tests.control.heard import Heard, listening
from tests.e2e.botctl import FLEET, Botctl, until
from tests.transport.loopback import free_port

pytestmark = pytest.mark.timeout(300)

PROMETHEUS = """\
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: botctl
    static_configs: [{targets: ["127.0.0.1:%d"]}]
"""


def page(port: int, path: str = "/metrics") -> str:
    """Empty while nobody serves there; what is served with an error counts."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.read().decode()
    except OSError:
        return ""


def value(text: str, name: str, /, **labels: str) -> float | None:
    """Of the one sample with these labels."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == f"botctl_{name}" and labels.items() <= sample.labels.items():
                return float(sample.value)
    return None


def test_metrics_are_served_while_and_where_they_are_declared(botctl: Botctl) -> None:
    port, other = free_port(), free_port()
    botctl.write("bots/fleet.yaml", f"{FLEET}metrics: {{port: {port}}}\n")
    botctl("apply", "--yes")
    until(lambda: page(port))
    assert f"metrics: http://127.0.0.1:{port}/metrics\n" in botctl("status")
    botctl("status", "--wait", "--timeout", "60")
    until(lambda: value(page(port), "bot_state", bot="sol", state="running") == 1)
    text = page(port)
    assert (value(text, "leg_fills_total", bot="sol", market="SOL_USDC") or 0) >= 1
    assert (value(text, "bot_memory_bytes", bot="sol") or 0) > 1 << 20
    assert value(text, "companion_up", name="sentinel") == 1
    until(lambda: json.loads(page(port, "/healthz"))["healthy"])

    botctl("stop", "sol")
    until(lambda: value(page(port), "bot_state", bot="sol", state="held") == 1)
    assert value(page(port), "leg_position", bot="sol") is None

    holder = read_holder(lock_file(botctl.workspace))
    assert holder is not None
    os.kill(holder.pid, signal.SIGKILL)
    until(lambda: page(port))

    botctl.edit("bots/fleet.yaml", f"port: {port}", f"port: {other}")
    botctl("apply", "--yes")
    until(lambda: page(other) and not page(port))
    botctl.write("bots/fleet.yaml", FLEET)
    botctl("apply", "--yes")
    until(lambda: is_free(lock_file(botctl.workspace)) and not page(other))
    assert "metrics:" not in botctl("status")


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="needs Debian's package prometheus")
def test_a_real_prometheus_reads_what_a_person_serves(botctl: Botctl, tmp_path: Path) -> None:
    botctl("apply", "--yes")
    port, own = free_port(), free_port()
    (tmp_path / "prometheus.yml").write_text(PROMETHEUS % port)
    command = ["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data"]
    serving = botctl.begin("metrics", "--listen", str(port))
    reading = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{own}"], stderr=subprocess.DEVNULL)
    try:
        until(
            lambda: {"bot": "sol", "state": "running"}.items() <= first(own, 'botctl_bot_state{bot="sol"}').items()
        )
        assert first(own, "botctl_leg_position")["venue"] == "backpack"
        serving.send_signal(signal.SIGINT)
        assert serving.wait(timeout=30) == 0
    finally:
        for process in (serving, reading):
            process.terminate()
            process.wait(timeout=30)


def first(port: int, expression: str) -> dict[str, str]:
    """Labels of the first series that Prometheus finds; none while it finds none."""
    answer = page(port, f"/api/v1/query?{urlencode({'query': expression})}")
    found = json.loads(answer)["data"]["result"] if answer.startswith("{") else []
    return dict(found[0]["metric"]) if found else {}


ALERTS = "alerts: {channels: {ops: {webhook: '${HOOK}'}}, for_s: 1, heartbeat: '${BEAT}', heartbeat_s: 1}\n"


@pytest.fixture
def ops() -> Iterator[Heard]:
    """Where a person is told."""
    with listening() as heard:
        heard.answer = 200
        yield heard


def lines(ops: Heard) -> list[str]:
    """Everything that was told so far, without subjects."""
    return [line for _, _, body in ops.told for line in body["text"].splitlines()[1:]]


def kill_monitor(botctl: Botctl) -> None:
    holder = read_holder(lock_file(botctl.workspace))
    assert holder is not None
    os.kill(holder.pid, signal.SIGKILL)
    until(lambda: (again := read_holder(lock_file(botctl.workspace))) and again.pid != holder.pid)


def test_what_is_wrong_is_told_once_and_what_is_over_too(botctl: Botctl, ops: Heard) -> None:
    botctl.write("bots/fleet.yaml", FLEET + ALERTS)
    botctl.write(".env", f"HOOK={ops.url}/hook\nBEAT={ops.url}/alive\n")
    (botctl.root / ".env").chmod(0o600)
    botctl("apply", "--yes")
    assert "ops: taken" in botctl("alerts", "test")
    botctl("status", "--wait", "--timeout", "60")
    until(lambda: "nobody is needed" in botctl("alerts"))
    until(lambda: "/alive" in ops.asked)

    ((pid,),) = (found for bot, found in botctl.runners().items() if bot == "sol")
    before = len(lines(ops))
    os.kill(pid, signal.SIGSTOP)
    begun = until(lambda: lines(ops)[before:])
    assert begun[0].startswith("new: sol is unknown: ")
    assert "sol is unknown" in botctl("alerts")
    kill_monitor(botctl)
    until(lambda: "alerts: 1 going on" in botctl("status"))
    os.kill(pid, signal.SIGCONT)
    until(lambda: any(line.startswith("over: sol is unknown") for line in lines(ops)))
    assert [line for line in lines(ops)[before:] if line.startswith("new: sol is unknown")] == begun[:1]


def test_a_channel_that_does_not_get_through_is_seen_and_owed(botctl: Botctl, ops: Heard) -> None:
    botctl.write("bots/fleet.yaml", FLEET + ALERTS)
    botctl.write(".env", f"HOOK={ops.url}/hook\nBEAT={ops.url}/alive\n")
    (botctl.root / ".env").chmod(0o600)
    ops.answer = 500
    botctl("apply", "--yes")
    assert "ops: it answered 500" in botctl("alerts", "test", code=1)
    until(lambda: botctl.runners())
    for (pid,) in botctl.runners().values():
        os.kill(pid, signal.SIGSTOP)
    until(lambda: "not getting through: ops" in botctl("status"))
    assert "ops does not get through: it answered 500" in botctl("alerts")
    ops.told.clear()
    ops.answer = 200
    until(lambda: any(line.startswith("new: sol is unknown") for line in lines(ops)), patience_s=90)
    for (pid,) in botctl.runners().values():
        os.kill(pid, signal.SIGCONT)
