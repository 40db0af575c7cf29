"""The stream: from the offsets in the warehouse on, batch after batch, until it is told to stop.

Order of commits: see `coinlake_warehouse.closing`. Spark's checkpoint is scratch: each start makes a new one,
and begins at the warehouse's offsets, or at the earliest message of a partition of which it has none. So it
is the same whether a checkpoint was lost, or is older than the warehouse, or newer. Newer it often is: Spark
counts a batch as done when it is staged, and it is closed while the next one is staged.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import structlog
from opentelemetry.trace import Span, use_span

from coinlake.clock import Clock, SystemClock
from coinlake.errors import CoinlakeError, FixConfiguration, TryAgain
from coinlake.settings import Settings
from coinlake.telemetry import batches, metrics, tracing
from coinlake.warehouse import Loaded
from coinlake_bus.kafka import Bus
from coinlake_spark.behind import Behind
from coinlake_spark.kafka_source import source_options
from coinlake_spark.parts import warehouse_dsn
from coinlake_spark.task import LINE, MESSAGE, Task
from coinlake_warehouse.attempts import Attempt
from coinlake_warehouse.closing import BusLoader, Stretch, Topic
from coinlake_warehouse.sides import SIDES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession  # pants: no-infer-dep

_PAUSES_S = (0.5, 1, 2, 5, 10, 30)
"""Pauses between tries while something is away; the last one repeats."""
_STOP_S = 5.0
_LOOK_AGAIN_S = 0.02
_EARLIEST = -2
"""What Spark calls the first message there is."""
_CAUSE = "Caused by: "
_SPARK = {"coinlake.engine": "spark", "messaging.system": "kafka", "messaging.operation.name": "poll"}

log = structlog.get_logger("coinlake.spark")


class Loading:
    """Loads from the bus of the settings until `stop`; a batch begun is finished first."""

    def __init__(
        self, spark: SparkSession, settings: Settings, config: Path | None, clock: Clock | None = None
    ) -> None:
        self._spark = spark
        self._settings = settings
        self._config = config
        self._clock = clock or SystemClock()
        self._bus = Bus(settings.bus)

    def run(self, stop: threading.Event) -> None:
        """Raises `FixConfiguration` where a person has to act; waits and goes on where something is away."""
        failures = 0
        while not stop.is_set():
            course = _Course(self._settings, self._config, self._clock)
            try:
                course.run(self._spark, self._bus, stop)
            except TryAgain as error:
                failures = 0 if course.batches else failures
                pause_s = _PAUSES_S[min(failures, len(_PAUSES_S) - 1)]
                failures += 1
                metrics.LOAD_INTERRUPTIONS.add(engine="spark", error=metrics.kind_of(error))
                log.warning("spark.away", reason=str(error), again_in_s=pause_s)
                stop.wait(pause_s)


class _Batch(NamedTuple):
    """A batch on its way: the side on which it is staged, the span that tells of it, and since when."""

    side: int
    span: Span
    since_ns: int
    started_at: datetime


class _Course:
    """One streaming query: from the warehouse's offsets on, until something fails or it is told to stop."""

    def __init__(self, settings: Settings, config: Path | None, clock: Clock) -> None:
        self._settings = settings
        self._config = config
        self._clock = clock
        self._between_batches = threading.Lock()
        self._failure: CoinlakeError | None = None
        self._staged = 0
        self.batches = 0

    def run(self, spark: SparkSession, bus: Bus, stop: threading.Event) -> None:
        found = bus.topic(to="read")
        topic = Topic(self._settings.bus.topic, found.id)
        loader = BusLoader(warehouse_dsn(self._settings), topic, self._clock)
        try:
            starting = dict.fromkeys(range(found.partitions), _EARLIEST) | _still_there(loader, bus)
            loader.begin()
            with Behind() as behind, tempfile.TemporaryDirectory(prefix="coinlake-checkpoint-") as checkpoint:
                self._stream(spark, starting, loader, behind, checkpoint, stop)
        finally:
            loader.close()

    def _stream(
        self,
        spark: SparkSession,
        starting: Mapping[int, int],
        loader: BusLoader,
        behind: Behind,
        checkpoint: str,
        stop: threading.Event,
    ) -> None:
        reader = spark.readStream.format("kafka").options(**source_options(self._settings, starting))

        def load(messages: DataFrame, _: int) -> None:
            with self._between_batches:
                if not stop.is_set():  # what is passed over here is passed over in scratch only
                    self._load(messages, loader, behind)

        query = (
            reader.load()
            .select(*MESSAGE)
            .writeStream.foreachBatch(load)
            .option("checkpointLocation", checkpoint)
            .start()
        )
        log.info("spark.started", topic=self._settings.bus.topic, offsets=dict(starting))
        try:
            while not stop.is_set() and query.isActive and not behind.has_failed:
                stop.wait(0.1)
        finally:
            with self._between_batches:  # a batch begun is finished first
                stopping_s = time.monotonic()
            # Between two looks at the topic Spark stops without a word; in the midst of one, with a trace.
            while query.isActive and query.status["isTriggerActive"]:
                if time.monotonic() - stopping_s > _STOP_S:
                    break
                time.sleep(_LOOK_AGAIN_S)
            query.stop()
        _wait_for(behind)
        if failure := self._failure:
            raise failure
        if error := query.exception():
            raise TryAgain(f"Spark ended the stream: {why_it_ended(str(error))}")

    def _load(self, messages: DataFrame, loader: BusLoader, behind: Behind) -> None:
        """Stages a batch; it is closed behind, once the one before it is."""
        attributes = _SPARK | {"messaging.destination.name": self._settings.bus.topic}
        batch = _Batch(
            self._staged % SIDES,
            tracing.tracer.start_span("batch", attributes=attributes),
            time.time_ns(),
            self._clock.now(),
        )
        with self._within(batch):
            with tracing.span("stage"):
                lines = staged(messages, Task(self._config, tracing.is_recording(), batch.side)).collect()
            metrics.REFINE_DURATION.record((time.time_ns() - batch.since_ns) / 1e9, engine="spark")
            attempts, stretches = _read(lines)
            if not stretches:
                batch.span.end()
                return
            self._staged += 1
            traces = [one for line in lines for one in line.traces or ()]
            for link in tracing.links_to(traces):
                batch.span.add_link(link.context)
            behind.do(lambda: self._close(loader, batch, attempts, stretches, traces))

    def _close(
        self,
        loader: BusLoader,
        batch: _Batch,
        attempts: Sequence[Attempt],
        stretches: Sequence[Stretch],
        traces: Sequence[str],
    ) -> None:
        with self._within(batch):
            loaded = loader.load(
                attempts,
                stretches,
                started_at=batch.started_at,
                traceparent=tracing.traceparent(),
                side=batch.side,
            )
            self.batches += 1
            self._tell(loaded, stretches, batch, traces)
        batch.span.end()

    @contextmanager
    def _within(self, batch: _Batch) -> Iterator[None]:
        """Work of a batch, on whatever thread; an error ends it and is why the stream ends."""
        try:
            with use_span(batch.span, record_exception=False, set_status_on_exception=False):
                yield
        except Exception as error:
            tracing.failed(batch.span, error)
            batch.span.end()
            batches.ended("spark", "tail", since_ns=batch.since_ns, error=error)
            if isinstance(error, CoinlakeError):
                self._failure = error
            raise

    def _tell(
        self, loaded: Loaded | None, stretches: Sequence[Stretch], batch: _Batch, traces: Sequence[str]
    ) -> None:
        """Says what a committed batch did; `loaded` is None where it had been loaded before."""
        messages = sum(stretch.next - stretch.first for stretch in stretches)
        metrics.RECEIVED_MESSAGES.add(
            messages,
            messaging__system="kafka",
            messaging__operation__name="poll",
            messaging__destination__name=self._settings.bus.topic,
        )
        if loaded:
            batches.committed(
                "spark",
                "tail",
                loaded,
                since_ns=batch.since_ns,
                now=self._clock.now(),
                batch=batch.span,
                traceparents=traces,
            )
        log.info(
            "spark.batch_committed",
            messages=messages,
            quotes_new=loaded.quotes_new if loaded else 0,
            rejects=loaded.rejects if loaded else 0,
            seconds=round((time.time_ns() - batch.since_ns) / 1e9, 3),
        )


