"""The program: loads from the bus until SIGTERM or SIGINT, and says how it ended by its exit code."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import structlog

from coinlake import settings as settings_loading
from coinlake import telemetry
from coinlake.errors import CoinlakeError, FixConfiguration
from coinlake.telemetry.logs import log_to_stderr
from coinlake_spark.loading import Loading
from coinlake_spark.parts import check_bus, prepare_warehouse
from coinlake_spark.session import open_session, spoken_for
from coinlake_spark.watching import watchers

DONE, NEEDS_A_PERSON, AWAY = 0, 3, 4
"""Exit codes, as those of the program `coinlake`."""

log = structlog.get_logger("coinlake.spark")


def main(arguments: Sequence[str] | None = None) -> None:
    """`coinlake-spark [--config FILE]`."""
    parser = argparse.ArgumentParser(prog="coinlake-spark", description=__doc__)
    parser.add_argument("--config", type=Path, help="settings file (default: coinlake.toml)")
    config = parser.parse_args(arguments).config
    log_to_stderr()
    with telemetry.running("coinlake-spark"):
        code = _ended(config.absolute() if config else None)
    sys.exit(code)


def _ended(config: Path | None) -> int:
    """Loads; the exit code, with its reason in the log."""
    try:
        load_until_told(config)
    except CoinlakeError as error:
        log.error("spark.ended", reason=str(error))
        return NEEDS_A_PERSON if isinstance(error, FixConfiguration) else AWAY
    return DONE


def load_until_told(config: Path | None) -> None:
    """Loads until a signal; a batch begun by then is finished."""
    settings = settings_loading.load(config)
    log_to_stderr(form=settings.telemetry.logs)
    prepare_warehouse(settings)
    check_bus(settings)
    session = open_session(settings.spark)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):  # after Spark has set its own
        signal.signal(number, lambda *_: stop.set())
    with spoken_for(session), telemetry.watching(*watchers(settings)):
        Loading(session, settings, config).run(stop)
    log.info("spark.stopped")


if __name__ == "__main__":
    main()
