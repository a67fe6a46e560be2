"""`make fuzz`: the venues' decoders fuzzed for as long as one likes, led by coverage.

Needs atheris, which has wheels for some systems only; where it is missing this says so and ends well. It starts
from the golden payloads. A crash ends the run with the offender's bytes in a file under reports/; give that file as
an argument to see it again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from hashlib import sha256
from importlib import import_module
from pathlib import Path


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    options.add_argument("--seconds", type=int, default=60)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("files", nargs="*", help="messages to look at again, instead of fuzzing")
    chosen = options.parse_args()
    try:
        atheris = import_module("atheris")  # No dependency of ours: not every system has it.
    except ImportError:
        print("fuzz: skipped, because atheris is not installed: it has no wheel for this system or Python")
        return 0
    with atheris.instrument_imports(include=["engine.exchanges"]):
        from tests.fuzz.messages import all_codecs, corpus, deliver

        codecs = all_codecs()
    reports = Path(__file__).parents[2] / "reports"
    reports.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="botctl-fuzz-") as folder:
        for message in corpus(codecs):
            (Path(folder) / sha256(message).hexdigest()[:16]).write_bytes(message)
        limits = [f"-max_total_time={chosen.seconds}", f"-seed={chosen.seed}", "-timeout=10", "-rss_limit_mb=2048"]
        limits.append(f"-artifact_prefix={reports}/")
        where = chosen.files or [folder, *limits]
        atheris.Setup([sys.argv[0], *where], lambda data: deliver(codecs, data))
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
