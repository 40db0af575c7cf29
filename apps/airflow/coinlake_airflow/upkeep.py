"""The DAGs beside the captures: loading, looking whether all is well, and a capture by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, AssetAny, Context, CronTriggerTimetable, Param
from airflow.sdk.exceptions import AirflowFailException

from coinlake_airflow.catalogue import Catalogue
from coinlake_airflow.making import LOADED, STARTING, dag, pause
from coinlake_airflow.program import Coinlake

_LOADING = timedelta(minutes=15)
_VERIFYING = timedelta(hours=2)
_VERIFYING_ALL = timedelta(hours=12)
_FARES_ILL = {"late", "failing"}


def upkeep(catalogue: Catalogue) -> list[DAG]:
    """All of them; with nothing to capture there is nothing to look after."""
    if not catalogue.feeds:
        return []
    made = [_load(catalogue), _check_freshness(catalogue), _verify_yesterday(catalogue)]
    if catalogue.prunes:
        made.append(_prune_warehouse(catalogue))
    return [*made, _capture_now(catalogue)]


class Freshness(Coinlake):
    """Fails if a feed is late or failing, and names it with its trouble."""

    def execute(self, context: Context) -> Any:
        """The feeds, if all fare well."""
        feeds = super().execute(context)["feeds"]
        ill = [
            f"{feed['source']} {feed['dataset']} is {feed['health']}: {feed['trouble'] or 'no slot came'}"
            for feed in feeds
            if feed["health"] in _FARES_ILL
        ]
        if ill:
            raise AirflowFailException("; ".join(ill))
        return feeds


def _loading() -> Coinlake:
    timeout = ["--timeout-s", f"{_LOADING.total_seconds():g}"]
    return Coinlake(
        task_id="load",
        arguments=["load", *timeout],
        outlets=[LOADED],
        execution_timeout=_LOADING + STARTING,
        retries=2,
        retry_delay=pause(),
    )


def _load(catalogue: Catalogue) -> DAG:
    made = dag(
        catalogue,
        "load_warehouse",
        "Brings what captures added to the lake into the warehouse. Captures that come meanwhile wait for "
        "the next run, all at once. In the distributed profile Spark loads, and a run succeeds once it has.",
        "load",
        runbook="PipelineStalled",
        schedule=AssetAny(*(feed.landed for feed in catalogue.feeds)),
    )
    with made:
        _loading()
    return made


def _check_freshness(catalogue: Catalogue) -> DAG:
    made = dag(
        catalogue,
        "check_freshness",
        "Fails if a feed is late or failing, and says which and why, by `coinlake status`.",
        "upkeep",
        runbook="FeedStale",
        schedule=CronTriggerTimetable("*/15 * * * *", timezone="UTC"),
    )
    with made:
        Freshness(task_id="status", arguments=["status"], execution_timeout=STARTING)
    return made


def _verify_yesterday(catalogue: Catalogue) -> DAG:
    made = dag(
        catalogue,
        "verify_yesterday",
        "Compares yesterday's captures with the warehouse, row by row. Fails if anything is missing, doubled "
        "or different; `coinlake verify` names it.",
        "upkeep",
        runbook="VerifyFailed",
        schedule=CronTriggerTimetable("30 0 * * *", timezone="UTC"),
    )
    day = "{{{{ (dag_run.run_after - macros.timedelta(days={days})).strftime('%Y-%m-%d') }}}}"
    with made:
        Coinlake(
            task_id="verify",
            arguments=["verify", "--since", day.format(days=1), "--until", day.format(days=0)],
            execution_timeout=_VERIFYING,
        )
    return made


def _prune_warehouse(catalogue: Catalogue) -> DAG:
    made = dag(
        catalogue,
        "prune_warehouse",
        "Lets months of quotes leave the warehouse that are older than the settings want. Compares all of "
        "lake and warehouse first, and fails where they do not agree: then nothing leaves. The lake keeps "
        "all.",
        "upkeep",
        runbook="VerifyFailed",
        schedule=CronTriggerTimetable("0 3 2 * *", timezone="UTC"),
    )
    with made:
        Coinlake(task_id="prune", arguments=["prune"], execution_timeout=_VERIFYING_ALL)
    return made


def _capture_now(catalogue: Catalogue) -> DAG:
    names = sorted(feed.name for feed in catalogue.feeds)
    made = dag(
        catalogue,
        "capture_now",
        "Captures one feed now, by hand, and loads it. It makes no missed slot good: a venue answers with "
        "its present.",
        "capture",
        runbook="FeedStale",
        schedule=None,
        params={"feed": Param(names[0], enum=names, description="Source and dataset.")},
    )
    feed = "{{{{ params.feed.split('/')[{part}] }}}}"
    with made:
        capture = Coinlake(
            task_id="capture",
            arguments=["capture", feed.format(part=0), feed.format(part=1), "--no-load"],
            execution_timeout=max(feed.cadence for feed in catalogue.feeds) + STARTING,
        )
        capture >> _loading()
    return made
