"""Where the recorded answers are that ship with this source; `recordings/README.md` says what they are."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "recordings"
"""All of them."""
ERRORS = FOLDER / "errors"
"""Refusals, with their status."""
SYMBOLS = FOLDER / "symbols.tsv"
"""Symbol, base and quote asset of every symbol of three recorded `exchangeInfo` answers."""
