"""What the fuzzer starts from reaches every venue's decoders, and does no harm."""

from __future__ import annotations

import subprocess
import sys

from engine.exchanges.registry import venue_names
from tests.fuzz.messages import COMMANDS, FRAME, all_codecs, corpus, deliver


def test_the_corpus_reaches_frames_and_replies_of_every_venue() -> None:
    codecs = all_codecs()
    reached = {(codecs[message[0]][0], message[1] == FRAME) for message in corpus(codecs)}
    assert reached == {(name, is_frame) for name in venue_names() for is_frame in (True, False)}


def test_true_messages_and_scraps_of_them_raise_nothing() -> None:
    codecs = all_codecs()
    for message in (b"", b"\x00", *corpus(codecs)):
        deliver(codecs, message)
        deliver(codecs, message[: len(message) // 2])
    assert len(COMMANDS) == FRAME


def test_without_the_fuzzer_it_says_why_and_ends_well() -> None:
    without = "import sys; sys.modules['atheris'] = None; sys.argv = ['fuzz']"
    program = f"{without}; from tests.fuzz.__main__ import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0 and "skipped, because atheris is not installed" in done.stdout
