"""Order by key, against plain Python."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from coinlake.model import QUOTE_KEY
from coinlake_warehouse.conftest import MIDNIGHT, decoded, held, quote
from coinlake_warehouse.keys import earliest, spans_of

_ROWS = st.lists(
    st.builds(
        lambda asset, granularity, minute, told, path: quote(
            held(1, told),
            path,
            asset=asset,
            granularity=granularity,
            as_of=MIDNIGHT + timedelta(minutes=minute),
        ),
        st.sampled_from(["bitcoin", "_", ""]),
        st.sampled_from(["live", "5m"]),
        st.integers(0, 3),
        st.integers(0, 2),
        st.sampled_from(["/0", "/1", "/10"]),
    ),
    max_size=12,
)


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in QUOTE_KEY)


@given(_ROWS)
def test_of_each_key_the_first_received_is_kept_in_order_of_key(rows: list[dict[str, Any]]) -> None:
    standing: dict[Any, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: (row["fetched_at"], row["capture_id"], row["path"])):
        standing.setdefault(_key(row), row)
    found = [
        (_key(row), row["fetched_at"], row["path"]) for row in earliest(decoded(rows).quotes).to_pylist()
    ]
    assert found == [(key, row["fetched_at"], row["path"]) for key, row in sorted(standing.items())]


@given(_ROWS.filter(bool))
def test_a_span_reaches_from_the_first_to_the_last_row_of_an_asset_and_granularity(
    rows: list[dict[str, Any]],
) -> None:
    ordered = earliest(decoded(rows).quotes)
    numbered = spans_of(ordered)
    assets = {number: (source, asset, currency) for number, source, asset, currency in numbered.assets}
    spans = {
        number: (*assets[of], granularity, first, last)
        for number, of, granularity, first, last in numbered.spans
    }
    expected: dict[Any, list[Any]] = {}
    for row in ordered.to_pylist():
        expected.setdefault(_key(row)[:4], []).append(row["as_of"])
    assert sorted(spans.values()) == sorted((*key, min(told), max(told)) for key, told in expected.items())
    for number, row in zip(numbered.span_of.to_pylist(), ordered.to_pylist(), strict=True):
        assert spans[number][:4] == _key(row)[:4]


def test_a_key_that_is_not_whole_is_left_for_the_server_to_refuse() -> None:
    rows = [quote(held(1), path, asset=None) for path in ("/0", "/1")]
    assert earliest(decoded(rows).quotes).num_rows == 2
