"""CoinGecko as a source."""

from pathlib import Path

RECORDINGS = Path(__file__).parent / "recordings"
"""The folder of real recorded answers that ships with this source."""
