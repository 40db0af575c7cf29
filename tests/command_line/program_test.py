"""Each command does what the README says, and a user's mistake ends in a sentence."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import tomllib
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import TextIO
from urllib.request import urlopen

import pyarrow.parquet
import pytest

from command_line.program import TIMEOUT_S, Program

DAYS, INSTRUMENTS = 60, 12
CAPTURES = DAYS * (1 + 1 + 3 * INSTRUMENTS) + 4
"""A day: CoinGecko's page, Binance's tickers and its klines, Coinbase's tickers and candles one by one; and
two lists of instruments on the first and the last."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program in a home where the demo has been run once."""
    program = Program(tmp_path_factory.mktemp("a home"))
    done = program("--json", "demo", "--once", "--seconds", "2", "--port", "0")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["parts"]["quotes loaded"] == 7440
    assert re.search(r"The page: http://127\.0\.0\.1:\d+/", done.stderr)
    return program


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def test_the_demo_run_again_adds_nothing(demo: Program) -> None:
    done = demo("--json", "demo", "--once", "--seconds", "1", "--port", "0")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["parts"]["captures in the lake"] == CAPTURES


def test_status_tells_feeds_and_lag_for_eyes_and_for_programs(demo: Program) -> None:
    shown = demo("--demo", "status")
    assert shown.returncode == 0, shown.stderr
    assert "coingecko  markets" in shown.stdout
    assert "\x1b" not in shown.stdout
    document = json.loads(demo("--demo", "--json", "status").stdout)
    assert {feed["source"] for feed in document["feeds"]} == {"binance", "coinbase", "coingecko"}
    assert document["parts"]["captures not loaded yet"] == 0


def test_verify_finds_the_demo_whole(demo: Program) -> None:
    done = demo("--demo", "--json", "verify")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["clean"]
    assert report["captures"] == CAPTURES


def test_verify_names_a_row_that_was_changed_and_one_that_is_gone_and_exits_1(demo: Program) -> None:
    place = demo.home / ".local/share/coinlake-demo/warehouse"
    changed = ("UPDATE quotes SET price = price + 1 WHERE asset = 'tether' AND as_of < '2024-10-16'",)
    gone = ("DELETE FROM quotes WHERE asset = 'ethereum' AND as_of < '2024-10-16'",)
    run_as_owner(demo, place, *changed, *gone)
    found = demo("--demo", "--json", "verify")
    assert found.returncode == 1
    quotes = json.loads(found.stdout)["tables"][0]
    assert (quotes["missing"], quotes["different"], quotes["extra"]) == (1, 1, 0)
    named = {(one["kind"], one["key"]["asset"]) for one in quotes["examples"]}
    assert named == {("missing", "ethereum"), ("different", "tether")}

    run_as_owner(demo, place, "DELETE FROM quotes WHERE asset = 'tether' AND as_of < '2024-10-16'")
    assert demo("--demo", "replay", "--all", "--until", "2024-10-16").returncode == 0
    assert demo("--demo", "verify").returncode == 0


def run_as_owner(program: Program, place: Path, *statements: str) -> None:
    """Changes the demo's warehouse behind its back."""
    import psycopg

    from coinlake_warehouse.embedded import EmbeddedServer

    with EmbeddedServer(place) as server, psycopg.connect(server.dsn) as session:
        for statement in statements:
            session.execute(statement.encode())


def test_doctor_finds_every_part_well(demo: Program) -> None:
    done = demo("--demo", "--json", "doctor")
    assert done.returncode == 0, done.stderr
    states = {finding["part"]: finding["state"] for finding in json.loads(done.stdout)}
    assert states.keys() >= {"program", "folder", "sources", "files", "lake", "warehouse", "loading", "feeds"}
    assert "broken" not in states.values()


