"""A program in Spark that says by which plan a batch is staged, and in how many tasks."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from coinlake.settings import load
from coinlake_bus.kafka import Bus
from coinlake_spark.kafka_source import source_options
from coinlake_spark.loading import staged
from coinlake_spark.session import open_session, spoken_for
from coinlake_spark.task import MESSAGE, Task


def main(config: Path) -> None:
    """Prints both as JSON, of all messages of the topic as one batch."""
    settings = load(config)
    offsets = Bus(settings.bus).offsets()
    options = source_options(settings, {number: held.start for number, held in offsets.items()})
    spark = open_session(settings.spark)
    with spoken_for(spark):
        messages = spark.read.format("kafka").options(**options).load().select(*MESSAGE)
        batch = staged(messages, Task(config))
        plan = batch._jdf.queryExecution().executedPlan().toString()
        print(json.dumps({"plan": plan, "tasks": batch.rdd.getNumPartitions()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
