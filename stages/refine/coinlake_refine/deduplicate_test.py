"""Of several answers about one moment the first stands, whatever the order; a contradiction is told."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinlake.model import QUOTE_KEY, Capture, Decoded, capture_batch
from coinlake.testing.pages import capture, decode, page, row
from coinlake_refine.deduplicate import deduplicate

calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no fault of the code."""

FIRST, LATER = timedelta(), timedelta(minutes=3)


def deduplicated(*captures: Capture) -> Decoded:
    """Pages after deduplication."""
    return deduplicate(decode(capture_batch(captures)))


@pytest.mark.parametrize("number", range(8))  # so that the first has the smaller id now and then
def test_of_two_answers_about_one_moment_the_one_fetched_first_stands(number: int) -> None:
    early = capture(page(row(price="1")), after=FIRST, page=number)
    late = capture(page(row(price="2")), after=LATER)
    for captures in ((early, late), (late, early)):
        found = deduplicated(*captures)
        assert found.quotes.column("price").to_pylist() == ["1"]
        assert found.quotes.column("capture_id").to_pylist() == [str(early.id)]
        assert found.rejects.num_rows == 0


def test_rows_of_other_moments_assets_and_currencies_are_no_repeats() -> None:
    found = deduplicated(
        capture(page(row("a"), row("b"), row("a", at='"2024-10-15T11:59:00.126Z"'))),
        capture(page(row("a")), source="elsewhere"),
    )
    assert found.quotes.num_rows == 4


def test_a_page_that_names_a_coin_twice_alike_gives_it_once() -> None:
    found = deduplicated(capture(page(row("a"), row("b"), row("a"))))
    assert sorted(found.quotes.column("asset").to_pylist()) == ["a", "b"]
    assert found.rejects.num_rows == 0


def test_a_page_that_contradicts_itself_keeps_the_first_row_and_rejects_the_other() -> None:
    found = deduplicated(capture(page(row("a", price="1"), row("b"), row("a", price="2"))))
    assert sorted(found.quotes.column("price").to_pylist()) == ["1", "65975.10"]
    (reject,) = found.rejects.to_pylist()
    assert reject["path"] == "/2"
    assert reject["reasons"] == ["contradiction: price differ from row /0"]


rows = st.builds(
    lambda asset, price, second: row(asset, price=str(price), at=f'"2024-10-15T11:59:0{second}Z"'),
    st.sampled_from("abc"),
    st.integers(1, 2),
    st.integers(0, 2),
)
captures = st.lists(
    st.builds(
        lambda number, rows, minutes: capture(page(*rows), page=number, after=timedelta(minutes=minutes)),
        st.integers(1, 5),
        st.lists(rows, max_size=4),
        st.integers(0, 2),
    ),
    max_size=4,
    unique_by=lambda one: one.id,
)


def sorted_rows(found: Decoded) -> list[list[str]]:
    """Quotes and rejects without their order."""
    return [sorted(map(str, part.to_pylist())) for part in found]


@calmly
@given(captures, st.integers())
def test_the_order_of_captures_does_not_matter(pages: list[Capture], seed: int) -> None:
    shuffled = Random(seed).sample(pages, len(pages))
    assert sorted_rows(deduplicated(*pages)) == sorted_rows(deduplicated(*shuffled))


@calmly
@given(captures)
def test_what_stands_is_one_row_a_key_and_doing_it_again_changes_nothing(pages: list[Capture]) -> None:
    whole = decode(capture_batch(pages))
    once = deduplicate(whole)
    keys = [tuple(row.values()) for row in once.quotes.select(list(QUOTE_KEY)).to_pylist()]
    assert len(keys) == len(set(keys))
    assert set(keys) == {tuple(row.values()) for row in whole.quotes.select(list(QUOTE_KEY)).to_pylist()}
    assert sorted_rows(deduplicate(once)) == sorted_rows(once)
