from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from engine.errors import BotctlError, Refused, Unavailable
from engine.host.control_client import call
from engine.runtime.control import LINE_LIMIT, control_socket


async def echo(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"heard": dict(arguments)}


async def refuse(_arguments: Mapping[str, Any]) -> dict[str, Any]:
    raise Refused("not now", hint="later")


async def stumble(_arguments: Mapping[str, Any]) -> dict[str, Any]:
    raise ZeroDivisionError


VERBS = {"echo": echo, "refuse": refuse, "stumble": stumble}


def converse(*lines: bytes) -> list[dict[str, Any]]:
    """Send lines over one connection to a bot; its replies until it has answered all or hung up."""

    async def run() -> list[dict[str, Any]]:
        with TemporaryDirectory(prefix="bc-", dir="/tmp") as directory:
            path = Path(directory) / "bot.sock"
            async with control_socket(path, VERBS):
                reader, writer = await asyncio.open_unix_connection(str(path))
                writer.write(b"".join(lines))
                writer.write_eof()
                replies = (await asyncio.wait_for(reader.read(), 10)).splitlines()
                writer.close()
                return [json.loads(reply) for reply in replies]

    return asyncio.run(run())


def request(verb: str, **arguments: object) -> bytes:
    return json.dumps({"verb": verb, "arguments": arguments}).encode() + b"\n"


def test_one_connection_may_ask_many_things_in_a_row() -> None:
    assert converse(request("echo", a=1), request("echo", b=2)) == [{"heard": {"a": 1}}, {"heard": {"b": 2}}]


def test_arguments_may_be_left_out() -> None:
    assert converse(b'{"verb": "echo"}\n') == [{"heard": {}}]


def test_a_refusal_keeps_its_words_and_hint() -> None:
    assert converse(request("refuse")) == [{"error": "not now", "hint": "later"}]


@pytest.mark.parametrize(
    "garbage",
    [b"\n", b"{\n", b"\xff\xfe\n", b"[]\n", b'"x"\n', b"{}\n", b'{"verb": []}\n', b'{"verb": "nope"}\n',
     b'{"verb": "echo", "arguments": 7}\n', b"[" * 50_000 + b"\n"],
)  # fmt: skip
def test_garbage_gets_an_error_and_the_connection_goes_on(garbage: bytes) -> None:
    first, second = converse(garbage, request("echo", a=1))
    assert "error" in first
    assert second == {"heard": {"a": 1}}


def test_a_line_without_end_is_cut_off_with_an_error() -> None:
    assert converse(b"x" * (LINE_LIMIT * 3)) == [{"error": f"a line may have at most {LINE_LIMIT} bytes"}]


def test_a_mistake_in_a_verb_is_an_error_reply_and_not_the_end() -> None:
    first, second = converse(request("stumble"), request("echo"))
    assert "its log has the traceback" in first["error"]
    assert second == {"heard": {}}


def test_the_socket_is_private_replaces_a_dead_one_and_disappears_at_the_end() -> None:
    async def run() -> None:
        with TemporaryDirectory(prefix="bc-", dir="/tmp") as directory:
            path = Path(directory) / "bot.sock"
            path.write_text("left by a killed process")
            async with control_socket(path, VERBS):
                assert stat.S_IMODE(path.stat().st_mode) == 0o600
                assert await asyncio.to_thread(call, path, "echo", {"a": 1}) == {"heard": {"a": 1}}
                with pytest.raises(BotctlError, match="not now"):
                    await asyncio.to_thread(call, path, "refuse")
            assert not path.exists()
            with pytest.raises(Unavailable):
                await asyncio.to_thread(call, path, "echo")

    asyncio.run(run())