def _wait_for(behind: Behind) -> None:
    """Waits for the close that is outstanding; raises why it failed."""
    try:
        behind.wait()
    except CoinlakeError:
        raise
    except Exception as error:
        raise TryAgain(f"A batch could not be closed: {type(error).__name__}: {error}") from error


def staged(messages: DataFrame, task: Task) -> DataFrame:
    """Refines and stages messages in the tasks that read them; back come a few lines (`LINE`) a task."""
    return messages.mapInArrow(task, LINE)


def _still_there(loader: BusLoader, bus: Bus) -> dict[int, int]:
    """The warehouse's offsets, moved over what the topic has let go of before it was loaded."""
    offsets = dict(loader.offsets())
    for partition, held in bus.offsets().items():
        gone = held.start - offsets.get(partition, held.start)
        if gone > 0:
            metrics.MESSAGES_GONE.add(gone)
            log.error(
                "spark.messages_gone",
                partition=partition,
                messages=gone,
                reason="The topic let go of them before they were loaded. The lake has their captures: "
                "`coinlake verify --repair` sends them again.",
            )
            loader.skip(Stretch(partition, offsets[partition], held.start))
            offsets[partition] = held.start
    return offsets


def _read(lines: Sequence[Any]) -> tuple[list[Attempt], list[Stretch]]:
    """What the tasks' lines say; raises the first fault among them."""
    for line in lines:
        if line.fault:
            raise (FixConfiguration if line.is_fatal else TryAgain)(line.fault)
    attempts = [Attempt(UUID(line.attempt), line.rows) for line in lines if line.attempt]
    ends: dict[int, Stretch] = {}
    for line in lines:
        if line.partition is not None:
            known = ends.get(line.partition, Stretch(line.partition, line.first, line.next))
            first, following = min(known.first, line.first), max(known.next, line.next)
            ends[line.partition] = Stretch(line.partition, first, following)
    return attempts, list(ends.values())


def why_it_ended(trace: str) -> str:
    """One line of what Spark says of an error: the cause that it names first, below its own frames."""
    lines = trace.strip().splitlines() or ["it did not say why"]
    causes = (line.removeprefix(_CAUSE) for line in lines if line.startswith(_CAUSE))
    return next(causes, lines[0])
