"""The distributed pipeline as processes on real servers, with three venues before it and all that watches."""

from __future__ import annotations

import math
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from chaos.processes import Program
from coinlake.model import Capture
from coinlake.quota import month_end
from coinlake.schedule import RESERVED_SHARE
from coinlake.settings import Secret
from coinlake_lake.mongo import MongoLake
from coinlake_lake.mongo_setup import set_up
from command_line import program as command_line
from distributed.site import Site
from distributed.site import until as wait_until
from observed.venues import BITCOIN, Venue, coingecko_page
from observed.watching import Watching
from servers.fixtures import Spark
from servers.kafka import Kafka
from servers.mongod import Mongo
from servers.ports import HOST, Port
from servers.postgres import Postgres

PLENTY, FEW = 1_000_000_000, 10
"""Credits a month: more than can be spent, and fewer than have been."""
_EVERY_S = 2
"""CoinGecko is asked so often, where its credits last."""
RETENTION_S = 2910
"""Of the topic: half a minute more than what an alert, thirty times as fast, takes for too little."""
_SETTINGS = """
profile = "distributed"

[page]
port = {page}

[fetch]
attempts = 2

[sources.coingecko]
root = "{coingecko}"
top = 1
every = "{every_s}s"
calls_per_minute = 100000

[sources.binance]
root = "{binance}"
symbols = ["BTCUSDT"]
ticker_every = "2s"

[sources.coinbase]
root = "{coinbase}"
products = ["BTC-USD"]
ticker_every = "2s"
"""


