"""A capture's identity is its five parts, and its id says so in every lake."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from coinlake.model import AMOUNTS, QUOTES, capture_batch
from coinlake.testing.pages import RECEIVED, capture

ONE = capture(b"[]")


def test_a_captures_id_never_changes_between_versions() -> None:
    assert str(ONE.id) == "36596482-4fac-8ada-805a-ec1ecc8bffbe"


@pytest.mark.parametrize(
    "other",
    [
        replace(ONE, source="elsewhere"),
        replace(ONE, dataset="others"),
        replace(ONE, slot=RECEIVED + timedelta(microseconds=1)),
        replace(ONE, page=2),
        replace(ONE, body=b"[ ]"),
    ],
)
def test_each_part_of_the_identity_key_makes_another_id(other: object) -> None:
    assert other.id != ONE.id  # type: ignore[attr-defined]


def test_what_is_not_part_of_the_key_makes_no_other_id() -> None:
    later = RECEIVED + timedelta(hours=1)
    same = replace(ONE, run_id="another", received_at=later, requested_at=later, headers={"age": "1"})
    assert same.id == ONE.id


@pytest.mark.parametrize(
    ("date", "ahead"),
    [
        ("{:%a, %d %b %Y %H:%M:%S GMT}", timedelta(hours=-3)),
        ("{:%a, %d %b %Y %H:%M:%S -0000}", timedelta(hours=-3)),
        ("{:%a, %d %b %Y %H:%M:%S GMT}", timedelta(hours=3)),
        ("yesterday", None),
        ("Thu, 99 Foo 2026 25:61:61 GMT", None),
        ("", None),
    ],
)
def test_an_answer_is_as_old_as_the_earlier_of_two_clocks_says(date: str, ahead: timedelta | None) -> None:
    said = RECEIVED.replace(microsecond=0) + (ahead or timedelta(0))
    answered = replace(ONE, headers={"date": date.format(said)}).answered_at
    assert answered == (min(said, RECEIVED) if ahead else RECEIVED)


def test_captures_in_arrow_keep_their_order_and_bytes() -> None:
    bodies = [b"\x00\xff", b"", b"[]"]
    batch = capture_batch(capture(body) for body in bodies)
    assert batch.column("body").to_pylist() == bodies
    assert batch.column("received_at").to_pylist() == [RECEIVED] * 3


def test_no_amount_is_a_binary_float() -> None:
    assert {str(QUOTES.field(amount).type) for amount in AMOUNTS} == {"string"}
