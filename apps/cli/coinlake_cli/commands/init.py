"""`coinlake lake init` and `coinlake bus init`: the servers of the distributed profile, made ready."""

from __future__ import annotations

from coinlake.settings import Settings
from coinlake_bus.kafka import Bus
from coinlake_cli.distributed import lake_url
from coinlake_cli.output import Output, Table
from coinlake_lake.mongo_setup import set_up


def lake_init(settings: Settings, output: Output) -> None:
    """Makes the lake in MongoDB, or completes it, and shows what was done."""
    _show(output, "Lake", set_up(lake_url(settings)) or ["The lake is as it should be."])


def bus_init(settings: Settings, output: Output) -> None:
    """Makes the topic in Kafka, or sets it to the settings, and shows what was done and what differs."""
    _show(output, "Bus", Bus(settings.bus).init())


def _show(output: Output, title: str, said: list[str]) -> None:
    output.show(said, Table(title, ("done",), [(line,) for line in said]))
