"""A server on loopback that writes down what it is told, as services do that people are told by."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Heard:
    """A server on loopback and what it was told. `answer` is the status it gives."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.asked: list[str] = []
        self.answer = 201

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler) -> None:
                self.asked.append(handler.path)
                handler.send_response(self.answer)
                handler.send_header("Content-Length", "0")
                handler.end_headers()

            def do_POST(handler) -> None:
                body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
                self.told.append((handler.path, dict(handler.headers), body))
                handler.send_response(self.answer)
                handler.send_header("Content-Length", "0")
                handler.end_headers()

            def log_message(handler, format: str, *arguments: object) -> None:
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def listening() -> Iterator[Heard]:
    heard = Heard()
    with heard.server:
        threading.Thread(target=heard.server.serve_forever, daemon=True).start()
        yield heard
        heard.server.shutdown()
