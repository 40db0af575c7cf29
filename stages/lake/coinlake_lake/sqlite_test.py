"""The SQLite lake keeps every promise of a lake, and those of its file: readable, and only ever growing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coinlake.errors import FixConfiguration
from coinlake.testing.lake_contract import BODIES, LakeContract, OpenLake, capture
from coinlake_lake.sqlite import SqliteLake

BODY = st.binary(max_size=200) | st.text(max_size=100).map(str.encode)


class TestSqliteLake(LakeContract):
    @pytest.fixture
    def open_lake(self, tmp_path: Path) -> OpenLake:
        return lambda: SqliteLake(tmp_path / "lake.db")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A lake with three captures, closed, so that all of it is in this one file."""
    with SqliteLake(tmp_path / "lake.db") as lake:
        for number in (1, 2, 3):
            lake.append(capture(number))
    return tmp_path / "lake.db"


@pytest.fixture(scope="module")
def shared_lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteLake]:
    with SqliteLake(tmp_path_factory.mktemp("shared") / "lake.db") as lake:
        yield lake


PAGES = count()


@given(body=BODY)
@example(body=BODIES["a byte order mark"])
@example(body=BODIES["an encoded surrogate"])
@settings(max_examples=200, deadline=None)
def test_a_body_of_any_bytes_comes_back_identical(shared_lake: SqliteLake, body: bytes) -> None:
    stored = capture(next(PAGES), body=body)
    end = shared_lake.end()
    assert shared_lake.append(stored)
    (tailed,) = shared_lake.tail(end, captures=2, body_bytes=1000)
    found = shared_lake.find(stored.id)
    assert found is not None
    assert tailed.capture.body == found.capture.body == body
    assert tailed.capture == stored


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('[{"name":"Ξ “naïve”"}]'.encode(), '[{"name":"Ξ “naïve”"}]'),
        (b"", ""),
        (b"<html>502</html>", "<html>502</html>"),
        (b"\xff\xfe[\0]\0", b"\xff\xfe[\0]\0"),
        (b'"caf\xe9"', b'"caf\xe9"'),
        (b'{"a":"\0"}', b'{"a":"\0"}'),  # the shell would stop at the NUL
    ],
)
def test_the_shell_shows_a_body_as_text_where_it_can_show_it_whole(
    file: Path, body: bytes, shown: str | bytes
) -> None:
    with SqliteLake(file) as lake:
        lake.append(capture(4, body=body))
    with closing(sqlite3.connect(file)) as shell:
        assert shell.execute("SELECT body FROM captures WHERE page = 4").fetchone() == (shown,)


def test_the_shell_shows_times_params_and_headers_as_text(file: Path) -> None:
    with closing(sqlite3.connect(file)) as shell:
        row = shell.execute(
            "SELECT slot, params ->> '$[1][1]', headers ->> 'x-name', size, status FROM captures LIMIT 1"
        ).fetchone()
    assert row == ("2026-03-01T12:03:00.000000+00:00", "b,a", "Ξ “naïve”", len(capture().body), 200)


REST = (
    "source, dataset, slot, page, sha256, size, status, url, params, headers, requested_at, received_at, "
    "run_id, plugin_version, traceparent, synthetic"
)
FORGED = {
    "update": "UPDATE captures SET body = 'forged'",
    "update or replace": "UPDATE OR REPLACE captures SET page = 2, position = 2 WHERE position = 1",
    "update or ignore": "UPDATE OR IGNORE captures SET url = 'forged'",
    "a position moved": "UPDATE captures SET position = position + 10",
    "delete": "DELETE FROM captures WHERE position = 2",
    "delete all": "DELETE FROM captures",
    "replace by identity": (
        f"INSERT OR REPLACE INTO captures (capture_id, {REST}, body) "
        f"SELECT capture_id || 'x', {REST}, 'forged' FROM captures"
    ),
    "replace by id": (
        f"INSERT OR REPLACE INTO captures (capture_id, {REST}, body) "
        f"SELECT capture_id, {REST.replace('page', 'page + 10')}, 'forged' FROM captures"
    ),
    "replace by position": (
        f"REPLACE INTO captures (position, capture_id, {REST}, body) "
        f"SELECT position, capture_id || 'x', {REST.replace('page', 'page + 10')}, 'forged' FROM captures "
        "ORDER BY position DESC LIMIT 1"
    ),
    "upsert": (
        f"INSERT INTO captures (capture_id, {REST}, body) SELECT capture_id, {REST}, body FROM captures "
        "WHERE true ON CONFLICT DO UPDATE SET body = 'forged'"
    ),
    "slip one in below": (
        f"INSERT INTO captures (position, capture_id, {REST}, body) "
        f"SELECT -1, capture_id || 'x', {REST.replace('page', 'page + 10')}, body FROM captures LIMIT 1"
    ),
    "another name": "UPDATE lake SET lake_id = '00000000-0000-0000-0000-000000000000'",
    "no name": "DELETE FROM lake",
    "the name replaced": "INSERT OR REPLACE INTO lake VALUES (1, '00000000-0000-0000-0000-000000000000')",
    "a second name": "INSERT INTO lake VALUES (2, '00000000-0000-0000-0000-000000000000')",
}


