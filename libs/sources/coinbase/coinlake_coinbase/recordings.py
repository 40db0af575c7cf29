"""Where the recorded answers are that ship with this source; `recordings/README.md` says what they are."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "recordings"
"""All of them."""
ERRORS = FOLDER / "errors"
"""Refusals, with their status."""
PRODUCTS = FOLDER / "products"
"""What Coinbase traded, as it was listed."""
