"""Laws of decoding: digits are kept, the lanes agree, and every row ends exactly once."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coinlake.decoding.careful import read_page
from coinlake.decoding.fast import FastLane
from coinlake.decoding.lanes import _READ_TYPES
from coinlake.decoding.pages import rows_of
from coinlake.model import capture_batch
from coinlake.testing.pages import SHAPE, capture, decode, decoded, page, row

calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no fault of the code."""

numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
texts = st.text(st.characters(codec="utf-8"), max_size=12).map(json.dumps) | st.sampled_from(
    [r'"\u003a"', r'"a\":b"', '":"', '"a: b"', '"\u200b"', r'"\ud83d\ude00"', r'"\ud800"', r'"\u0000"']
)
times = st.from_regex(
    r"[0-3][0-9]{3}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9]"
    r"(\.[0-9]{1,7})?(Z|z|[+-][0-2][0-9]:?[0-6][0-9])?",
    fullmatch=True,
).map(json.dumps)
values = (
    numbers
    | texts
    | times
    | st.sampled_from(["null", "true", "[]", '{"a":1}', '{"a":1,"a":2}', "NaN", '"1"'])
)
keys = st.sampled_from(["id", "name", "price", "cap", "rank", "at", "note", "roi"])
members = st.dictionaries(keys, values)
mores = st.sampled_from(["", "", "", ',"price":1', ',"new":1', ',"id":"x"', ',"note":2', ', "new" : [1]'])
rows = st.builds(lambda given, more: row(more=more, **given), members, mores)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Pages with anything odd in them: values, keys, white space."""
    text = f"[{','.join(draw(st.lists(rows, max_size=4)))}]"
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.sampled_from([match.end() for match in re.finditer(r'[":,{\[]', text)] or [0]))
        text = text[:place] + draw(st.sampled_from([" ", "\n", "\t", "  "])) + text[place:]
    return text.encode()


@calmly
@given(numbers, numbers)
@example("-0", "0")
@example("1E400", "1e-500")
@example("9" * 400, "2.839e-09")
def test_a_numbers_digits_are_those_of_the_text(price: str, cap: str) -> None:
    quotes = decoded(page(row(price=price, cap=cap, note=price))).quotes
    assert quotes.column("price")[0].as_py() == price
    assert quotes.column("market_cap")[0].as_py() == cap
    assert f'"note":{price},' in quotes.column("extra")[0].as_py()


@calmly
@given(bodies())
@example(page(row(roi='{\n"times":1.50}')))
@example(page(*[row().replace(',"note":null,"roi":{"times":1.50}', "")] * 9, row(more=',"rank":1')))
@example(page(row(name="null"), row(name='"a"', more=',"note":null'), row(name='"é"', more=',"a":1')))
@example(b"[ ]")
@example(page(row().replace('"id":', '"id" :', 1), row(more=',"id":"x"')))
@example(page(row(name=r'"\u003a"', more=',"id":"x"')))
def test_the_fast_lane_reads_a_page_as_the_careful_lane_does_or_leaves_it(body: bytes) -> None:
    fast = FastLane(SHAPE).read([body])
    if fast is None:
        return
    read, refused = read_page(body, SHAPE)
    assert refused == []
    for name, array in fast.columns.items():
        assert array.equals(pa.array([one[name] for one in read], _READ_TYPES[name])), name


@calmly
@given(times)
@example('"2024-10-15T24:00:00Z"')
@example('"2024-12-31T23:59:60Z"')
@example('"2024-02-30T11:59:00Z"')
@example('"1000-01-01T00:00:00+23:59"')
@example('"2999-12-31T23:59:59.999999-23:59"')
def test_both_lanes_mean_the_same_moment_by_a_time(text: str) -> None:
    fast = FastLane(SHAPE).read([page(row(at=text))])
    read, refused = read_page(page(row(at=text)), SHAPE)
    moments = [one["as_of"] for one in read]
    assert (fast.columns["as_of"].to_pylist() if fast else []) == moments
    assert len(moments) + len(refused) == 1


def test_an_ordinary_page_takes_the_fast_lane() -> None:
    assert FastLane(SHAPE).read([page(row("a"), row("b", note="1", roi="null"))]) is not None


@calmly
@given(st.lists(bodies(), max_size=4))
def test_every_row_ends_once_as_a_quote_or_as_a_reject_with_its_own_bytes(pages: Sequence[bytes]) -> None:
    found = decoded(*pages)
    ended = [
        (one["capture_id"], one["path"])
        for part in (found.quotes, found.rejects)
        for one in part.select(["capture_id", "path"]).to_pylist()
    ]
    captures = [capture(body, page=number) for number, body in enumerate(pages)]
    began = [(str(one.id), part.path) for one in captures for part in rows_of(one.body)]
    assert sorted(ended) == sorted(began)
    bytes_of = {(str(one.id), part.path): part.original for one in captures for part in rows_of(one.body)}
    for reject in found.rejects.to_pylist():
        assert reject["original"] == bytes_of[reject["capture_id"], reject["path"]]


@calmly
@given(st.lists(bodies(), max_size=4), st.randoms())
def test_decoding_is_pure_and_does_not_mind_the_order_of_pages(pages: list[bytes], chance: object) -> None:
    captures = [capture(body, page=number) for number, body in enumerate(pages)]
    batch = capture_batch(captures)
    kept = batch.to_pylist()
    once, again = decode(batch), decode(batch)
    assert once.quotes.equals(again.quotes)
    assert batch.to_pylist() == kept
    chance.shuffle(captures)  # type: ignore[attr-defined]
    shuffled = decode(capture_batch(captures))
    for part, other in zip(once, shuffled, strict=True):
        assert sorted(map(str, part.to_pylist())) == sorted(map(str, other.to_pylist()))


def test_compact_pages_need_no_search_for_doubled_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    lane = FastLane(SHAPE)
    monkeypatch.delattr(FastLane, "_refuse_doubled_keys")
    bare = row(name="null").replace(',"note":null,"roi":{"times":1.50}', "")
    pages = [page(row(), row(name='"é:"', rank="null")), page(), page(bare, bare)]
    found = lane.read(pages)
    assert found is not None
    assert found.rows == [2, 0, 2]
