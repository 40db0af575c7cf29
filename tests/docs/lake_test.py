"""What docs/lake.md tells people to type does what it says."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from coinlake.testing.lake_contract import capture
from coinlake_lake.sqlite import SqliteLake

TEXT = Path("docs/lake.md").read_text(encoding="utf-8")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A lake with an answer, a cut one and one that is no text."""
    bodies = [b'[{"id":"ether","current_price":1234.50}]', b'[{"id":"eth', b"\x1f\x8b\xff"]
    with SqliteLake(tmp_path / "lake.db") as lake:
        for number, body in enumerate(bodies, 1):
            lake.append(capture(number, body=body))
    return tmp_path / "lake.db"


def test_the_queries_run_as_they_stand(file: Path) -> None:
    (script,) = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
    newest, prices = (query for query in script.split(";\n") if query.strip())
    with closing(sqlite3.connect(file)) as shell:
        assert [row[0] for row in shell.execute(newest)] == [3, 2, 1]
        assert [row[1:] for row in shell.execute(prices)] == [('"ether"', "1234.50")]
        hexes = [row[0] for row in shell.execute("SELECT hex(CAST(body AS BLOB)) FROM captures")]
    assert hexes[2] == "1F8BFF"


def test_a_backup_made_while_the_lake_is_open_is_the_same_lake(file: Path, tmp_path: Path) -> None:
    with SqliteLake(file) as lake, closing(sqlite3.connect(file)) as shell:
        lake.append(capture(4))
        shell.execute("VACUUM INTO ?", (str(tmp_path / "copy.db"),))
        with SqliteLake(tmp_path / "copy.db") as copy:
            assert (copy.id, list(copy.scan())) == (lake.id, list(lake.scan()))
            assert "VACUUM INTO" in TEXT
