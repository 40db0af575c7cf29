"""How each of our SQLite files is opened, told apart and made."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from coinlake.errors import FixConfiguration
from coinlake.sqlite import Form, connect, damage

BOOK = Form(
    "book", application_id=0x424F4F4B, version=3, schema="CREATE TABLE IF NOT EXISTS lines (line TEXT);"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "book.db"


def test_a_commit_outlives_a_power_cut(file: Path) -> None:
    for _ in range(2):  # made, and found
        with closing(connect(file, BOOK)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
            assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL: each commit is synced


def test_a_file_says_what_it_is_and_keeps_what_is_in_it(file: Path) -> None:
    with closing(connect(file, BOOK)) as connection:
        connection.execute("INSERT INTO lines VALUES ('one')")
    assert file.read_bytes()[68:72] == b"BOOK"
    with closing(connect(file, BOOK)) as connection:
        assert [row["line"] for row in connection.execute("SELECT * FROM lines")] == ["one"]
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 3


def test_a_file_of_another_form_stays_as_it_is(file: Path) -> None:
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE lines (line TEXT)")
    before = file.read_bytes()
    with pytest.raises(FixConfiguration, match=r"book\.db is not a book of Coinlake: move it away"):
        connect(file, BOOK)
    assert file.read_bytes() == before


def test_a_newer_file_is_left_to_the_newer_program(file: Path) -> None:
    connect(file, BOOK).close()
    with closing(sqlite3.connect(file)) as newer:
        newer.execute("PRAGMA user_version = 4")
    with pytest.raises(FixConfiguration, match=r"newer Coinlake \(version 4; this one knows 3\)"):
        connect(file, BOOK)


def test_programs_that_start_at_once_make_one_file(tmp_path: Path) -> None:
    files, programs = 30, 4
    begin = threading.Barrier(programs)

    def start(program: int) -> None:
        for number in range(files):
            begin.wait(60)
            with closing(connect(tmp_path / f"{number}.db", BOOK)) as connection:
                connection.execute("INSERT INTO lines VALUES (?)", (str(program),))

    with ThreadPoolExecutor(programs) as threads:
        list(threads.map(start, range(programs)))
    for number in range(files):
        with closing(connect(tmp_path / f"{number}.db", BOOK)) as connection:
            lines = [row["line"] for row in connection.execute("SELECT line FROM lines ORDER BY line")]
        assert lines == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    "holding",
    [
        "BEGIN; SELECT count(*) FROM sqlite_schema;",
        "BEGIN IMMEDIATE; CREATE TABLE lines (line TEXT);",
        "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; CREATE TABLE lines (line TEXT);",
    ],
    ids=["looks", "makes", "makes, in WAL"],
)
def test_a_file_that_another_program_is_busy_with_is_waited_for(file: Path, holding: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.executescript(holding)

        def let_go() -> None:
            if "CREATE" in holding:
                other.execute(f"PRAGMA application_id = {BOOK.application_id}")
            other.execute("COMMIT")

        threading.Timer(0.2, let_go).start()
        with closing(connect(file, BOOK)) as connection:
            assert connection.execute("SELECT count(*) FROM lines").fetchone()[0] == 0
            assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_file_left_half_made_is_made(file: Path) -> None:
    with closing(sqlite3.connect(file)) as killed:
        killed.execute("PRAGMA journal_mode = WAL")
    with closing(connect(file, BOOK)) as connection:
        assert connection.execute("SELECT count(*) FROM lines").fetchone()[0] == 0


def test_a_file_whose_pages_do_not_hold_together_is_found_out(file: Path) -> None:
    assert damage(file, deep=False) == []
    assert not file.exists()
    with closing(connect(file, BOOK)) as connection:
        connection.executemany("INSERT INTO lines VALUES (?)", [("line " * 100,)] * 100)
        page_bytes = connection.execute("PRAGMA page_size").fetchone()[0]
        assert damage(file, deep=False) == []
    content = bytearray(file.read_bytes())
    content[-page_bytes:] = b"\xff" * page_bytes
    file.write_bytes(content)
    assert damage(file, deep=False)


def test_an_index_that_lacks_a_row_is_found_by_the_deep_look_alone(file: Path) -> None:
    with closing(connect(file, BOOK)) as connection:
        connection.execute("CREATE INDEX by_line ON lines (line)")
        connection.execute("INSERT INTO lines VALUES ('one')")
        connection.execute("PRAGMA writable_schema = ON")
        other = "CREATE INDEX by_line ON lines (line || 1)"
        connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'by_line'", (other,))
    assert damage(file, deep=False) == []
    assert damage(file, deep=True)


def test_a_file_that_is_no_database_is_called_so(file: Path) -> None:
    file.write_text("one, two, three" * 1000)
    assert damage(file, deep=True) == ["file is not a database"]
