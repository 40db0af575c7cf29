"""Whatever a venue sends ends as a kept capture, dead letters or a refusal told; neighbours load."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coinlake.clock import Clock
from coinlake.settings import Settings
from coinlake.testing.clock import ReplayClock, ReplaySchedule
from coinlake.testing.faults import Fault
from coinlake.testing.recordings import load
from coinlake.testing.replay import ReplayServer
from coinlake_cli.commands.verify import _refined
from coinlake_cli.deployment import Deployment, opened
from coinlake_cli.feeds import feeds_of, fetching
from coinlake_cli.replaying import captures_of, replay_captures
from coinlake_coingecko.mimic import CoinGeckoMimic
from coinlake_coingecko.recordings import DAILY
from coinlake_warehouse.embedded import EmbeddedServer
from coinlake_warehouse.verify import verify

KEY = "CG-a-key-that-must-appear-nowhere"
FILES = sorted(DAILY.glob("*.json"))[:3]
ROWS = 100


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path_factory.mktemp("server"), durable=False) as embedded:
        yield embedded


@pytest.fixture
def dsn(server: EmbeddedServer, request: pytest.FixtureRequest) -> str:
    """The address of a database of the test's own."""
    import psycopg

    name = f"faults_{abs(hash(request.node.nodeid))}"
    with psycopg.connect(server.dsn, autocommit=True) as session:
        session.execute(f'CREATE DATABASE "{name}"'.encode())
    return server.dsn.rsplit("/", 1)[0] + f"/{name}"


class Run:
    """Recordings polled once each through the real fetcher, and loaded."""

    def __init__(self, folder: Path, dsn: str, **settings: Any) -> None:
        self.recordings = folder / "recordings"
        self.recordings.mkdir(parents=True)
        for file in FILES:
            shutil.copy(file, self.recordings)
        self._folder = folder
        self._settings = {"warehouse": {"dsn": dsn}, "folder": folder / "deployment", **settings}

    def change(self, row: str) -> None:
        """Puts a row's JSON text in the place of the middle page's first row."""
        file = self.recordings / FILES[1].name
        rows = json.loads(file.read_bytes())
        texts = [row, *(json.dumps(other) for other in rows[1:])]
        file.write_text(f"[{','.join(texts)}]")
        # Told by its URL, since its content need not look like a page of markets any more.
        url = "https://api.coingecko.com/api/v3/coins/markets?vs_currency=usd"
        (self.recordings / f"{file.name}.headers.json").write_text(json.dumps({"url": url}))

    def go(self, *faults: Fault) -> tuple[dict[str, Any], str | None, str]:
        """What `state` and `warehouse` hold at the end: counts, the last error told, and all kept text."""
        answers = load(self.recordings)
        assert answers[0].recorded_at
        clock = ReplayClock(answers[0].recorded_at, speed=10_000_000)
        mimic = CoinGeckoMimic(plan="demo", key=KEY)
        with ReplayServer(answers, mimic, clock, faults=faults) as venue:
            source = {"root": venue.root, "plan": "demo", "api_key": KEY, "credits_per_month": 10**9}
            settings = Settings(sources={"coingecko": source}, **self._settings)
            with opened(settings, kind="demo", clock=clock) as deployment:
                told = asyncio.run(self._poll(deployment, clock, answers))
                deployment.pipeline.catch_up()
                return self._seen(deployment), told, self._text()

    async def _poll(self, deployment: Deployment, clock: Clock, answers: list[Any]) -> str | None:
        told = None
        async with fetching(deployment) as fetcher:
            (feed,) = feeds_of(deployment, fetcher)
            schedule = ReplaySchedule(clock, answers, feed.dataset.cadence, once=True)  # type: ignore[arg-type]
            async for slot in schedule.slots():
                await feed.feed.capture(slot)
                told = deployment.state.feeds()[0].last_error or told
        return told

    def _seen(self, deployment: Deployment) -> dict[str, Any]:
        totals = deployment.reader.totals()
        replayed = replay_captures(deployment, deployment.lake.scan())
        assert replayed.quotes_new == 0
        refused = captures_of(deployment, deployment.reader.dead_letter_keys())
        ids = {letter.capture_id for letter in deployment.reader.dead_letters()}
        assert replay_captures(deployment, refused).captures == len(ids)
        assert deployment.reader.totals().dead_letters == totals.dead_letters
        captures = deployment.lake.scan()
        report = verify(deployment.addresses.owner, deployment.lake.id, _refined(deployment, captures))
        assert report.clean, report
        letters = deployment.reader.dead_letters()
        reasons = [reason for letter in letters for reason in letter.reasons]
        return {
            "captures": deployment.lake.end(),
            "quotes": totals.quotes,
            "letters": totals.dead_letters,
            "reasons": reasons,
            "stages": {letter.stage for letter in letters},
        }

    def _text(self) -> str:
        kept = (file for file in (self._folder / "deployment").rglob("*") if file.is_file())
        return "".join(file.read_bytes().decode("latin-1") for file in kept)


