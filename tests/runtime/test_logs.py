from __future__ import annotations

import gzip
import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.runtime import logs
from engine.runtime.logs import JsonLines, set_level, start_log

log = logging.getLogger("engine.test")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "maker.jsonl"


@pytest.fixture
def handler(file: Path) -> Iterator[JsonLines]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    handler = JsonLines(file, beside=lambda work: work())
    start_log(handler, "info")
    yield handler
    handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("engine").setLevel(logging.NOTSET)


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_line_has_a_constant_message_and_its_facts(file: Path, handler: JsonLines) -> None:
    log.info("order sent", extra={"facts": {"order": 7, "leg": "main"}})
    (line,) = lines(file)
    assert {key: line[key] for key in ("level", "logger", "message", "order", "leg")} == {
        "level": "info",
        "logger": "engine.test",
        "message": "order sent",
        "order": 7,
        "leg": "main",
    }
    assert str(line["at"]).endswith("Z")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_libraries_complain_about_is_in_the_log_and_not_on_stderr(
    file: Path, handler: JsonLines, capfd: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("asyncio").error("task exception was never retrieved")
    logging.getLogger("websockets").info("chatter")
    assert [line["logger"] for line in lines(file)] == ["asyncio"]
    assert capfd.readouterr() == ("", "")


def test_the_level_can_change_while_the_bot_runs(file: Path, handler: JsonLines) -> None:
    log.debug("before")
    set_level("debug")
    log.debug("after")
    assert [line["message"] for line in lines(file)] == ["after"]


def test_no_secret_reaches_the_file_however_it_gets_into_a_line(file: Path, handler: JsonLines) -> None:
    handler.hide(["hunter2/+=", 'quo"ted-secret', "no"])
    log.info("said %s", "hunter2/+=", extra={"facts": {"why": 'it was quo"ted-secret', "answer": "no"}})
    try:
        raise ValueError("bad key hunter2/+=")
    except ValueError:
        log.exception("failed")
    text = file.read_text()
    assert "hunter2" not in text
    assert "ted-secret" not in text
    assert lines(file)[0]["answer"] == "no"


def test_a_crash_is_logged_with_its_traceback(file: Path, handler: JsonLines) -> None:
    try:
        raise ValueError("boom")
    except ValueError:
        log.exception("failed")
    assert "ValueError: boom" in str(lines(file)[0]["traceback"])


def test_no_line_is_lost_at_rotation_and_old_files_are_packed_and_bounded(
    file: Path, handler: JsonLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "ROTATE_BYTES", 2_000)
    monkeypatch.setattr(logs, "OLD_FILES_KEPT", 3)
    for number in range(200):
        log.info("said", extra={"facts": {"number": number}})
    old = sorted((file.parent / "old" / "maker").iterdir())
    assert len(old) == 3
    assert all(each.name.endswith(".jsonl.gz") for each in old)
    kept = [json.loads(line) for each in old for line in gzip.decompress(each.read_bytes()).splitlines()] + lines(
        file
    )
    numbers = [line["number"] for line in kept]
    assert numbers == list(range(numbers[0], 200))


def test_old_files_that_could_not_be_packed_are_bounded_too(
    file: Path, handler: JsonLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a disk that is full for days, or where the process is killed while it packs."""
    monkeypatch.setattr(logs, "ROTATE_BYTES", 2_000)
    monkeypatch.setattr(logs, "OLD_FILES_KEPT", 3)
    folder = file.parent / "old" / "maker"
    folder.mkdir(parents=True)
    for number in range(10):
        (folder / f"{number}.jsonl").write_text("{}")
    for number in range(50):
        log.info("said", extra={"facts": {"number": number}})
    assert len(list(folder.iterdir())) == 3


def test_rotating_one_bot_s_log_leaves_another_s_alone(
    tmp_path: Path, file: Path, handler: JsonLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    neighbour = file.parent / "maker-two.jsonl"
    neighbour.write_text("{}\n")
    monkeypatch.setattr(logs, "ROTATE_BYTES", 100)
    for number in range(50):
        log.info("said", extra={"facts": {"number": number}})
    assert neighbour.exists()


def test_a_full_disk_does_not_stop_the_bot_that_logs(handler: JsonLines) -> None:
    class Full:
        closed = False

        def write(self, _text: str) -> None:
            raise OSError("no space left on device")

        def close(self) -> None: ...

    handler._file.close()
    handler._file = Full()  # type: ignore[assignment] # a file on a full disk
    log.info("said")


def test_a_rotation_that_a_full_disk_refuses_costs_lines_and_nothing_else(
    file: Path, handler: JsonLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(logs, "ROTATE_BYTES", 1)
    with monkeypatch.context() as disk:
        disk.setattr(Path, "rename", full)
        disk.setattr(Path, "open", full)
        log.info("the one that is rotated away")
        log.info("lost")
    log.info("there is room again")
    assert lines(file) == [] or lines(file)[-1]["message"] == "there is room again"


def test_a_line_that_a_full_disk_still_refuses_at_the_end_stops_nothing(handler: JsonLines) -> None:
    class Full:
        closed = False

        def close(self) -> None:
            raise OSError(28, "No space left on device")

    handler._file.close()
    handler._file = Full()  # type: ignore[assignment] # a file on a full disk
    handler.close()
