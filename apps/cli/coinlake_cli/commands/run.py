"""`coinlake run`: the live feeds, loaded and shown, until stopped."""

from __future__ import annotations

import asyncio

from coinlake import telemetry
from coinlake.settings import Settings
from coinlake_cli.deployment import opened
from coinlake_cli.feeds import NewsOfCaptures
from coinlake_cli.serving import Serving
from coinlake_cli.watching import watchers


def run(settings: Settings, *, port: int | None) -> None:
    """Polls, loads and serves the page until Ctrl-C or SIGTERM."""
    news = NewsOfCaptures()
    with (
        opened(settings, kind="live", alone=True, observers=[news]) as deployment,
        telemetry.watching(*watchers(deployment)),
    ):
        asyncio.run(Serving(deployment, news, port=port).until_stopped())
