"""A real scheduler at work: slots one after the other, retries, a kill, plugins that come and break.

One Airflow serves all tests of this file, in their order, while CoinGecko's slots go by.
"""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from coinlake.clock import SystemClock
from coinlake.schedule import slot_at
from coinlake.testing.faults import Fault
from coinlake.testing.mimic import Answer, Question
from coinlake.testing.recordings import Recording, load
from coinlake.testing.replay import ReplayServer
from coinlake_coingecko.mimic import CoinGeckoMimic
from coinlake_coingecko.recordings import FOLDER
from observability.receiver import Receiver
from scheduling.airflow import Airflow, Try
from scheduling.scene import Scene

pytestmark = pytest.mark.timeout(600)  # the first test of a machine unpacks Airflow

CADENCE = timedelta(seconds=20)
"""Of CoinGecko's slots here. All others have a slot that no test outlasts."""
ASKED_S = 8
"""What a busy venue asks to be left alone for: longer than a pause that nobody asked for."""

TELLING: dict[str, str] = yaml.safe_load(
    Path("ops/compose/observability.yaml").absolute().read_text(encoding="utf-8")
)["x-told-by-airflow"]
"""What makes Airflow tell of itself, as it is shipped."""

DROPPED_IN = """
from functools import partial
from coinlake.plugins import SourcePlugin, hookimpl
from scheduling.plain import Plain, PlainSettings

@hookimpl
def coinlake_sources():
    return [SourcePlugin("dropped", PlainSettings, partial(Plain, "dropped"))]
"""
BROKEN = "raise RuntimeError('this venue has moved')\n"


class PlainMimic:
    """A venue that always says the same, page by page, and knows when it was asked."""

    base = ""

    def __init__(self) -> None:
        self.asked: list[datetime] = []

    def answer(self, question: Question, visible: Sequence[Recording], now: datetime) -> Answer:
        self.asked.append(now)
        return Answer(200, {"content-type": "application/json"}, f'"{question.path}"'.encode())


@dataclass
class Site:
    """The scene while its servers run, and its venues."""

    scene: Scene
    began: datetime
    collector: Receiver
    busy: PlainMimic
    venues: dict[str, ReplayServer] = field(default_factory=dict)

    @property
    def airflow(self) -> Airflow:
        return self.scene.airflow

    def ended(self, dag_id: str, runs: int = 1, task_id: str = "capture") -> list[Try]:
        """The task in so many runs of a DAG, once it has succeeded in each of them."""

        def enough() -> list[Try] | None:
            tries = [one for one in self.airflow.tries(dag_id, task_id) if one.state == "success"]
            return tries if len(tries) >= runs else None

        return self.airflow.wait_until(enough)


@pytest.fixture(scope="module")
def site(scene: Scene) -> Iterator[Site]:
    """Airflow serves; one venue asks to wait at first, and one falls silent over its second page."""
    clock = SystemClock()
    waits = Fault("retry_after_s", after_s=ASKED_S, times=1)
    silence = Fault("hang", every=2, times=1)
    mimic = PlainMimic()
    with (
        ReplayServer(load(FOLDER / "coins_markets"), CoinGeckoMimic(), clock) as coingecko,
        ReplayServer([], mimic, clock, faults=[waits]) as busy,
        ReplayServer([], PlainMimic(), clock, faults=[silence]) as slow,
        Receiver() as collector,
    ):
        scene.sources = {
            "coingecko": {"root": coingecko.root, "every": f"{CADENCE.seconds}s"},
            "busy": {"root": busy.root},
            "slow": {"root": slow.root, "pages": 2},
        }
        scene.configure()
        scene.airflow.import_pools()
        scene.airflow.variables |= TELLING | collector.environment
        began = datetime.now(UTC)
        with scene.airflow.serving():
            yield Site(scene, began, collector, mimic, {"coingecko": coingecko, "busy": busy, "slow": slow})


def capturing(home: Path, source: str) -> int | None:
    """The process of the program that captures a source for this Airflow."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            said = (folder / "cmdline").read_bytes().split(b"\0")
            if b"--slot" in said and source.encode() in said and (folder / "cwd").readlink() == home:
                return int(folder.name)
        except OSError:
            continue  # it ended meanwhile
    return None


def parent_of(pid: int) -> int:
    """The process that started another."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_task_that_is_killed_in_its_middle_is_made_whole_by_its_retry(site: Site) -> None:
    site.airflow.wait_until(lambda: site.venues["slow"].calls == 2)
    program = site.airflow.wait_until(lambda: capturing(site.scene.program.home, "slow"))
    ((killed,), task) = site.airflow.tries("capture_slow_ticks"), parent_of(program)
    os.kill(task, signal.SIGKILL)
    os.kill(program, signal.SIGKILL)
    (made_whole,) = site.ended("capture_slow_ticks")
    assert made_whole.tries > killed.tries
    assert [(capture.page, capture.slot) for capture in site.scene.captured("slow")] == [
        (page, made_whole.slot) for page in (1, 2)
    ]


def test_a_retry_waits_as_long_as_the_venue_asked(site: Site) -> None:
    (last,) = site.ended("capture_busy_ticks")
    assert (last.tries > 1, last.pool) == (True, "coinlake_busy")
    refused_at, answered_at = site.busy.asked
    assert answered_at - refused_at >= timedelta(seconds=ASKED_S)


