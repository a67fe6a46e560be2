"""The page on monitoring names every metric and none that is not there, and its rules are rules."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from engine.control.metrics.families import families
from tests.control.metrics.snapshots import snapshot

PAGE = (Path(__file__).parents[2] / "docs" / "guides" / "monitoring.md").read_text(encoding="utf-8")
NAMES = {f"{family.name}_total" if family.type == "counter" else family.name for family in families(snapshot())} - {
    "botctl"
}  # An info is called after what it tells of: botctl_info.


def test_every_metric_is_explained() -> None:
    assert {name for name in NAMES if f"`{name}`" not in PAGE} == set()


def test_no_metric_is_made_up() -> None:
    assert set(re.findall(r"\bbotctl_[a-z_]+[a-z]", PAGE)) - NAMES == {"botctl_info", "botctl_leg_"[:-1]}


def test_prometheus_takes_the_rules(tmp_path: Path) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not here: apt-get install prometheus")
    (rules,) = re.findall(r"```yaml\n(groups:.*?)```", PAGE, re.DOTALL)
    (tmp_path / "rules.yml").write_text(rules)
    done = subprocess.run(
        ["promtool", "check", "rules", tmp_path / "rules.yml"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, "6 rules found" in done.stdout) == (0, True), done.stdout + done.stderr
