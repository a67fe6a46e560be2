"""The script `botctl-engine`: loads the engine, then lets it run.

Loading makes thousands of objects that live as long as the process. The collector looks at them again and again
while they are made, and would in every full collection afterwards, so it rests first and then leaves them out.
"""

from __future__ import annotations

import gc
import sys


def main() -> int:
    """As `engine.runtime.main.main`."""
    gc.disable()
    from engine.runtime.main import main as run

    gc.freeze()
    gc.enable()
    return run()


if __name__ == "__main__":
    sys.exit(main())