def test_what_a_task_captures_is_in_the_trace_of_its_run(site: Site) -> None:
    (last,) = site.ended("capture_busy_ticks")
    (capture,) = site.scene.captured("busy")
    _, trace_id, _, _ = capture.traceparent.split("-")

    def task_run(told: Receiver) -> str | None:
        for span in told.named("worker.capture"):
            tried = (span.attributes["airflow.dag_id"], span.attributes["airflow.task_instance.try_number"])
            if span.trace_id == trace_id and tried == ("capture_busy_ticks", last.tries):
                return span.span_id
        return None

    span_id = site.collector.wait(task_run)
    assert site.collector.wait(
        lambda told: [span for span in told.named("coinlake-capture") if span.parent_id == span_id]
    )


def test_airflow_tells_of_its_hearts_and_how_each_try_ended(site: Site) -> None:
    (last,) = site.ended("capture_busy_ticks")

    def ends(told: Receiver) -> Counter[str]:
        counted = Counter[str]()
        for point in told.of("airflow.ti.finish", dag_id="capture_busy_ticks", task_id="capture"):
            assert point.is_delta
            counted[point.attributes["state"]] += int(point.value)
        return counted

    assert site.collector.wait(lambda told: ends(told) == {"up_for_retry": last.tries - 1, "success": 1})
    for part in ("scheduler", "dag_processor"):
        beats = site.collector.wait(partial(Receiver.of, metric=f"airflow.{part}_heartbeat"))
        assert {one.service for one in beats} == {f"airflow-{part.replace('_', '-')}"}
        assert all(one.is_delta for one in beats)


def test_runs_that_are_cleared_or_overlap_add_nothing_twice(site: Site) -> None:
    (run,) = site.ended("capture_busy_ticks")
    before = site.scene.captured("busy")
    site.airflow.order("dags/capture_now/dagRuns", {"logical_date": None, "conf": {"feed": "busy/ticks"}})
    site.airflow.order(
        "dags/capture_busy_ticks/clearTaskInstances",
        {"dag_run_id": run.run_id, "dry_run": False, "only_failed": False},
    )
    site.airflow.wait_until(
        lambda: [
            again
            for again in site.airflow.tries("capture_busy_ticks")
            if again.state == "success" and again.start_date != run.start_date
        ]
    )
    site.ended("capture_now", task_id="load")
    assert site.scene.captured("busy") == before
    assert site.venues["busy"].calls == 3  # what captures now asks again; what was cleared does not


def test_a_plugin_that_is_dropped_in_adds_its_dag_which_waits_for_its_pool(site: Site) -> None:
    (site.scene.program.home / "dropped_in.py").write_text(DROPPED_IN)
    site.scene.plugins.append("dropped_in")
    with ReplayServer([], PlainMimic(), SystemClock()) as venue:
        site.scene.sources["dropped"] = {"root": venue.root}
        site.scene.configure()
        site.airflow.wait_until(
            lambda: [one.state for one in site.airflow.tries("capture_dropped_ticks")] == ["scheduled"]
        )
        assert venue.calls == 0
        site.airflow.import_pools()
        site.ended("capture_dropped_ticks")
        assert [capture.page for capture in site.scene.captured("dropped")] == [1]


def test_a_plugin_that_breaks_is_an_import_error_with_its_name_and_stops_no_capture(site: Site) -> None:
    (site.scene.program.home / "moved_venue.py").write_text(BROKEN)
    site.scene.plugins.append("moved_venue")
    site.scene.configure()
    ((said,),) = site.airflow.wait_until(partial(site.airflow.ask, "SELECT stacktrace FROM import_error"))
    assert "Plugin moved_venue cannot be loaded: RuntimeError: this venue has moved" in said
    captured = len(site.ended("capture_coingecko_markets"))
    site.ended("capture_coingecko_markets", captured + 1)
    ((stale,),) = site.airflow.ask("SELECT count(*) FROM dag WHERE is_stale")
    assert stale == 0

    site.scene.plugins.remove("moved_venue")
    site.scene.configure()
    site.airflow.wait_until(lambda: not site.airflow.ask("SELECT 1 FROM import_error"))


def test_slots_come_one_after_the_other_from_the_present_one_on_and_each_is_captured_by_its_run(
    site: Site,
) -> None:
    site.ended("capture_coingecko_markets", 3)
    tries = site.airflow.tries("capture_coingecko_markets")
    slots = [one.slot for one in tries if one.slot]
    assert slots[0] >= slot_at(site.began, CADENCE)  # none of the months since the DAG's start date
    assert all(slot < later and (later - slot) % CADENCE == timedelta(0) for slot, later in pairwise(slots))

    captured = {capture.slot for capture in site.scene.captured("coingecko")}
    for one in tries:
        if one.state == "success":
            assert one.slot in captured
        elif one.state == "skipped":
            assert "has passed" in (one.why_skipped or "")
    assert captured <= set(slots)


def test_what_landed_in_the_lake_is_loaded_by_the_run_that_it_starts(site: Site) -> None:
    def told(uri: str) -> int:
        sql = "SELECT count(*) FROM asset_event JOIN asset ON asset.id = asset_id WHERE uri = %s"
        return int(site.airflow.ask(sql, uri)[0][0])

    assert told("x-coinlake://lake/coingecko/markets") >= 3
    assert told("x-coinlake://warehouse") >= 1
    loaded = json.loads(site.scene.program("--json", "query", "SELECT count(*) FROM quotes").stdout)
    assert loaded[0]["count"] > 0


def test_the_last_day_is_verified(site: Site) -> None:
    run = site.airflow.order("dags/verify_yesterday/dagRuns", {"logical_date": None})["dag_run_id"]
    site.airflow.wait_until(
        lambda: (
            ("success", run)
            in [(one.state, one.run_id) for one in site.airflow.tries("verify_yesterday", "verify")]
        )
    )
