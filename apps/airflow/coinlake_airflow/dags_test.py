"""Every DAG there is: made from the catalogue in no time, and none lost to a plugin that is broken."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import AssetAny
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    AirflowTaskTimeout,
)
from airflow.sdk.execution_time.timeout import TimeoutPosix
from airflow.serialization.serialized_objects import DagSerialization
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from pendulum import datetime

from coinlake_airflow import folders
from coinlake_airflow.catalogue import read
from coinlake_airflow.making import STARTED_AT
from coinlake_airflow.pools import pools
from coinlake_airflow.program import Away, Coinlake, HonourRetryAfter, answered, environment, present_trace
from coinlake_airflow.timetable import SlotTimetable

PARSING_S = 1.0
DAGS = folders.settings()["AIRFLOW__CORE__DAGS_FOLDER"]
UPKEEP = {"load_warehouse", "check_freshness", "verify_yesterday", "capture_now"}

Write = Callable[..., Path]


def feed(
    source: str, dataset: str, every_s: float, has_past: bool = False, at_once: int = 1
) -> dict[str, Any]:
    """As the program writes it."""
    return {
        "source": source,
        "dataset": dataset,
        "every_s": every_s,
        "has_past": has_past,
        "at_once": at_once,
        "root": f"https://{source}.example",
    }


FEEDS = [feed("coingecko", "markets", 180.0), feed("binance", "klines", 420.0, has_past=True, at_once=3)]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a catalogue where Airflow looks for it."""
    file = tmp_path / "catalogue.json"
    monkeypatch.setenv("AIRFLOW__COINLAKE__CATALOGUE", str(file))

    def write(
        feeds: Sequence[dict[str, Any]] = FEEDS, broken: Sequence[str] = (), prunes: bool = False
    ) -> Path:
        page = "http://127.0.0.1:8377/"
        document = {"program": "1", "page": page, "prunes": prunes, "feeds": feeds, "broken": broken}
        file.write_text(json.dumps(document))
        return file

    return write


def bag() -> DagBag:
    """All DAGs, as Airflow's processor parses them."""
    return DagBag(DAGS)


def test_each_feed_has_a_dag_of_its_cadence_and_no_other(write: Write) -> None:
    write()
    found = bag()
    assert found.import_errors == {}
    assert set(found.dags) == {"capture_coingecko_markets", "capture_binance_klines", *UPKEEP}
    assert vars(found.dags["capture_coingecko_markets"].timetable) == vars(
        SlotTimetable(timedelta(minutes=3))
    )
    write([*FEEDS, feed("kraken", "ticker", 60.0)])
    assert set(bag().dags) - set(found.dags) == {"capture_kraken_ticker"}


def test_pruning_has_a_dag_only_where_the_settings_want_it(write: Write) -> None:
    write(prunes=True)
    assert set(bag().dags) >= {"prune_warehouse", *UPKEEP}
    write()
    assert "prune_warehouse" not in bag().dags


def test_parsing_opens_no_connection_and_takes_no_second(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: object) -> None:
        raise AssertionError(f"a connection to {given} while parsing")

    write([feed(f"venue{number}", "ticker", 60.0) for number in range(50)])
    bag()  # Airflow imports itself once a process
    monkeypatch.setattr(socket.socket, "connect", refuse)
    began = time.monotonic()
    found = bag()
    assert time.monotonic() - began < PARSING_S
    assert len(found.dags) == 50 + len(UPKEEP)


def test_a_broken_plugin_is_an_import_error_with_its_name_and_leaves_the_other_dags(write: Write) -> None:
    write(broken=["Plugin moved_venue cannot be loaded: RuntimeError: it has moved."])
    found = bag()
    (error,) = found.import_errors.values()
    assert "Plugin moved_venue cannot be loaded" in error
    assert "capture_coingecko_markets" in found.dags


def test_a_catalogue_that_is_not_there_is_an_import_error_that_says_how_to_write_it(write: Write) -> None:
    write().unlink()
    errors = bag().import_errors.values()
    assert errors
    assert all("Write it by `coinlake catalogue -o" in error for error in errors)


def test_every_dag_has_an_owner_docs_tags_links_and_bounds(write: Write) -> None:
    write()
    for dag in bag().dags.values():
        assert dag.owner_links == {"coinlake": "http://127.0.0.1:8377/"}
        assert "docs/airflow.md" in (dag.doc_md or "")
        assert "ops/runbooks/" in (dag.doc_md or "")
        assert "http://127.0.0.1:8377/" in (dag.doc_md or "")
        assert "coinlake" in dag.tags
        assert (dag.max_active_runs, dag.catchup, dag.is_paused_upon_creation) == (1, False, False)
        for task in dag.tasks:
            assert task.owner == "coinlake"
            assert task.execution_timeout


