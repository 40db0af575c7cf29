"""Moments as people type them."""

from __future__ import annotations

from datetime import UTC, datetime


def parse_moment(text: str) -> datetime:
    """A date or time in ISO form; UTC where it names no zone. Raises `ValueError` saying what to write."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"cannot read {text!r} as a time: write 2024-10-15 or 2024-10-15T06:00Z") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_span(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """A range of slots, either end open. Raises `ValueError` saying what is wrong with it."""
    first, end = (parse_moment(text) if text else None for text in (since, until))
    if first and end and first >= end:
        raise ValueError("--since must be before --until")
    return first, end
