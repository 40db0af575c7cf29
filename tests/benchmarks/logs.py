"""The benchmark's own silence: what the measured code logs would cost time on a terminal."""

from __future__ import annotations

import logging
import sys

import structlog


def quietly() -> None:
    """Logs nothing but errors, to stderr."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
