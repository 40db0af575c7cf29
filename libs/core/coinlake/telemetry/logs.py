"""Logs: one event a line on stderr, with the trace, the run and the capture it belongs to.

The level says what the reader is to do: error, somebody must act, or something is lost; warning, it is being
tried again, and somebody must act where that goes on; info, how the work goes. On a terminal lines are for
eyes, elsewhere they are JSON, unless the setting `telemetry.logs` says which.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Literal
from uuid import uuid4

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, WrappedLogger

from coinlake.secrets import HIDDEN

Form = Literal["auto", "json", "text"]

RUN_ID = str(uuid4())
"""Of this run of this program: on each of its log lines, and on each capture it fetches."""

_said_by: dict[str, str] = {}
"""The program, under the name that its spans have: a store of logs finds both by it."""

_JSON = structlog.processors.JSONRenderer(ensure_ascii=False)


def log_to_stderr(level: int = logging.INFO, form: Form = "auto") -> None:
    """Sends events of this level and above to stderr, and the warnings of libraries too."""
    is_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([_with_ids] if is_json else []),
            structlog.processors.format_exc_info,
            _without_secrets,
            _JSON if is_json else structlog.dev.ConsoleRenderer(pad_event_to=0),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Relay(logging.WARNING)], force=True)


def said_by(service: str) -> None:
    """From now on each line of JSON names this program."""
    _said_by["service.name"] = service


class _Relay(logging.Handler):
    """Makes an event of what a library logs by Python's own means."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event = structlog.get_logger(record.name)
            event.log(record.levelno, "library.said", logger=record.name, message=record.getMessage())
        except Exception:
            self.handleError(record)


def _with_ids(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return {"run_id": RUN_ID, **_said_by, **event}


def _without_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {name: _shown(value) for name, value in event.items()}


def _shown(value: object) -> object:
    """A value as it is written: texts without secrets, and by `repr` whatever is not plain."""
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, Mapping):
        return {str(_shown(key)): _shown(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown(inner) for inner in value]
    return HIDDEN.from_text(value if isinstance(value, str) else repr(value))
