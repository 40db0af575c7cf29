"""One DAG for each feed of the catalogue: a run captures its slot, and no other."""

from __future__ import annotations

from airflow.sdk import DAG

from coinlake_airflow.catalogue import Catalogue, Feed
from coinlake_airflow.making import STARTING, dag, pause
from coinlake_airflow.program import Coinlake, HonourRetryAfter
from coinlake_airflow.timetable import SlotTimetable

_RETRIES = 2
_DOCS = """Captures `{feed.name}` from {feed.root} every {feed.cadence}, each slot once.

A run that is cleared, repeated or overlaps another adds nothing twice. **Skipped** means that the slot
was not captured, and the log says why: a ban or a quota holds the source, or the slot was over before it was
asked for.
{past}"""
_PRESENT_ONLY = "The venue has its present only: a slot that is over cannot be had any more."
_PAST = (
    "The venue has its past too: `airflow backfill create --dag-id {dag_id}` asks for slots that were missed."
)


def captures(catalogue: Catalogue) -> list[DAG]:
    """The DAGs of all feeds."""
    return [_capture(catalogue, feed) for feed in catalogue.feeds]


def _capture(catalogue: Catalogue, feed: Feed) -> DAG:
    dag_id = f"capture_{feed.key}"
    past = _PAST.format(dag_id=dag_id) if feed.has_past else _PRESENT_ONLY
    made = dag(
        catalogue,
        dag_id,
        _DOCS.format(feed=feed, past=past),
        "capture",
        feed.source,
        runbook="FeedStale",
        schedule=SlotTimetable(feed.cadence),
        dagrun_timeout=(1 + _RETRIES) * (feed.cadence + STARTING),
    )
    with made:
        Coinlake(
            task_id="capture",
            arguments=[
                *("capture", feed.source, feed.dataset, "--no-load"),
                *("--slot", "{{ data_interval_start.isoformat() }}"),
            ],
            pool=feed.pool,
            outlets=[feed.landed],
            # The program gives a slot up one cadence after its calls began.
            execution_timeout=feed.cadence + STARTING,
            retries=_RETRIES,
            retry_delay=min(feed.cadence / 6, pause()),
            retry_policy=HonourRetryAfter(slots_end=not feed.has_past),
        )
    return made
