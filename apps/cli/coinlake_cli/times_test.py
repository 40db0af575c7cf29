"""Moments are read as people type them, and a wrong one is refused with an example."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from coinlake_cli.times import parse_moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-10-15", datetime(2024, 10, 15, tzinfo=UTC)),
        ("2024-10-15T06:00Z", datetime(2024, 10, 15, 6, tzinfo=UTC)),
        ("2024-10-15 06:00+02:00", datetime(2024, 10, 15, 4, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_utc(text: str, moment: datetime) -> None:
    assert parse_moment(text) == moment


def test_a_text_that_is_no_time_is_refused_with_an_example() -> None:
    with pytest.raises(ValueError, match="write 2024-10-15 or"):
        parse_moment("yesterday")
