"""Three ways from the same topic, in one session of Spark: ours, Spark's own, and decoding into nothing.

Run as a program by `streaming`: reads from stdin which way to go, a line each, and answers with the seconds
that it took. One more way, "empty", answers with the seconds of a batch in which there is nothing to do.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import msgspec
import pyarrow as pa
from psycopg.conninfo import conninfo_to_dict
from pyspark.sql import DataFrame, SparkSession  # pants: no-infer-dep
from pyspark.sql import functions as F  # pants: no-infer-dep

from benchmarks.manners import mind
from benchmarks.refining import coin
from coinlake.model import AMOUNTS
from coinlake.settings import Settings, load
from coinlake_bus.kafka import Bus
from coinlake_coingecko.decode import MARKETS
from coinlake_spark.kafka_source import source_options
from coinlake_spark.loading import Loading
from coinlake_spark.parts import warehouse_dsn
from coinlake_spark.session import open_session
from coinlake_warehouse.connection import connect

_LOOK_AGAIN_S = 0.02
_AMOUNTS = [(name, MARKETS.keys[name]) for name in AMOUNTS]
"""Each amount by our name and by its key in the JSON."""
_COIN = ["id string", "symbol string", "name string", "market_cap_rank int", "last_updated timestamp"]
_ROWS = f"array<struct<{', '.join([*_COIN, *(f'{key} double' for _, key in _AMOUNTS)])}>>"
_NAIVE = ["'coingecko' AS source", "id AS asset", "'usd' AS quote_currency", "'live' AS granularity"]
_NAIVE += ["last_updated AS as_of", "symbol", "name", *(f"{key} AS {name}" for name, key in _AMOUNTS)]
_NAIVE += ["market_cap_rank AS rank"]


class Ways:
    """Each way reads the whole topic from its first message on, and returns when all of it is done."""

    def __init__(self, spark: SparkSession, settings: Settings, folder: Path) -> None:
        self._spark = spark
        self._folder = folder
        offsets = Bus(settings.bus).offsets()
        self._messages = sum(len(held) for held in offsets.values())
        self.batch_s = 0.0
        """What a batch of the last way took, in Spark's own words; not known of ours."""
        self._source = source_options(settings, {number: held.start for number, held in offsets.items()})

    def ours(self, config: str) -> None:
        """The program's own loading by these settings, until every capture is in their warehouse."""
        settings = load(Path(config))
        stop = threading.Event()
        watch = threading.Thread(target=_stop_when_loaded, args=(settings, self._messages, stop))
        watch.start()
        Loading(self._spark, settings, Path(config)).run(stop)
        watch.join()

    def jdbc(self, dsn: str) -> None:
        """`from_json` to doubles, and Spark's JDBC sink, which appends."""
        server = conninfo_to_dict(dsn)
        url = f"jdbc:postgresql://{server['host']}:{server['port']}/{server['dbname']}"
        login = {"user": str(server["user"]), "password": str(server["password"])}

        properties = {**login, "driver": "org.postgresql.Driver"}

        def append(messages: DataFrame, _: int) -> None:
            coins = messages.select(F.from_json(F.col("value").cast("string"), _ROWS).alias("coins"))
            rows = coins.select(F.explode("coins").alias("coin")).select("coin.*").selectExpr(*_NAIVE)
            rows.write.mode("append").jdbc(url, "naive", properties=properties)

        self._stream("value", append)

    def bare(self, _: str) -> None:
        """`mapInArrow` with nothing but msgspec, which makes structs of decimals, into nothing."""

        def count(messages: DataFrame, _: int) -> None:
            messages.mapInArrow(_decoded, "rows long").write.format("noop").mode("overwrite").save()

        self._stream("value", count)

    def empty(self, _: str) -> None:
        """Batches of one message, of which a worker says that it was there."""

        def look(messages: DataFrame, _: int) -> None:
            messages.mapInArrow(_counted, "rows long").collect()

        self._stream("value", look)

    def _stream(self, column: str, each: Callable[[DataFrame, int], None]) -> None:
        reader = self._spark.readStream.format("kafka").options(**self._source)
        checkpoint = self._folder / f"checkpoint-{time.monotonic_ns()}"
        query = reader.load().select(column).writeStream.foreachBatch(each)
        query = query.option("checkpointLocation", str(checkpoint)).trigger(availableNow=True)
        running = query.start()
        running.awaitTermination()
        took = (
            one["durationMs"]["triggerExecution"] for one in running.recentProgress if one["numInputRows"]
        )
        self.batch_s = median(took) / 1000


def _decoded(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    decode = msgspec.json.Decoder(list[coin()]).decode  # type: ignore[misc]
    for batch in batches:
        rows = sum(len(decode(value.as_buffer())) for value in batch.column("value"))
        yield pa.RecordBatch.from_pydict({"rows": [rows]})


def _counted(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield pa.RecordBatch.from_pydict({"rows": [batch.num_rows]})


def _stop_when_loaded(settings: Settings, captures: int, stop: threading.Event) -> None:
    with connect(warehouse_dsn(settings), "benchmark") as session:
        while session.execute("SELECT count(*) FROM loaded_captures").fetchone() != (captures,):
            time.sleep(_LOOK_AGAIN_S)
    stop.set()


def main() -> None:
    """`in_spark CONFIG FOLDER`."""
    mind()
    config, folder = map(Path, sys.argv[1:])
    settings = load(config)
    spark = open_session(settings.spark)
    ways = Ways(spark, settings, folder)
    print("ready", flush=True)
    for line in sys.stdin:
        way, _, argument = line.strip().partition(" ")
        began = time.perf_counter()
        getattr(ways, way)(argument)
        print(ways.batch_s if way == "empty" else time.perf_counter() - began, flush=True)
    spark.stop()


if __name__ == "__main__":
    main()
