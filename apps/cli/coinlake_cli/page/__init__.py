"""The local page: feeds, prices, candles, dead letters, batches and health of a deployment, in a browser."""

from coinlake_cli.page.server import Page

__all__ = ["Page"]
