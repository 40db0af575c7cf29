"""Spark as this program wants it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from coinlake.errors import FixConfiguration, TryAgain
from coinlake.settings import SparkSettings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession  # pants: no-infer-dep

_LOOPBACK = "127.0.0.1"


def open_session(spark: SparkSettings) -> SparkSession:
    """A session on `spark.master`. `FixConfiguration` where Spark, or its connector, is not there; `TryAgain`
    where Spark's own process ends meanwhile."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if spark.master.startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", _LOOPBACK)
    try:
        from pyspark.sql import SparkSession  # pants: no-infer-dep
    except ImportError as error:
        raise FixConfiguration(
            f"Spark cannot be loaded ({error}): install what 3rdparty/spark/requirements.lock "
            "names, or put the `python` folder of a Spark 4.2 on PYTHONPATH."
        ) from None
    builder = SparkSession.builder.master(spark.master).appName("coinlake")
    for name, value in spark_options(spark).items():
        builder = builder.config(name, value)
    with _ended_while_starting():
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("WARN")
    logging.getLogger("py4j").setLevel(logging.CRITICAL)  # what it would say, with its trace, we say
    return session


@contextmanager
def _ended_while_starting() -> Iterator[None]:
    from py4j.protocol import Py4JError, Py4JJavaError  # pants: no-infer-dep
    from pyspark.errors import PySparkRuntimeError  # pants: no-infer-dep

    try:
        yield
    except Py4JJavaError:  # it runs, and says what it does not like
        raise
    except (Py4JError, ConnectionError, PySparkRuntimeError) as error:
        raise TryAgain(
            f"Spark's process ended while it started ({type(error).__name__}): it was killed, or there is no "
            "Java 17 at JAVA_HOME or on PATH. What it said itself stands above. Start this program again."
        ) from error


@contextmanager
def spoken_for(session: SparkSession) -> Iterator[None]:
    """Stops the session at the end; `TryAgain` where Spark's own process has ended before."""
    from py4j.protocol import Py4JError  # pants: no-infer-dep

    try:
        yield
    except (Py4JError, ConnectionError) as error:
        raise TryAgain(
            f"Spark's process has ended ({type(error).__name__}): it was killed, or had too little memory. "
            "Start this program again: it goes on where the warehouse stands."
        ) from error
    finally:
        with suppress(Py4JError, ConnectionError):  # of a process that is gone
            session.stop()


def spark_options(spark: SparkSettings) -> dict[str, str]:
    """What this program asks of Spark, by its names for settings."""
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        # Pages weigh 70 kB and more: a worker refines few at a time, so its memory is bounded.
        "spark.sql.execution.arrow.maxRecordsPerBatch": "200",
        "spark.sql.execution.arrow.maxBytesPerBatch": str(16 * 1024 * 1024),
        # How long it waits before it asks an idle topic again.
        "spark.sql.streaming.pollingDelay": "50ms",
        "spark.python.worker.reuse": "true",
    }
    if spark.jars is not None:
        jars = sorted(str(jar) for jar in spark.jars.glob("*.jar"))
        if not jars:
            raise FixConfiguration(f"spark.jars: there is no jar in {spark.jars}.")
        settings["spark.jars"] = ",".join(jars)
    return settings
