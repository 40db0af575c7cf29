"""The embedded program on a PostgreSQL of its user's own, while the network between the two is cut."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chaos.expected import candles_of, held_candles, held_quotes, quotes_of
from chaos.links import behind
from chaos.load import capture, is_broken
from coinlake import plugins as plugin_loading
from coinlake.clock import SystemClock
from coinlake.errors import TryAgain
from coinlake.pipeline import Pipeline
from coinlake.settings import BusSettings, RefineSettings, Settings
from coinlake_cli.folder import claim
from coinlake_lake.sqlite import SqliteLake
from coinlake_spark.parts import refinery
from coinlake_warehouse.load import PostgresWarehouse
from coinlake_warehouse.preparing import prepare
from command_line.program import Program
from distributed.site import Site
from servers.fixtures import Spark
from servers.postgres import Postgres
from servers.proxy import Proxy

SEED = int(os.environ.get("CHAOS_SEED", random.randrange(2**32)))

_CAPTURES = range(1, 201)
_A_BATCH = 4
_MOST_BYTES = 200_000
"""More than a batch weighs on its way."""


@pytest.fixture
def site(tmp_path: Path, postgres_server: Postgres) -> Site:
    """An empty warehouse, and the home of a program."""
    dsn = postgres_server.new_database()
    prepare(dsn, [])
    return Site(tmp_path, BusSettings(), dsn, Spark(tmp_path, tmp_path))


@pytest.fixture
def link(site: Site) -> Iterator[Proxy]:
    with Proxy(site.folder / "link", int(str(conninfo_to_dict(site.dsn)["port"]))) as link:
        yield link


def test_cut_at_any_byte_and_behind_any_commit_it_loads_each_capture_once(site: Site, link: Proxy) -> None:
    print(f"CHAOS_SEED={SEED}", flush=True)
    dice, captures = random.Random(SEED), [capture(number) for number in _CAPTURES]
    folder = site.folder / ".local/share/coinlake"
    claim(folder, "live")
    with (
        SqliteLake(folder / "lake.db") as lake,
        PostgresWarehouse(make_conninfo(site.dsn, port=link.port)) as warehouse,
    ):
        for one in captures:
            lake.append(one)
        pipeline = Pipeline(
            lake,
            warehouse,
            refinery(Settings()),
            RefineSettings(batch_captures=_A_BATCH),
            clock=SystemClock(),
            observe=plugin_loading.load([]).observe,
        )
        cuts = lost = 0
        while lake.count_after(_position(site)):
            struck = (
                link.lose_reply(behind(b"INTO batches", b"COMMIT"))
                if dice.random() < 0.5
                else link.cut_after(dice.randrange(1, _MOST_BYTES))
            )
            before = _position(site)
            try:
                pipeline.step()
            except TryAgain:
                assert struck.is_set()
                cuts, lost = cuts + 1, lost + (_position(site) > before)
            link.mend()
    print(f"{cuts} cuts, {lost} of them behind a commit")
    assert 0 < lost < cuts
    whole = quotes_of(one for one in captures if not is_broken(int(one.run_id)))
    assert held_quotes(site) == whole
    assert held_candles(site) == candles_of(whole)
    done = Program(site.folder, {"COINLAKE_WAREHOUSE__DSN": site.dsn})("verify")
    assert done.returncode == 0, done.stdout + done.stderr


def _position(site: Site) -> int:
    found = site.rows("SELECT position FROM position")
    return int(found[0][0]) if found else 0
