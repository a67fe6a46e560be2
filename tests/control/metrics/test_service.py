"""Where metrics cannot be listened for: said, and never the end of who tries again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.control.backends.supervisor import supervisor_backend
from engine.control.fleet import Eyes, View
from engine.control.metrics.service import serve
from engine.errors import Unavailable
from engine.host.workspace import Workspace
from engine.spec.types import MetricsSpec


@pytest.mark.parametrize("host", ["a..b", "x" * 64, "no-such-host.invalid", "1:2"])
def test_an_address_that_is_none_is_unavailable(host: str, tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path)
    fleet = View(workspace=workspace, backend=Eyes(supervisor_backend(workspace)))
    spec = MetricsSpec(host=host, port=9464)
    with pytest.raises(Unavailable, match="cannot listen at"):
        asyncio.run(serve(fleet, lambda: spec, asyncio.Event(), tell=print, is_patient=False))
