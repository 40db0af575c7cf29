"""`coinlake page`: the page alone, where another program captures, as Airflow does."""

from __future__ import annotations

import asyncio

from coinlake.settings import Settings
from coinlake_cli.deployment import opened
from coinlake_cli.feeds import NewsOfCaptures
from coinlake_cli.serving import Serving


def page(settings: Settings, *, port: int | None) -> None:
    """Serves the page until Ctrl-C or SIGTERM, and asks no venue anything."""
    with opened(settings) as deployment:
        asyncio.run(Serving(deployment, NewsOfCaptures(), port=port, polls=False).until_stopped())