@pytest.mark.parametrize(
    ("kind", "options", "captures"),
    [
        ("status", {"status": 500}, 3),
        ("retry_after_ms", {}, 3),
        ("retry_after_s", {"after_s": 1}, 3),
        ("retry_after_date", {"after_s": 1}, 3),
        ("retry_after_none", {}, 3),
        ("truncated", {}, 3),
        ("error_under_200", {}, 3),
        ("ban", {"after_s": 10**6}, 1),
        ("redirect", {}, 2),
        ("huge", {"body_bytes": 60 * 1024 * 1024}, 2),
    ],
)
def test_a_fault_of_the_venue_costs_at_most_its_slot_and_is_told(
    kind: Any,
    options: dict[str, Any],
    captures: int,
    tmp_path: Path,
    dsn: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    fault = Fault(kind, every=2, times=1, **options)
    seen, told, kept = Run(tmp_path, dsn).go(fault)
    assert seen["captures"] == captures
    assert seen["quotes"] == captures * ROWS
    assert seen["letters"] == 0
    assert (told is None) == (captures == 3)
    assert KEY not in kept + "".join(capfd.readouterr()) + str(told)


@pytest.mark.parametrize(("kind", "reason"), [("html_under_200", "not_an_array"), ("cut_json", "truncated")])
def test_a_body_that_is_no_page_is_kept_and_refused_row_by_row(
    kind: Any, reason: str, tmp_path: Path, dsn: str
) -> None:
    seen, told, _ = Run(tmp_path, dsn).go(Fault(kind, every=2, times=1))
    assert told is None
    assert seen["captures"] == 3
    assert seen["letters"] == 1
    assert seen["reasons"][0].startswith(reason)
    assert 2 * ROWS <= seen["quotes"] < 3 * ROWS


GOOD = json.loads(FILES[1].read_bytes())[0]


def row(**changes: Any) -> str:
    """A good row's JSON with members changed."""
    return json.dumps(GOOD | changes)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (json.dumps({key: value for key, value in GOOD.items() if key != "id"}), "missing_key: id"),
        (row().replace('"symbol"', '"id": "again", "symbol"', 1), "duplicate_key"),
        (row(current_price=float("nan")), "not_a_number: current_price is NaN"),
        (row(current_price=float("inf")), "not_a_number: current_price is Infinity"),
        (row(current_price=10**400), "implausible"),
        (row(total_supply=10**40), "implausible"),
        (row(current_price="65,975"), "not_a_number: current_price is a text"),
        (row(last_updated="2099-01-01T00:00:00Z"), "future_time"),
        (row(current_price=-1), "negative"),
    ],
)
def test_a_bad_row_is_a_dead_letter_and_its_neighbours_load(
    bad: str, reason: str, tmp_path: Path, dsn: str
) -> None:
    run = Run(tmp_path, dsn)
    run.change(bad)
    seen, told, _ = run.go()
    assert told is None
    assert (seen["captures"], seen["quotes"], seen["letters"]) == (3, 3 * ROWS - 1, 1)
    assert any(said.startswith(reason) for said in seen["reasons"]), seen["reasons"]


@pytest.mark.parametrize(
    "odd",
    [row(new_key=[1.10]), row(new_key=json.loads("[" * 50 + "]" * 50)), row(current_price=None)],
    ids=["a key added", "50 levels", "no price"],
)
def test_what_is_odd_but_possible_loads_whole(odd: str, tmp_path: Path, dsn: str) -> None:
    run = Run(tmp_path, dsn)
    run.change(odd)
    seen, _, _ = run.go()
    assert (seen["quotes"], seen["letters"]) == (3 * ROWS, 0)


def test_a_capture_that_only_the_server_refuses_is_quarantined_alone(tmp_path: Path, dsn: str) -> None:
    run = Run(tmp_path, dsn, refine={"steps": ("deduplicate",)})  # no step that would see the NUL
    run.change(row(name="\0"))
    seen, told, _ = run.go()
    assert told is None
    assert seen["stages"] == {"load"}
    assert (seen["captures"], seen["quotes"], seen["letters"]) == (3, 2 * ROWS, 1)
