"""The `coinlake-producer` program: publishes the captures of the lake in MongoDB to Kafka, until stopped.

Exit codes are those of `coinlake`: 0 stopped as asked, 3 a setting, right or topic needs a person, 4 MongoDB
was away at the start.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from coinlake import telemetry
from coinlake.clock import SystemClock
from coinlake.errors import FixConfiguration
from coinlake.settings import Settings, load
from coinlake.telemetry.logs import log_to_stderr
from coinlake_lake.mongo import MongoLake
from coinlake_lake.mongo_positions import MongoPositions
from coinlake_producer.serving import exit_code_of, publish_until_told
from coinlake_producer.watching import lag


def main() -> None:
    """Runs the program and exits."""
    parser = argparse.ArgumentParser("coinlake-producer", description="Publish the lake's captures to Kafka.")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="settings; else ./coinlake.toml if there is one"
    )
    file = parser.parse_args().config
    log_to_stderr()
    with telemetry.running("coinlake-producer"):
        code = exit_code_of(lambda: publish(load(file)))
    sys.exit(code)


def publish(settings: Settings) -> None:
    """Publishes from the lake to the topic of the settings, until told to stop."""
    log_to_stderr(form=settings.telemetry.logs)
    url = settings.lake.url
    if settings.profile != "distributed" or url is None:
        raise FixConfiguration(
            'The producer is a part of the distributed profile: set profile = "distributed", lake.url '
            "(or COINLAKE_LAKE__URL) and [bus]."
        )
    with (
        MongoLake(url) as lake,
        MongoPositions(url, lake.id, settings.bus.topic) as positions,
        telemetry.watching(partial(lag, lake, positions, SystemClock())),
    ):
        publish_until_told(lake, positions, settings.bus, wait=lake.wait)


if __name__ == "__main__":
    main()
