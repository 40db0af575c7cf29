"""Real pages, bent in every way a venue might: both lanes read them alike, and no row is lost."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coinlake.decoding.careful import read_page
from coinlake.decoding.fast import FastLane, Pages
from coinlake.model import QUOTES
from coinlake_coingecko.decode import MARKETS
from coinlake_coingecko.recordings import DAILY, FOLDER

calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no fault of the code."""

Members = list[tuple[str, str]]
"""A row as its keys' and values' JSON texts, in order."""

FAST = FastLane(MARKETS)
KEYS = [*MARKETS.keys.values(), *MARKETS.extra]
PAGES = [
    DAILY / "2024-10-15T010057Z.json",
    FOLDER / "coins_markets/daily_oddities/2026-02-16T014530Z.json",
    FOLDER / "coins_markets/other_repos/2022-01-06T065436Z_57rows.json",
]


def members_of(row: msgspec.Raw) -> Members:
    """A row's members as they stand in its text."""
    members = msgspec.json.decode(row, type=dict[str, msgspec.Raw])
    return [(f'"{key}"', bytes(text).decode()) for key, text in members.items()]


ROWS = [
    members_of(row)
    for page in PAGES
    for row in msgspec.json.decode(page.read_bytes(), type=list[msgspec.Raw])
]

odd_numbers = ["null", "true", "-0", "1E+2", "NaN", "1" * 400, '"1"']
odd_texts = [
    '":"',
    r'"\u003a"',
    r'"\u003A:"',
    r'"\\u003a"',
    r'"\u0000"',
    r'"\ud83d\ude00"',
    r'"\ud83d"',
    '"\u200b"',
]
odd_times = ['"2024-10-15T01:00:57Z"', '"2024-10-15"', '""']
odd_nests = ["[]", "{}", '{"times":1,"times":2}', '{"a":{"a":":"}}', "[" * 50 + "]" * 50]
odd_values = st.sampled_from([*odd_numbers, *odd_texts, *odd_times, *odd_nests])
odd_keys = st.sampled_from(
    [f'"{key}"' for key in KEYS] + ['"new"', r'"\u0069d"', '"a:b"', r'"a\u003ab"', '""']
)
whites = st.sampled_from(["", "", "", " ", "\n", "\t "])


@st.composite
def bent_rows(draw: st.DrawFn) -> str:
    """A recorded row with some members changed, doubled, dropped, added or in another order."""
    members = list(draw(st.sampled_from(ROWS)))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(members) - 1))
        key, value = members[place]
        change = draw(st.sampled_from(["value", "key", "double", "drop", "add", "order"]))
        if change == "value":
            members[place] = key, draw(odd_values)
        elif change == "key":
            members[place] = draw(odd_keys), value
        elif change == "double":
            members.insert(place, (key, draw(st.just(value) | odd_values)))
        elif change == "drop" and len(members) > 1:
            del members[place]
        elif change == "add":
            members.insert(place, (draw(odd_keys), draw(odd_values)))
        elif change == "order":
            members = draw(st.permutations(members))
    before, behind = draw(whites), draw(whites)
    return "{" + ",".join(f"{before}{key}{before}:{behind}{value}" for key, value in members) + "}"


def columns(page: Pages) -> dict[str, list[object]]:
    """What a page says, as plain values."""
    return {name: array.to_pylist() for name, array in page.columns.items()}


def bent(row: int, change: Callable[[Members], Members]) -> list[str]:
    """A page of one recorded row with a certain change."""
    return ["{" + ",".join(map(":".join, change(list(ROWS[row])))) + "}"]


@calmly
@given(st.lists(bent_rows(), max_size=3))
@example(bent(0, lambda members: [members[0], *members]))
@example(bent(0, lambda members: [('"id" ', '"x"'), ('"name"', r'"\u003a"'), *members]))
@example(bent(0, lambda members: [*members, ('"roi"', "null")]))
@example(bent(0, lambda members: [('"name"', '"a:b:c"'), *members]))
def test_both_lanes_read_a_page_alike(rows: list[str]) -> None:
    body = f"[{','.join(rows)}]".encode()
    fast = FAST.read([body])
    read, refused = read_page(body, MARKETS)
    assert len(read) + len(refused) == len(rows)
    assert {row.original for row, _ in refused} <= {row.encode() for row in rows}
    if fast is None:
        return
    assert refused == []
    assert fast.rows == [len(rows)]
    careful = {name: pa.array([row[name] for row in read], QUOTES.field(name).type) for name in fast.columns}
    assert columns(fast) == columns(Pages(careful, [len(rows)]))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_real_pages_take_the_fast_lane(page: object) -> None:
    assert FAST.read([page.read_bytes()]) is not None  # type: ignore[attr-defined]


@calmly
@given(st.permutations(ROWS[0]), whites)
def test_neither_order_nor_white_space_makes_a_page_slow(members: Members, white: str) -> None:
    row = "{" + ",".join(f"{white}{key}{white}:{value}" for key, value in members) + "}"
    assert FAST.read([f"[{row}]".encode()]) is not None