def test_the_page_is_served_without_capturing_until_stopped(demo: Program) -> None:
    with demo.start("--demo", "page", "--port", "0") as serving:
        assert serving.stderr
        url = next(line for line in serving.stderr if line.startswith("The page: ")).split()[2]
        with urlopen(url, timeout=TIMEOUT_S) as answer:
            assert b"Coinlake" in answer.read()
        serving.terminate()
        assert serving.wait(TIMEOUT_S) == 0
    document = json.loads(demo("--demo", "--json", "status").stdout)
    assert document["parts"]["captures in the lake"] == CAPTURES


def test_doctor_reads_the_newest_captures_and_all_of_them_when_asked(demo: Program, tmp_path: Path) -> None:
    place = tmp_path / "a copy"
    shutil.copytree(demo.home / ".local/share/coinlake-demo", place)
    with closing(sqlite3.connect(place / "lake.db")) as lake:
        lake.execute("DROP TRIGGER captures_are_never_changed")
        lake.execute("UPDATE captures SET body = body || ' ' WHERE position = 1")
        lake.commit()
    quick = demo("--folder", str(place), "doctor")
    assert quick.returncode == 0, quick.stdout
    assert f"{CAPTURES:,} captures, the newest 1,000 bodies (--deep: all)" in quick.stdout
    deep = demo("--folder", str(place), "doctor", "--deep")
    assert deep.returncode == 1
    assert "captures whose bytes changed on disk" in deep.stdout


def test_doctor_names_a_file_that_is_damaged(demo: Program, tmp_path: Path) -> None:
    shutil.copy(demo.home / ".local/share/coinlake-demo/kind", tmp_path)
    (tmp_path / "state.db").write_text("nothing of SQLite's")
    done = demo("--folder", str(tmp_path), "--json", "doctor")
    assert done.returncode == 1
    (found,) = (finding for finding in json.loads(done.stdout) if finding["part"] == "files")
    assert found["state"] == "broken"
    assert f"{tmp_path / 'state.db'}: file is not a database" in found["said"]


def test_the_demo_compares_venues_and_lists_what_the_map_of_assets_does_not_name(demo: Program) -> None:
    compared = (
        "SELECT source FROM price_comparison WHERE asset = 'bitcoin' AND legs = 3 GROUP BY 1 ORDER BY 1"
    )
    done = demo("--demo", "query", compared, "--format", "csv")
    assert done.stdout.split() == ['"source"', '"binance"', '"coinbase"', '"coingecko"']
    found = json.loads(demo("--demo", "--json", "sources", "--unmapped").stdout)
    named = {(each["source"], each["asset"]) for each in found}
    assert ("binance", "GTO") in named
    assert ("binance", "BTC") not in named


def test_a_query_gives_exact_digits_in_every_form(demo: Program, tmp_path: Path) -> None:
    sql = "SELECT asset, price FROM quotes WHERE price > 0 ORDER BY price, as_of LIMIT 1"
    document = demo("--demo", "query", sql, "--format", "json").stdout
    assert demo("--demo", "--json", "query", sql).stdout == document
    (row,) = json.loads(document)
    (same,) = csv.DictReader(io.StringIO(demo("--demo", "query", sql, "--format", "csv").stdout))
    assert row == same
    assert Decimal(row["price"]) < Decimal("1e-4")
    assert row["price"] in demo("--demo", "query", "-", stdin=sql).stdout
    file = tmp_path / "rows.parquet"
    assert demo("--demo", "query", sql, "--format", "parquet", "-o", str(file)).returncode == 0
    assert pyarrow.parquet.read_table(file).to_pylist() == [row]


def test_a_number_that_json_lacks_is_postgresqls_word_and_never_null(demo: Program) -> None:
    sql = "SELECT 'NaN'::float8 AS a, 'infinity'::float4 AS b, '-infinity'::float8 AS c, NULL::float8 AS d"
    (row,) = json.loads(demo("--demo", "--json", "query", sql).stdout)
    assert row == {"a": "NaN", "b": "Infinity", "c": "-Infinity", "d": None}


