"""Where every server wants a login, captures come through; and no secret shows anywhere on their way."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pymongo import MongoClient

from coinlake_bus.reader import read_topic
from distributed.site import until
from secured.chain import PRODUCER, Chain

pytestmark = pytest.mark.timeout(800)  # the first test of a machine fetches Spark, 450 MB

_PAGES = (
    "jobs/", "stages/", "storage/", "environment/", "executors/", "SQL/", "SQL/execution/?id=0",
    "SQL/execution/?id=1", "StreamingQuery/",
)  # fmt: skip
_OURS_TO_KEEP = re.compile(r"\.password$|\.key$|/identity\.pem$")
_DATABASES = re.compile(r"/mongo/0/files/|/kafka/files/|/postgres/pgdata/(?!log/)")


def test_captures_come_through_and_verify_finds_nothing_amiss(working: Chain) -> None:
    def is_clean() -> bool:
        return working.coinlake("--json", "verify").returncode == 0

    until(is_clean)
    assert working.rows("SELECT count(*) > 0 FROM quotes") == [(True,)]


def test_no_secret_shows_in_spark_s_ui_its_plans_and_its_event_log(working: Chain) -> None:
    root = f"http://127.0.0.1:{working.guarded.ui_port}/"
    api = f"{root}api/v1/applications/"
    application = re.findall(r'"id" : "(.+?)"', _page(api))[0]
    until(
        lambda: (
            "mapInArrow"
            in _page(f"{api}{application}/sql?details=true&length=1000").replace("MapInArrow", "mapInArrow")
        )
    )
    shown = {page: _page(root + page) for page in _PAGES}
    for part in (
        "environment",
        "sql?details=true&planDescription=true&length=1000",
        "jobs",
        "stages",
        "allexecutors",
    ):
        shown[part] = _page(f"{api}{application}/{part}")
    events = [file for file in (working.guarded.folder / "events").rglob("*") if file.is_file()]
    shown["event log"] = "".join(file.read_text(errors="replace") for file in events)
    assert "SparkListenerJobStart" in shown["event log"]
    assert _leaks(working, shown.items()) == []


def test_no_secret_shows_in_the_arguments_of_any_process(working: Chain) -> None:
    arguments = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments[process.name] = (process / "cmdline").read_text(errors="replace")
        except OSError:  # it ended meanwhile
            continue
    assert any("secured.shown_spark" in line for line in arguments.values())
    assert _leaks(working, arguments.items()) == []


def test_no_secret_shows_in_logs_checkpoints_and_settings(working: Chain) -> None:
    files = {
        str(file): file.read_text(errors="replace")
        for file in working.guarded.folder.rglob("*")
        if file.is_file() and not _OURS_TO_KEEP.search(str(file)) and not _DATABASES.search(str(file))
    }
    assert any("coinlake-checkpoint-" in name for name in files)
    assert "producing.begun" in files[str(working.guarded.folder / f"{PRODUCER}.log")]
    assert _leaks(working, files.items()) == []


def test_no_secret_is_kept_in_lake_topic_and_warehouse(working: Chain) -> None:
    assert _leaks(working, _kept(working)) == []


def _kept(chain: Chain) -> Iterator[tuple[str, str]]:
    guarded = chain.guarded
    with MongoClient[dict[str, object]](guarded.mongo.uri) as root:
        for collection in root["coinlake"].list_collection_names():
            yield f"lake: {collection}", str(list(root["coinlake"][collection].find()))
    yield "topic", str([placed.message for placed in read_topic(guarded.open_bus)])
    tables = chain.rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'coinlake'::regnamespace AND relkind = 'r'"
    )
    with psycopg.connect(guarded.postgres.dsn) as session:
        for (table,) in tables:
            rows = session.execute(
                psycopg.sql.SQL("SELECT t::text FROM coinlake.{} AS t").format(psycopg.sql.Identifier(table))
            )
            yield f"warehouse: {table}", str(rows.fetchall())


def _leaks(chain: Chain, shown: object) -> list[str]:
    """Where which secret shows: the names alone."""
    return [
        f"{secret} in {place}"
        for place, text in shown  # type: ignore[attr-defined]
        for secret, value in chain.guarded.secrets.items()
        if value in text
    ]


def _page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read().decode(errors="replace"))
