"""The Spark program as it would run for somebody who has everything shown: Spark's UI, and its event log."""

from __future__ import annotations

import os

from coinlake.settings import SparkSettings
from coinlake_spark import main, session

PORT, EVENTS = "SHOWN_PORT", "SHOWN_EVENTS"
"""Environment: the port of the UI, and the folder of the event log."""

_asked = session.spark_options


def _shown(spark: SparkSettings) -> dict[str, str]:
    return _asked(spark) | {
        "spark.ui.enabled": "true",
        "spark.ui.port": os.environ[PORT],
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": os.environ[EVENTS],
    }


if __name__ == "__main__":
    session.spark_options = _shown
    main.main()
