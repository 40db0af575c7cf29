"""Whether a program does its work: nothing is left to do, or what was done grows while one looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from coinlake.errors import CoinlakeError

PATIENCE_S = 20.0
"""How long to look. A step of any program is shorter while its servers are well."""

_LOOK_AGAIN_S = 0.5
_WELL, _NOT_WELL = 0, 1


def progresses(done: Callable[[], object], left: Callable[[], int], patience_s: float = PATIENCE_S) -> bool:
    """True as soon as nothing is `left` or `done` changes; False when neither comes in `patience_s`."""
    end = time.monotonic() + patience_s
    at_first = done()
    while left():
        if done() != at_first:
            return True
        if time.monotonic() > end:
            return False
        time.sleep(_LOOK_AGAIN_S)
    return True


def report(trouble: Callable[[], str | None]) -> None:
    """Ends as the check of a container's health does: 0, or 1 and one line on what is wrong."""
    try:
        said = trouble()
    except CoinlakeError as error:
        said = str(error)
    if said is not None:
        print(said)
    sys.exit(_WELL if said is None else _NOT_WELL)
