"""A page falls apart into its rows, byte for byte, whatever stands in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coinlake.decoding.pages import Number, originals, rows_of

calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no fault of the code."""

WHITE = st.text(" \t\r\n", max_size=2)
LEAVES = st.none() | st.booleans() | st.integers() | st.text() | st.text('"\\[]{},:', max_size=6)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner))


def plain(value: Any) -> Any:
    """A value that was read, with its numbers as numbers."""
    if isinstance(value, Number):
        return int(value)
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    return [plain(member) for member in value] if isinstance(value, list) else value


@calmly
@given(st.lists(VALUES), WHITE, st.booleans())
@example(['\\"', "]", {"}": ","}], "", False)
def test_the_rows_of_a_page_are_its_elements_and_their_bytes(
    values: list[Any], white: str, ascii_only: bool
) -> None:
    texts = [json.dumps(value, ensure_ascii=ascii_only) for value in values]
    body = f"{white}[{white}{f'{white},{white}'.join(texts)}{white}]{white}"
    found = list(rows_of(body.encode("utf-8", "surrogatepass")))
    assert [row.fault for row in found] == [None] * len(values)
    assert [plain(row.value) for row in found] == json.loads(json.dumps(values))
    assert [row.original.decode("utf-8", "surrogatepass") for row in found] == texts
    assert [row.path for row in found] == [f"/{number}" for number in range(len(values))]


@calmly
@given(st.binary() | st.text('"\\[]{},:1 aé\n').map(str.encode))
@example(b'["\\')
@example(b"[]]")
def test_no_body_is_too_odd_to_be_told_apart(body: bytes) -> None:
    at = 0
    for row in rows_of(body):
        place = body.find(row.original, at)
        assert place >= 0, "rows are pieces of the body, in order"
        skipped, at = body[at:place], place + len(row.original)
        assert not skipped.strip(b" \t\r\n[],"), "nothing but punctuation stands between them"
    assert not body[at:].strip(b" \t\r\n[],")


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b",".join([b"nan"] * 50_000) + b"]",
        b"[" + b" " * 5_000_000 + b"]",
        b'["' + b'\\"' * 1_000_000,
        b'[{"a":1,' + b",".join(b'"%d":1' % key for key in range(50_000)) + b',"a":2}]',
    ],
    ids=["bad rows", "white space", "escapes", "keys"],
)
@pytest.mark.timeout(30)
def test_the_time_a_page_takes_does_not_grow_with_the_square_of_its_size(body: bytes) -> None:
    assert sum(1 for _ in rows_of(body)) in (0, 1, 50_000)


def test_originals_are_found_by_path_and_the_whole_body_for_any_other() -> None:
    body = '[{"a": "é"}, 17,\n]'.encode()
    assert originals(body, ["/0", "/1", "", "/7"]) == {
        "/0": '{"a": "é"}'.encode(),
        "/1": b"17",
        "": body,
        "/7": body,
    }