def test_a_statement_that_is_no_text_is_refused(program: Program) -> None:
    done = program("query", "SELECT '\udcff'")
    assert done.returncode == 2, done.stderr
    assert "not UTF-8 text" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("form", "shown", "said"),
    [("table", "asset  price\n", "0 rows\n"), ("csv", '"asset","price"\n', ""), ("json", "[]\n", "")],
)
def test_an_answer_without_rows_is_a_heading_or_an_empty_list(
    demo: Program, form: str, shown: str, said: str
) -> None:
    done = demo("--demo", "query", "SELECT asset, price FROM quotes WHERE false", "--format", form)
    assert (done.returncode, done.stdout, done.stderr) == (0, shown, said)


def test_two_columns_of_one_name_keep_their_values_or_are_refused(demo: Program) -> None:
    shown = demo("--demo", "query", "SELECT 1 AS a, 2 AS a").stdout
    assert shown.splitlines()[1].split() == ["1", "2"]
    refused = demo("--demo", "query", "SELECT 1 AS a, 2 AS a", "--format", "json")
    assert refused.returncode == 3
    assert "name each apart" in refused.stderr


def test_a_full_disk_under_the_result_is_told_in_a_sentence(demo: Program) -> None:
    with open("/dev/full", "w") as full:
        code, said = ended_into(full, demo, "--demo", "query", "SELECT 1", "--format", "csv")
    assert code == 3
    assert "No space is left" in said
    assert "Traceback" not in said


def test_a_query_whose_reader_has_enough_ends_silently_by_sigpipe(demo: Program) -> None:
    asking = demo.start("--demo", "query", "SELECT generate_series(1, 3000000)", "--format", "csv")
    assert asking.stdout
    assert asking.stderr
    with asking:
        assert asking.stdout.readline() == '"generate_series"\n'
        asking.stdout.close()
        assert asking.stderr.read() == ""
        assert asking.wait(TIMEOUT_S) == -signal.SIGPIPE


