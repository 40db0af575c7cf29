"""What driver and tasks make of the settings, each in its own process."""

from __future__ import annotations

from contextlib import suppress

from coinlake import assets, refining
from coinlake import plugins as plugin_loading
from coinlake.errors import FixConfiguration, TryAgain
from coinlake.settings import Settings
from coinlake_bus.kafka import Bus
from coinlake_warehouse.preparing import prepare

BUILT_IN = (
    "coinlake_binance.plugin",
    "coinlake_coinbase.plugin",
    "coinlake_coingecko.plugin",
    "coinlake_refine.plugin",
)
"""Modules of the plugins that ship with Coinlake."""


def warehouse_dsn(settings: Settings) -> str:
    """Where the warehouse is. It holds a password: never in a message."""
    if settings.warehouse.dsn is None:
        raise FixConfiguration(
            "warehouse.dsn: Spark loads a PostgreSQL of your own; set it to "
            "postgresql://login:password@host:port/database, in the environment: COINLAKE_WAREHOUSE__DSN."
        )
    return settings.warehouse.dsn.get_secret_value()


def refinery(settings: Settings) -> refining.Refinery:
    """The decoders and steps of the settings: the same that the embedded program has."""
    plugins = plugin_loading.load([*BUILT_IN, *settings.plugins])
    sources = {name: plugins.make_source(name, given) for name, given in settings.sources.items()}
    return refining.refinery_of(plugins, sources, settings.refine.steps)


def check_bus(settings: Settings) -> None:
    """Raises `FixConfiguration` where Kafka refuses us: before Spark takes its time to start."""
    with suppress(TryAgain):  # away: that is waited for
        Bus(settings.bus).topic(to="read")


def prepare_warehouse(settings: Settings) -> None:
    """Brings the warehouse's schema and map of assets to what this program has."""
    prepare(warehouse_dsn(settings), assets.load(settings.assets))
