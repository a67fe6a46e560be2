"""A real repository on disk: somebody else's clone of the fleet's files, committed to and fetched from."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

FLEET = """\
id: lab
accounts:
  main: {venue: backpack, environment: testnet, credentials: {api_key: "${KEY}", api_secret: "${SECRET}"}}
venues:
  backpack: {environments: {testnet: {rest_url: "http://127.0.0.1:9", ws_url: "ws://127.0.0.1:9"}}}
"""


def bot(name: str, *, spread_bps: int = 8, market: str = "SOL_USDC") -> str:
    return (
        f"metadata: {{name: {name}}}\nexchange: {{account: main, market: {market}}}\n"
        f"strategy: {{kind: market_maker, spread_bps: {spread_bps}, order_size: 1, "
        "capital: {base: 5, quote: 1000}}\n"
        "process: {stop_timeout_s: 2}\n"
    )


class Repository:
    """Writes files, commits them, and says what the commit is called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    @property
    def url(self) -> str:
        return f"file://{self.folder}"

    def commit(self, files: dict[str, str | None], subject: str = "a change", *options: str) -> str:
        """None removes a file."""
        for name, text in files.items():
            path = self.folder / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", subject, *options)
        return self.git("rev-parse", "HEAD").strip()

    def git(self, *arguments: str) -> str:
        own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(
            ["git", "-c", "user.name=ann", "-c", "user.email=ann@example.invalid", *arguments],
            cwd=self.folder,
            env={**own, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
