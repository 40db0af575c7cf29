"""What venues mean by their headers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from coinlake.model import Keep, Refuse, Response, Window
from coinlake.testing.plain_source import PlainSource
from coinlake.verdict import retry_after_s, verdict_on

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "30"}, 30),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "0"}, 0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "30"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "30"}, 30),
        ({"retry-after": "Sun, 01 Mar 2026 12:01:00 GMT"}, 60),
        ({"retry-after": "Sunday, 01-Mar-26 12:01:00 GMT"}, 60),
        ({"retry-after": "Sun Mar  1 12:01:00 2026"}, 60),
        ({"retry-after": "Sun, 01 Mar 2026 11:00:00 GMT"}, 0),
        (
            {"retry-after": "Thu, 01 Jan 2026 00:01:00 GMT", "date": "Thu, 01 Jan 2026 00:00:00 GMT"},
            60,
        ),
        ({"retry-after": "Sun, 01 Mar 2026 12:01:00 GMT", "date": "yesterday"}, 60),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e400"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "Sun, 99 Mar 2026 12:01:00 GMT"}, None),
        ({"retry-after": ""}, None),
    ],
)
def test_a_wait_is_read_in_every_form_and_nonsense_in_none(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after_s(headers, NOON) == seconds


def test_the_limits_that_a_source_read_from_an_answer_are_kept() -> None:
    stated = Keep(windows=(Window(60, 6000),))
    source = PlainSource("", judged=lambda response: stated)
    assert verdict_on(source, Response(200, {}, b"[]", NOON)) == stated
    assert isinstance(verdict_on(source, Response(404, {}, b"[]", NOON)), Refuse)
