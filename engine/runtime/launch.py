"""The script `botctl-engine`: loads the engine, then lets it run.

msgspec takes from typing_extensions what Pythons before ours lacked, and does without where it is not installed.
Loading makes thousands of objects that live as long as the process. The collector looks at them again and again
while they are made, and would in every full collection afterwards, so it rests first and then leaves them out.
"""

from __future__ import annotations

import gc
import sys

from engine.transport.without import without


def main() -> int:
    """As `engine.runtime.main.main`."""
    gc.disable()
    with without("typing_extensions"):
        import msgspec  # noqa: F401  # loaded here for all who import it later
    from engine.runtime.main import main as run

    gc.freeze()
    gc.enable()
    return run()


if __name__ == "__main__":
    sys.exit(main())
