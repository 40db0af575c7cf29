"""Where the recorded answers are that ship with this source; `recordings/README.md` says what they are."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "recordings"
"""All of them."""
DAILY = FOLDER / "coins_markets" / "daily_series"
"""Sixty days of the top 100, one page each: what the demo replays."""
ERRORS = FOLDER / "errors"
"""Refusals, most with status and headers."""
