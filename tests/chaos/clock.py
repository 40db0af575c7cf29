"""A clock that can be set while programs look at it: libfaketime between them and the kernel's.

Only the time of day is set. The clock that measures intervals goes on evenly, as it does when an
administrator or a time server sets the machine's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

_LIBRARY = "faketime/libfaketimeMT.so.1"
_PLACES = ("/usr/lib", "/usr/local/lib", "/lib")


class SteppedClock:
    """The clock of all programs that are started with `environment`. Skips, and under CI fails, without
    libfaketime."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self._library = _library()
        self.set(timedelta(0))

    @property
    def environment(self) -> Mapping[str, str]:
        """What makes a program look at this clock."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, ahead: timedelta) -> None:
        """From now on it is so far ahead of the machine's; a negative one is behind."""
        draft = self._file.with_suffix(".draft")
        draft.write_text(f"{ahead.total_seconds():+.0f}", encoding="ascii")
        draft.rename(self._file)


def _library() -> Path:
    found = [path for place in _PLACES for path in Path(place).glob(f"**/{_LIBRARY}")]
    if found:
        return found[0]
    reason = "There is no libfaketime, which sets the clock: `apt-get install libfaketime` (Debian)."
    if "CI" in os.environ:
        pytest.fail(reason)
    pytest.skip(reason)
