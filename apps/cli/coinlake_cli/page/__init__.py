"""The local page: feeds, prices, candles, dead letters and batches of one deployment, in a browser."""

from coinlake_cli.page.server import Page

__all__ = ["Page"]
