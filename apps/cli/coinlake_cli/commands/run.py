"""`coinlake run`: the live feeds, loaded and shown, until stopped."""

from __future__ import annotations

import asyncio

from coinlake.settings import Settings
from coinlake_cli.deployment import opened
from coinlake_cli.feeds import NewsOfCaptures
from coinlake_cli.serving import Serving


def run(settings: Settings, *, port: int | None) -> None:
    """Polls, loads and serves the page until Ctrl-C or SIGTERM."""
    news = NewsOfCaptures()
    with opened(settings, kind="live", alone=True, observers=[news]) as deployment:
        asyncio.run(Serving(deployment, news, port=port).until_stopped())