@pytest.mark.parametrize("statement", FORGED.values(), ids=FORGED.keys())
def test_no_statement_changes_what_a_lake_holds(file: Path, statement: str) -> None:
    with SqliteLake(file) as lake:
        before = (lake.id, list(lake.scan()))
    with (
        closing(sqlite3.connect(file, isolation_level=None)) as stranger,
        suppress(sqlite3.IntegrityError),
    ):
        stranger.execute(statement)
    with SqliteLake(file) as lake:
        assert (lake.id, list(lake.scan())) == before
        assert lake.append(capture(4))
        assert [one.position for one in lake.scan()] == [1, 2, 3, 4]


def flip_a_bit(file: Path, marker: bytes, bit: int = 0x80) -> None:
    content = bytearray(file.read_bytes())
    assert content.count(marker) == 1
    content[content.index(marker)] ^= bit
    file.write_bytes(content)


@pytest.mark.parametrize("body", [b'{"name":"here"}', b'\xff{"name":"here"}'], ids=["text", "binary"])
def test_the_audit_names_a_body_with_a_flipped_bit_and_the_tail_goes_on(file: Path, body: bytes) -> None:
    with SqliteLake(file) as lake:
        lake.append(capture(4, body=body))
        lake.append(capture(5))
        assert list(lake.audit()) == []
    flip_a_bit(file, b'here"}')
    with SqliteLake(file) as lake:
        (damaged,) = lake.audit()
        assert damaged.capture.id == capture(4, body=body).id
        assert damaged.capture.body == body.replace(b"h", b"\xe8")
        assert [one.capture.page for one in lake.tail(0, captures=9, body_bytes=1000)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("changes", "marker", "bit"),
    [
        ({"url": "https://here/"}, b"here", 0x80),
        ({"run_id": "here"}, b"here", 0x80),
        ({"params": (("here", "1"),)}, b'["here', 0x01),
        ({"headers": {"here": "1"}}, b'{"here', 0x80),
        ({"received_at": datetime(1999, 1, 1, tzinfo=UTC)}, b"1999", 0x40),
    ],
    ids=["url", "run", "params", "headers", "moment"],
)
def test_a_flipped_bit_beside_the_body_is_called_damage(
    file: Path, changes: dict[str, object], marker: bytes, bit: int
) -> None:
    with SqliteLake(file) as lake:
        lake.append(capture(4, **changes))
    flip_a_bit(file, marker, bit)
    with SqliteLake(file) as lake:
        with pytest.raises(FixConfiguration, match=r"lake\.db is damaged: .* Restore it from a backup\.$"):
            list(lake.audit())
        assert [one.capture.page for one in lake.tail(0, captures=3, body_bytes=1000)] == [1, 2, 3]


def test_every_lake_has_an_id_of_its_own(tmp_path: Path) -> None:
    ids = []
    for number in range(20):
        with SqliteLake(tmp_path / f"{number}.db") as lake:
            ids.append(lake.id)
    assert len(set(ids)) == 20
    assert {one.version for one in ids} == {4}


@pytest.mark.parametrize("name", ["with a space", "it's", 'a"quote', "50%20", "$HOME", "Ξ", "?mode=ro", "#"])
def test_a_lake_may_stand_in_any_folder(tmp_path: Path, name: str) -> None:
    with SqliteLake(tmp_path / name / "lake.db") as lake:
        lake.append(capture())
    assert (tmp_path / name / "lake.db").is_file()


def test_a_closed_lake_is_called_closed_and_not_damaged(file: Path) -> None:
    lake = SqliteLake(file)
    lake.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        lake.end()
