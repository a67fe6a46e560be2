"""What Backpack answers, and what it must be taken for. The cases are in `replies.json`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from engine.errors import AuthenticationFailed, VenueError
from engine.exchanges.messages import HttpResponse
from engine.model.commands import QueryFills, QueryOrderHistory
from engine.model.events import FillsReported, OrderHistoryReported
from tests.wire.backpack.support import (
    AT_NS,
    CODECS,
    COMMANDS,
    REQUESTED_NS,
    SINCE_NS,
    cases,
    outcome_of_reply,
    reply,
)

CASES = cases("replies.json")
CODES = cases("codes.json")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['leg']}: {case['name']}")
def test_an_answer_becomes_what_its_case_says(case: dict[str, Any]) -> None:
    expected = {key: case[key] for key in ("events", "raises") if key in case}
    assert outcome_of_reply(case) == expected


@pytest.mark.parametrize("case", [case for case in CASES if "raises" in case], ids=lambda case: case["name"])
def test_an_error_keeps_the_venues_words(case: dict[str, Any]) -> None:
    with pytest.raises(VenueError) as caught:
        CODECS[case["leg"]].decode_reply(
            COMMANDS[case["command"]], reply(case), requested_ns=REQUESTED_NS, at_ns=AT_NS
        )
    words = case.get("text") or case.get("body", {}).get("message", "")
    assert words in caught.value.venue_words


@pytest.mark.parametrize("row", CODES, ids=lambda row: row["code"])
@pytest.mark.parametrize("command", ["submit", "cancel"])
def test_every_documented_code_settles_a_submit_or_cancel_or_raises(row: dict[str, str], command: str) -> None:
    case = {"leg": "perp", "command": command, "status": 400, "body": {"code": row["code"], "message": "words"}}
    outcome = outcome_of_reply(case)
    if "raises" in outcome:
        assert outcome["raises"] == row[command]
        return
    (settled,) = outcome["events"]
    assert settled["type"] == {"submit": "SubmitRejected", "cancel": "CancelRejected"}[command]
    assert (settled["reason"], settled["venue_words"]) == (row[command], f"{row['code']}: words")


def zoneless(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds")


def history_row(created: datetime, number: int) -> dict[str, Any]:
    return {
        "orderType": "Limit",
        "id": str(number),
        "clientId": number,
        "symbol": "SOL_USDC_PERP",
        "side": "Bid",
        "quantity": "1",
        "executedQuantity": "0",
        "price": "20",
        "status": "Cancelled",
        "createdAt": zoneless(created),
    }


def fill_row(at: datetime, number: int) -> dict[str, Any]:
    return {
        "clientId": None,
        "fee": "0",
        "feeSymbol": "USDC",
        "isMaker": True,
        "orderId": "1",
        "price": "20",
        "quantity": "1",
        "side": "Bid",
        "symbol": "SOL_USDC_PERP",
        "timestamp": zoneless(at),
        "tradeId": number,
    }


NEWEST = datetime(2025, 7, 27, 17, 39, tzinfo=UTC)


@pytest.mark.parametrize(("row", "query"), [(history_row, "query_order_history"), (fill_row, "query_fills")])
@pytest.mark.parametrize("rows", [0, 1, 999, 1000])
def test_a_full_page_is_complete_only_after_its_oldest_row(row: Any, query: str, rows: int) -> None:
    command = COMMANDS[query]
    assert isinstance(command, QueryFills | QueryOrderHistory)
    page = [row(NEWEST - timedelta(milliseconds=number), number) for number in range(rows)]
    response = HttpResponse(status=200, body=msgspec.json.encode(page))
    (event,) = CODECS["perp"].decode_reply(command, response, requested_ns=REQUESTED_NS, at_ns=AT_NS)
    assert isinstance(event, FillsReported | OrderHistoryReported)
    oldest_ns = int(NEWEST.timestamp()) * 1_000_000_000 - 999_000_000
    assert event.since_ns == (SINCE_NS if rows < 1000 else oldest_ns + 1_000_000)


def test_an_authentication_error_names_no_secret() -> None:
    response = HttpResponse(status=401, body=b'{"code":"UNAUTHORIZED","message":"Unauthorized"}')
    with pytest.raises(AuthenticationFailed) as caught:
        CODECS["perp"].decode_reply(COMMANDS["submit"], response, requested_ns=REQUESTED_NS, at_ns=AT_NS)
    assert caught.value.hint is not None
    assert "api_secret belongs" in caught.value.hint
