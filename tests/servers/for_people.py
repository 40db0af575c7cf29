"""What people start and end by Ctrl-C: how that ends, and what is said where a part is missing."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType

from servers.fetch import Missing


def until_ended(run: Callable[[], object]) -> int:
    """Runs until Ctrl-C or SIGTERM, which is 0; or 1 where a part is missing, which it says."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        run()
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
