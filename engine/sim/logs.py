"""The simulator's own log: JSON lines in `.botctl/logs/sim-<venue>.jsonl`, shown by `botctl logs sim-<venue>`."""

from __future__ import annotations

import json
import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from engine.clock import NS_PER_S, iso_utc

LARGEST_LOG = 2_000_000
OLD_LOGS = 2


class JsonLine(logging.Formatter):
    """Constant message, facts beside it (`extra={"facts": …}`)."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": iso_utc(int(record.created * NS_PER_S)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def log_to(path: Path) -> None:
    """Send everything from now on to a file; older than two files of its size is thrown away."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=LARGEST_LOG, backupCount=OLD_LOGS, encoding="utf-8")
    handler.setFormatter(JsonLine())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
