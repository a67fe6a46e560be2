"""Drift as JSON, under `schemas/drift.schema.json`; its version grows when a reader would have to change."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.plan.drift.findings import Drift, Finding

VERSION = 1


def drift_document(drift: Drift) -> dict[str, Any]:
    """Plain JSON types."""
    return {
        "version": VERSION,
        "fleet": drift.fleet,
        "generation": drift.generation,
        "looked_at": drift.looked_at,
        "has_drift": bool(drift.findings),
        "is_complete": drift.is_complete,
        "findings": [_finding(one) for one in drift.findings],
        "ignored": [
            {**_finding(one), "ignored": {"who": note.who, "at": note.at, "why": note.why}}
            for one, note in drift.noted
        ],
        "unlooked": msgspec.to_builtins(drift.unlooked),
    }


def _finding(one: Finding) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(one)
    return {"id": one.id, **document}
