"""A clock that can be set while the Spark program looks at it.

Only the time of day is set. The clock that measures intervals goes on evenly, as it does when a person or a
time server sets the machine's. Between the kernel's clock and Java and the workers stands libfaketime; with
Kafka's client for C it cannot be used (it takes the clock of its waits for the other one), so in the driver
`SystemClock` is set instead. `python -m chaos.clock MODULE` runs a program so.
"""

from __future__ import annotations

import os
import runpy
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coinlake.clock import SystemClock

_SET_BY = "CHAOS_CLOCK"
_LIBRARY = "CHAOS_CLOCK_LIBRARY"


class SteppedClock:
    """The clock of programs that run by this module with `environment`. Skips, and under CI fails, without
    libfaketime."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self._library = _library()
        self.set(timedelta(0))

    @property
    def environment(self) -> dict[str, str]:
        """What makes a program look at this clock."""
        return {_SET_BY: str(self._file), _LIBRARY: str(self._library)}

    def set(self, ahead: timedelta) -> None:
        """From now on it is so far ahead of the machine's; a negative one is behind."""
        draft = self._file.with_suffix(".draft")
        draft.write_text(f"{ahead.total_seconds():+.0f}", encoding="ascii")
        draft.rename(self._file)


def _library() -> Path:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if found:
        return found[0]
    reason = "There is no libfaketime, which sets the clock: `apt-get install libfaketime` (Debian)."
    if "CI" in os.environ:
        pytest.fail(reason)
    pytest.skip(reason)


def _now(_: SystemClock) -> datetime:
    ahead_s = int(Path(os.environ[_SET_BY]).read_text(encoding="ascii"))
    return datetime.now(UTC) + timedelta(seconds=ahead_s)


if __name__ == "__main__":
    SystemClock.now = _now  # type: ignore[assignment, method-assign]
    os.environ |= {  # of the processes that it starts
        "LD_PRELOAD": os.environ[_LIBRARY],
        "FAKETIME_TIMESTAMP_FILE": os.environ[_SET_BY],
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # else timed waits of Java return at once
    }
    runpy.run_module(sys.argv.pop(1), run_name="__main__")
