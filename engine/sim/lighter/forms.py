"""The body of a POST as fields: form-encoded as the venue documents it, multipart as some clients send it."""

from __future__ import annotations

import json
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qsl

from engine.exchanges.messages import HttpRequest
from engine.sim.lighter.errors import INVALID_TX, ApiRefusal


def fields(request: HttpRequest) -> dict[str, str]:
    """The fields of a request's body; raises ApiRefusal for one that has none."""
    kind = next((value for name, value in request.headers if name.lower() == "content-type"), "")
    if kind.startswith("multipart/form-data"):
        return _multipart(kind, request.body)
    return dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))


def parsed(text: str) -> Any:
    """JSON that stands in a field."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ApiRefusal(INVALID_TX, more="not JSON") from None


def transaction(value: Any) -> dict[str, Any]:
    """A transaction as text or as an object."""
    info = parsed(value) if isinstance(value, str) else value
    if not isinstance(info, dict):
        raise ApiRefusal(INVALID_TX)
    return info


def number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise ApiRefusal(INVALID_TX, more="not a number") from None


def _multipart(kind: str, body: bytes) -> dict[str, str]:
    message = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    found = {}
    for part in message.walk():
        name, payload = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(payload, bytes):
            found[name] = payload.decode(errors="replace")
    return found