def test_every_dag_survives_how_airflow_keeps_it(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write()
    for dag in bag().dags.values():
        kept = json.loads(json.dumps(DagSerialization.to_dict(dag)))
        assert kept["dag"]["dag_id"] == dag.dag_id


def test_captures_of_all_feeds_lead_to_the_one_load(write: Write) -> None:
    write()
    dags = bag().dags
    landed = {
        outlet.uri
        for dag_id in ("capture_coingecko_markets", "capture_binance_klines")
        for outlet in dags[dag_id].task_dict["capture"].outlets
    }
    condition = dags["load_warehouse"].schedule
    assert isinstance(condition, AssetAny)
    waited_for = {getattr(asset, "uri", None) for asset in condition.objects}
    assert landed == waited_for == {"x-coinlake://lake/coingecko/markets", "x-coinlake://lake/binance/klines"}
    (loaded,) = dags["load_warehouse"].task_dict["load"].outlets
    assert loaded.uri == "x-coinlake://warehouse"


def test_each_source_has_the_pool_its_tasks_ask_for(write: Write) -> None:
    made = pools(read(write()))
    assert {name: pool["slots"] for name, pool in made.items()} == {
        "coinlake_coingecko": 1,
        "coinlake_binance": 3,
    }
    assert {dag.task_dict["capture"].pool for name, dag in bag().dags.items() if name not in UPKEEP} == set(
        made
    )


@pytest.mark.parametrize("cadence", [timedelta(minutes=3), timedelta(minutes=7), timedelta(seconds=90)])
def test_slots_are_whole_multiples_of_the_cadence_and_follow_each_other(cadence: timedelta) -> None:
    slots = SlotTimetable.deserialize(SlotTimetable(cadence).serialize())
    moment = datetime(2026, 3, 1, 12, 1, 29)
    interval = slots.infer_manual_data_interval(run_after=moment)
    assert interval.start.timestamp() % cadence.total_seconds() == 0
    assert interval.start <= moment < interval.end == interval.start + cadence


def test_slots_that_went_by_are_left_out_but_for_the_present_one() -> None:
    from airflow.timetables.base import TimeRestriction

    slots = SlotTimetable(timedelta(minutes=3))
    long_ago = slots.infer_manual_data_interval(run_after=datetime(2026, 3, 1))
    for catchup in (False, True):
        bounds = TimeRestriction(earliest=STARTED_AT, latest=None, catchup=catchup)
        after = slots.next_dagrun_info(last_automated_data_interval=long_ago, restriction=bounds)
        assert after is not None
        assert after.data_interval is not None
        assert after.run_after == after.data_interval.start
        assert (after.data_interval.start == long_ago.end) is catchup


def slot(outcome: str, **given: object) -> str:
    """A document of `coinlake capture`."""
    return json.dumps([{"outcome": outcome, "trouble": "because", "after_s": None} | given])


@pytest.mark.parametrize(
    ("code", "out", "state"),
    [
        (4, slot("held"), AirflowSkipException),
        (5, slot("passed"), AirflowSkipException),
        (4, slot("away", after_s=30.0), Away),
        (4, "", Away),
        (70, slot("defect"), Away),
        (-9, "", Away),
        (3, slot("wrong"), AirflowFailException),
        (5, slot("refused"), AirflowFailException),
        (1, "{}", AirflowFailException),
    ],
)
def test_each_end_of_the_program_is_a_state_with_its_reason(
    code: int, out: str, state: type[AirflowException]
) -> None:
    with pytest.raises(state, match="because"):
        answered(code, out, "coinlake: because\n")


def test_a_retry_waits_as_long_as_the_venue_asked_but_never_into_the_next_slot() -> None:
    away = Away("HTTP 429", after_s=3600)
    assert HonourRetryAfter(slots_end=False).evaluate(away, 1, 2).retry_delay == timedelta(hours=1)
    over: Any = {"data_interval_end": datetime(2026, 3, 1)}
    assert HonourRetryAfter(slots_end=True).evaluate(away, 1, 2, over).action.value == "fail"
    assert HonourRetryAfter(slots_end=True).evaluate(ValueError(), 1, 2, over).action.value == "default"


def test_the_program_sees_nothing_of_airflows_packages_and_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://secret")
    monkeypatch.setenv("PYTHONPATH", "/airflow")
    monkeypatch.setenv("COINLAKE_FOLDER", "/lake")
    seen = environment()
    assert seen["COINLAKE_FOLDER"] == "/lake"
    assert not {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "PYTHONPATH"} & seen.keys()


def test_a_task_whose_time_is_up_stops_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program stands for itself: a shell that says who it is, and works until it is told to end."""
    said = tmp_path / "pid"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho $$ >{said}\nexec sleep 60\n")
    program.chmod(0o700)
    monkeypatch.setenv("AIRFLOW__COINLAKE__PROGRAM", str(program))
    with pytest.raises(AirflowTaskTimeout), TimeoutPosix(1):  # type: ignore[no-untyped-call]
        Coinlake(task_id="load", arguments=["load"]).execute({})
    with pytest.raises(ProcessLookupError):
        os.kill(int(said.read_text()), 0)


def test_the_program_joins_the_trace_of_its_task_run_if_airflow_records_one() -> None:
    assert present_trace() == {}
    with trace.use_span(TracerProvider().get_tracer("airflow").start_span("worker.capture")) as span:
        trace_id = f"{span.get_span_context().trace_id:032x}"
        assert present_trace()["TRACEPARENT"].split("-")[1] == trace_id