@dataclass(frozen=True)
class Scene:
    """Everything, running."""

    site: Site
    lake_url: Secret
    kafka: Kafka
    venues: Mapping[str, Venue]
    run: Program
    producer: Program
    spark: Program
    coinlake: command_line.Program
    watching: Watching
    page: str
    """Where people open the page, which the program that asks the venues serves."""

    @classmethod
    @contextmanager
    def running(cls, folder: Path, spark: Spark) -> Iterator[Scene]:
        """All of it but the program that asks the venues; killed at the end, with last words on a failure."""
        with ExitStack() as stack:
            mongo = stack.enter_context(Mongo(folder / "mongo", members=1))
            kafka = stack.enter_context(Kafka(folder / "kafka"))
            postgres = stack.enter_context(Postgres(folder / "postgres"))
            venues = {kind: stack.enter_context(Venue(kind)) for kind in ("coingecko", "binance", "coinbase")}
            lake_url = Secret(urlsplit(mongo.uri)._replace(path="/coinlake").geturl())
            set_up(lake_url)
            page = Port(folder / "page.port")
            stack.callback(page.release)
            site = _site(folder, kafka, postgres, spark, venues, page.number)
            probed = {"mongodb": _address(mongo.uri), "kafka": kafka.bootstrap_servers}
            logs = str(folder / "*.log")
            watching = stack.enter_context(Watching.over(folder / "watching", site.dsn, probed, logs))
            scene = cls._made(site, lake_url, kafka, venues, watching, page.number)
            programs = (scene.run, scene.producer, scene.spark)
            try:
                scene.producer.start()
                scene.spark.start()
                yield scene
            except KeyboardInterrupt:  # a person has seen enough
                raise
            except BaseException:
                print(*(program.last_words() for program in programs), sep="\n\n")
                print(watching.collector.last_words(), watching.prometheus.last_words(), sep="\n\n")
                raise
            finally:
                for program in programs:
                    program.kill()

    @classmethod
    def _made(
        cls,
        site: Site,
        lake_url: Secret,
        kafka: Kafka,
        venues: Mapping[str, Venue],
        watching: Watching,
        page: int,
    ) -> Scene:
        told = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{watching.collector.address('otlp_http')}",
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
            "OTEL_BSP_SCHEDULE_DELAY": "500",
        }
        servers = {
            "COINLAKE_LAKE__URL": lake_url.get_secret_value(),
            "COINLAKE_WAREHOUSE__DSN": site.dsn,
            "COINLAKE_SOURCES__COINGECKO__CREDITS_PER_MONTH": str(PLENTY),
        }
        coinlake = command_line.Program(site.folder, servers | told)
        config = f"--config={site.config}"
        return cls(
            site=site,
            lake_url=lake_url,
            kafka=kafka,
            venues=venues,
            run=_run(coinlake, {}),
            producer=Program(
                site.folder,
                "coinlake-producer",
                [sys.executable, "-m", "coinlake_producer.main", config],
                coinlake.variables(),
            ),
            spark=Program(
                site.folder,
                "coinlake-spark",
                [sys.executable, "-m", "coinlake_spark.main", config],
                site.spark_environment() | told,
            ),
            coinlake=coinlake,
            watching=watching,
            page=f"http://{HOST}:{page}",
        )

    def begin(self) -> None:
        """Waits until Spark loads what the lake has, and begins to ask the venues."""
        self.append_now()
        wait_until(self.site.loaded)
        self.run.start()

    def append_now(self) -> None:
        """Puts a capture of now into the lake."""
        with MongoLake(self.lake_url) as lake:
            now = datetime.now(UTC)
            lake.append(_capture(now, msgspec.json.encode(coingecko_page(BITCOIN, now))))

    def newest_captures(self) -> Iterator[tuple[str, str]]:
        """The ids of the newest captures that are loaded and have a trace, each with the id of that trace."""
        with MongoLake(self.lake_url) as lake:
            for (capture_id,) in self.site.rows(
                "SELECT capture_id FROM loaded_captures ORDER BY position DESC LIMIT 20"
            ):
                held = lake.find(capture_id)
                if held and held.capture.traceparent:
                    yield str(capture_id), held.capture.traceparent.split("-")[1]

    def hops(self, trace_id: str) -> Mapping[str, list[str]]:
        """The spans of a trace, by the program that sent them."""
        found: dict[str, list[str]] = {}
        for span in self.watching.traces.trace(trace_id):
            found.setdefault(span["service"], []).append(span["operationName"])
        return found

    def freeze_broker(self) -> None:
        """The broker takes connections and does nothing, until it is killed."""
        os.kill(self.kafka.pid, signal.SIGSTOP)

    def mend(self) -> None:
        """Makes everything well again that was broken, whatever it was."""
        for venue in self.venues.values():
            venue.mood, venue.price = "well", BITCOIN
        if not self.watching.logs.runs:
            self.watching.logs.start()
        if not self.kafka.runs:
            self.kafka.start()
        for program in (self.run, self.producer, self.spark):
            program.revive()

    def with_credits(self, credits_a_month: int) -> Program:
        """The program that asks the venues, as it would be with so many credits at CoinGecko."""
        return _run(self.coinlake, {"COINLAKE_SOURCES__COINGECKO__CREDITS_PER_MONTH": str(credits_a_month)})

    @property
    def credits_left(self) -> int:
        """Of CoinGecko's month, as Prometheus knows it."""
        asked = 'max(coinlake_source_quota_left{source="coingecko", period="month"})'
        return int(float(self.watching.prometheus.ask(asked)[0]["value"][1]))

    def half_the_credits(self) -> int:
        """Credits a month, so many that CoinGecko can be asked half as often as it should until its end."""
        now = datetime.now(UTC)
        slots = (month_end(now) - now).total_seconds() / _EVERY_S
        return math.ceil((PLENTY - self.credits_left + slots / 2) / (1 - RESERVED_SHARE))

    def backfill(self, price: float, captures: int) -> None:
        """Puts captures of a day and half an hour ago into the lake, with that price of Bitcoin."""
        began = datetime.now(UTC) - timedelta(days=1, minutes=30)
        with MongoLake(self.lake_url) as lake:
            for number in range(captures):
                slot = began + timedelta(milliseconds=number)
                lake.append(_capture(slot, msgspec.json.encode(coingecko_page(price, slot))))


def _site(
    folder: Path, kafka: Kafka, postgres: Postgres, spark: Spark, venues: Mapping[str, Venue], page: int
) -> Site:
    site = Site.made(folder, kafka, postgres, spark)
    roots = {kind: venue.root for kind, venue in venues.items()}
    servers = site.config.read_text(encoding="utf-8")
    kept = servers.replace("[bus]\n", f'[bus]\nretention = "{RETENTION_S}s"\n')
    site.config.write_text(_SETTINGS.format(page=page, every_s=_EVERY_S, **roots) + kept, encoding="utf-8")
    return site


def _run(coinlake: command_line.Program, more: Mapping[str, str]) -> Program:
    """The program that asks the venues, and says all that it does."""
    variables = {**coinlake.variables(), **more}
    return Program(coinlake.home, "coinlake-run", coinlake.command("--verbose", "run"), variables)


def _capture(slot: datetime, body: bytes) -> Capture:
    return Capture(
        source="coingecko",
        dataset="markets",
        slot=slot,
        page=1,
        url="https://api.coingecko.com/api/v3/coins/markets",
        params=(("vs_currency", "usd"),),
        status=200,
        headers={},
        body=body,
        requested_at=slot,
        received_at=slot,
        run_id="a backfill",
        plugin_version="1",
        traceparent="",
    )


def _address(uri: str) -> str:
    """Host and port of the first server that a connection string names."""
    return urlsplit(uri).netloc.split("@")[-1].split(",")[0]
