"""Laws of refining as it is configured: pure, whatever the order, the same twice, and no row is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinlake.decoding.pages import rows_of
from coinlake.model import QUOTE_KEY, Capture, Decoded, capture_batch
from coinlake.refining import Refinery
from coinlake.testing.pages import capture, decode, row
from coinlake_refine.plugin import coinlake_stages

calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no fault of the code."""

REFINERY = Refinery({"pages": decode}, list(coinlake_stages().items()))

rows = st.builds(
    lambda asset, members: row(asset, **members),
    st.sampled_from(["a", "b", "_", ""]),
    st.fixed_dictionaries(
        {},
        optional={
            "price": st.sampled_from(["1", "2", "-1", "null", "NaN", "1e40", "1.", '"1"']),
            "rank": st.sampled_from(["0", "7"]),
            "at": st.sampled_from(['"2024-10-15T11:58:00Z"', '"2031-01-01T00:00:00Z"', "null", '"?"']),
        },
    ),
) | st.sampled_from(["17", "", "{", "[]"])
bodies = st.builds(
    lambda rows, cut: f"[{','.join(rows)}]"[: -cut or None].encode(),
    st.lists(rows, max_size=5),
    st.sampled_from([0, 0, 0, 1, 9]),
) | st.sampled_from([b"", b"<html>", b"[,]", b"\xff\xfe[\x00]\x00"])
captures = st.lists(
    st.builds(
        lambda body, number, minutes: capture(body, page=number, after=timedelta(minutes=minutes)),
        bodies,
        st.integers(1, 9),
        st.integers(0, 2),
    ),
    max_size=4,
    unique_by=lambda one: one.id,
)


def refine(pages: Iterable[Capture]) -> Decoded:
    """Pages through all steps."""
    return REFINERY.refine(capture_batch(pages))


def as_sets(found: Decoded) -> list[list[str]]:
    """Quotes and rejects without their order."""
    return [sorted(map(str, part.to_pylist())) for part in found]


@calmly
@given(captures)
def test_refining_is_pure(pages: list[Capture]) -> None:
    batch = capture_batch(pages)
    before = batch.to_pylist()
    once, again = REFINERY.refine(batch), REFINERY.refine(batch)
    assert batch.to_pylist() == before
    assert once.quotes.equals(again.quotes)
    assert once.rejects.equals(again.rejects)


@calmly
@given(captures, st.integers())
def test_the_order_of_captures_does_not_matter(pages: list[Capture], seed: int) -> None:
    assert as_sets(refine(pages)) == as_sets(refine(Random(seed).sample(pages, len(pages))))


@calmly
@given(captures)
def test_the_steps_find_nothing_more_to_do_in_what_they_made(pages: list[Capture]) -> None:
    once = again = refine(pages)
    for step in coinlake_stages().values():
        again = step(again)
    assert as_sets(again) == as_sets(once)


@calmly
@given(captures, st.integers(0, 4))
def test_rejects_do_not_depend_on_how_captures_are_cut_into_batches(pages: list[Capture], cut: int) -> None:
    whole, parts = refine(pages), [refine(pages[:cut]), refine(pages[cut:])]
    assert as_sets(whole)[1] == sorted(as_sets(parts[0])[1] + as_sets(parts[1])[1])


@calmly
@given(captures)
def test_every_row_ends_once_as_a_quote_or_its_repeat_or_as_a_reject_with_its_bytes(
    pages: list[Capture],
) -> None:
    found = refine(pages)
    began = {(str(page.id), one.path): one.original for page in pages for one in rows_of(page.body)}
    rejected = Counter((one["capture_id"], one["path"]) for one in found.rejects.to_pylist())
    assert set(rejected.values()) <= {1}
    for reject in found.rejects.to_pylist():
        assert reject["original"] == began[reject["capture_id"], reject["path"]]
    kept = {(one["capture_id"], one["path"]) for one in found.quotes.to_pylist()}
    assert len(kept) == found.quotes.num_rows
    assert not kept & rejected.keys()
    keys = {tuple(key.values()) for key in found.quotes.select(list(QUOTE_KEY)).to_pylist()}
    assert len(keys) == found.quotes.num_rows
    gone = began.keys() - kept - rejected.keys()
    for repeat in decode(capture_batch(pages)).quotes.to_pylist():
        if (repeat["capture_id"], repeat["path"]) in gone:
            assert tuple(repeat[name] for name in QUOTE_KEY) in keys
            gone.remove((repeat["capture_id"], repeat["path"]))
    assert not gone
