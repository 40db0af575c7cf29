"""How the benchmark's programs behave: they are silent, and leave nothing behind when they are stopped."""

from __future__ import annotations

import logging
import signal
import sys
from typing import NoReturn

import structlog


def mind() -> None:
    """Logs nothing but errors, to stderr; SIGTERM unwinds, which stops servers and removes folders."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    signal.signal(signal.SIGTERM, _unwind)


def _unwind(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)
