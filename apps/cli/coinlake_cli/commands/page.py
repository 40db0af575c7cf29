"""`coinlake page`: the page alone, where another program captures, as Airflow does."""

from __future__ import annotations

import asyncio

from coinlake import telemetry
from coinlake.settings import Settings
from coinlake_cli.deployment import opened
from coinlake_cli.feeds import NewsOfCaptures
from coinlake_cli.serving import Serving
from coinlake_cli.watching import watchers


def page(settings: Settings, *, port: int | None) -> None:
    """Serves the page until Ctrl-C or SIGTERM, tells of the deployment, and asks no venue anything."""
    with opened(settings) as deployment, telemetry.watching(*watchers(deployment)):
        asyncio.run(Serving(deployment, NewsOfCaptures(), port=port, polls=False).until_stopped())