@pytest.mark.parametrize("asking", [["sources"], ["--json", "sources"], ["--help"], ["--version"]])
def test_a_short_answer_whose_reader_is_gone_ends_silently_by_sigpipe(
    program: Program, asking: list[str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as nobody:
        assert ended_into(nobody, program, *asking) == (-signal.SIGPIPE, "")


def test_a_short_answer_onto_a_full_disk_is_told_in_a_sentence(program: Program) -> None:
    with open("/dev/full", "w") as full:
        code, said = ended_into(full, program, "sources")
    assert code == 3
    assert said.startswith("coinlake: No space is left")
    assert len(said.splitlines()) == 1


def ended_into(stdout: TextIO, program: Program, *arguments: str) -> tuple[int, str]:
    """The exit code of a program whose results go there, and what it says."""
    done = subprocess.run(
        program.command(*arguments),
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=TIMEOUT_S,
        cwd=program.home,
        env=program.variables(),
    )
    return done.returncode, done.stderr


def test_a_query_cannot_change_anything(demo: Program) -> None:
    done = demo("--demo", "query", "DELETE FROM quotes")
    assert done.returncode == 5
    assert "read-only" in done.stderr
    assert "Traceback" not in done.stderr


def test_sources_lists_what_is_installed(program: Program) -> None:
    found = json.loads(program("--json", "sources").stdout)
    assert found[0]["source"] == "coingecko"
    assert found[0]["every"] == 180
    assert [each["source"] for each in found if not each["configured"]] == ["binance", "coinbase"]


def test_a_demo_and_live_data_do_not_mix(demo: Program) -> None:
    done = demo("--demo", "capture")
    assert done.returncode == 3
    assert "must not mix" in done.stderr


def test_capture_says_what_went_wrong_and_exits_1_when_the_venue_cannot_be_reached(program: Program) -> None:
    (program.home / "coinlake.toml").write_text(
        '[sources.coingecko]\nroot = "http://127.0.0.1:9/api/v3"\n[fetch]\nattempts = 1\n'
    )
    done = program("--json", "capture")
    assert done.returncode == 1
    (outcome,) = json.loads(done.stdout)
    assert "cannot connect" in outcome["trouble"]
    feeds = json.loads(program("--json", "status").stdout)["feeds"]
    assert feeds[0]["failures"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--nonsense"], 2, "No such option"),
        (["nonsense"], 2, "No such command"),
        (["--config", "missing.toml", "status"], 3, "There is no settings file missing.toml"),
        (["query", "SELECT 1", "--format", "csvv"], 2, "csvv"),
        (["verify", "--since", "yesterday"], 2, "write 2024-10-15"),
        (["verify", "--since", "2024-10-15", "--until", "2024-10-14"], 2, "before --until"),
        (["--folder", "x", "--demo", "status"], 2, "not both"),
        (["capture", "krakn"], 3, "unknown source"),
        (["capture", "binance"], 3, "add [sources.binance] to your coinlake.toml"),
        (["demo", "--recordings", "nowhere", "--once"], 3, "There is no folder nowhere"),
        (["query", "SELECT 1", "-o", "file.csv"], 3, "--format"),
    ],
)
def test_a_users_mistake_ends_in_a_sentence_and_its_exit_code(
    program: Program, arguments: list[str], code: int, said: str
) -> None:
    done = program(*arguments)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "looking",
    [
        ["status"],
        ["query", "SELECT 1"],
        ["verify"],
        ["replay", "--all"],
        ["doctor"],
        ["sources", "--unmapped"],
    ],
)
def test_looking_into_a_folder_without_a_deployment_is_refused_and_makes_none(
    program: Program, looking: list[str]
) -> None:
    done = program("--folder", "mistyped", *looking)
    assert done.returncode == 3, done.stderr
    assert f"no deployment in the folder {program.home / 'mistyped'}: `coinlake run` begins" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert not list(program.home.iterdir())


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[sources.coingecko]\ntopp = 5", "did you mean 'top'?"),
        ("[sources.coingeko]", "did you mean 'coingecko'?"),
        ("foldr = 'x'", "did you mean 'folder'?"),
        ("[refine]\nsteps = ['validat']", "did you mean 'validate'?"),
        ("[sources.coingecko]\nplan = 'demo'", "api_key"),
        ("plugins = ['no.such.module']", "no.such.module"),
        ("folder = ", "coinlake.toml"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_meant(program: Program, toml: str, said: str) -> None:
    (program.home / "coinlake.toml").write_text(toml)
    done = program("status")
    assert done.returncode == 3, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("lake", "said"),
    [("", "set lake.url"), ("[lake]\nurl = 'mongodb://127.0.0.1:9/x'", "set warehouse.dsn")],
)
def test_the_distributed_profile_asks_for_the_server_that_no_setting_names(
    program: Program, lake: str, said: str
) -> None:
    (program.home / "coinlake.toml").write_text(f"profile = 'distributed'\n{lake}")
    done = program("capture")
    assert done.returncode == 3, done.stderr
    assert said in done.stderr


def test_a_secret_appears_nowhere(program: Program) -> None:
    secret = "CG-this-is-the-secret-key"
    program.environment.update(
        COINLAKE_SOURCES__COINGECKO__PLAN="demo",
        COINLAKE_SOURCES__COINGECKO__API_KEY=secret,
        COINLAKE_SOURCES__COINGECKO__ROOT="http://127.0.0.1:9/api/v3",
        COINLAKE_FETCH__ATTEMPTS="1",
    )
    for command in (["-v", "capture"], ["doctor"], ["sources"], ["--json", "status"]):
        done = program(*command)
        assert secret not in done.stdout + done.stderr, command
    kept = [file for file in (program.home / ".local").rglob("*") if file.is_file()]
    assert kept
    assert not [file for file in kept if secret.encode() in file.read_bytes()]


def test_the_version_is_that_of_the_package(program: Program) -> None:
    from coinlake import __version__

    assert program("--version").stdout == f"coinlake {__version__}\n"
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    assert tomllib.loads(f'version = "{__version__}"')
