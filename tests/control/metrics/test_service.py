"""Where metrics cannot be listened for: said, and never the end of who tries again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import cli
from engine.control.backends.supervisor import supervisor_backend
from engine.control.fleet import Eyes, View
from engine.control.metrics.service import serve
from engine.errors import Unavailable, UsageError
from engine.host.workspace import Workspace
from engine.spec.types import MetricsSpec


@pytest.mark.parametrize("host", ["a..b", "x" * 64, "no-such-host.invalid", "1:2"])
def test_an_address_that_is_none_is_unavailable(host: str, tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path)
    fleet = View(workspace=workspace, backend=Eyes(supervisor_backend(workspace)))
    spec = MetricsSpec(host=host, port=9464)
    with pytest.raises(Unavailable, match="cannot listen at"):
        asyncio.run(serve(fleet, lambda: spec, asyncio.Event(), tell=print, is_patient=False))


@pytest.mark.parametrize("listen", ["ü..b:9464", "host", "0", "127.0.0.1:99999"])
def test_what_names_no_port_is_wrong_usage(listen: str, tmp_path: Path) -> None:
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "fleet.yaml").touch()
    with pytest.raises(UsageError, match="no port"):
        cli.run(["metrics", "-C", str(tmp_path), "--listen", listen])
