"""What all DAGs have in common: owner, links, tags and time-outs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset
from airflow.sdk.configuration import conf
from pendulum import datetime

from coinlake_airflow.catalogue import SECTION, Catalogue

OWNER = "coinlake"
STARTED_AT = datetime(2026, 1, 1)
STARTING = timedelta(minutes=5)
"""What a task may take besides its work: to start, and to wait for another program."""

LOADED = Asset(name="warehouse", uri="x-coinlake://warehouse", group="coinlake")
"""All captures of the lake, as rows of the warehouse."""


def dag(catalogue: Catalogue, dag_id: str, docs: str, *tags: str, runbook: str, **given: Any) -> DAG:
    """A DAG that runs once at a time and never makes good runs that went by; `runbook`: for when it fails."""
    return DAG(
        dag_id,
        description=docs.split(". ")[0],
        doc_md=f"{docs}\n\n{_links(catalogue, runbook)}",
        tags=["coinlake", *tags],
        start_date=STARTED_AT,
        catchup=False,
        is_paused_upon_creation=False,  # what is to be captured was decided in Coinlake's settings
        max_active_runs=1,
        owner_links={OWNER: catalogue.page},
        default_args={"owner": OWNER},
        **given,
    )


def pause() -> timedelta:
    """Between two tries, where the venue does not say: Airflow's own `core.default_task_retry_delay`."""
    return timedelta(seconds=conf.getint("core", "default_task_retry_delay"))


def _links(catalogue: Catalogue, runbook: str) -> str:
    root = conf.get(SECTION, "docs", fallback="").rstrip("/")
    states, repairs = (
        f"[{page}]({root}/{page})" if root else f"`{page}`"
        for page in ("docs/airflow.md", f"ops/runbooks/{runbook}.md")
    )
    return f"[The page]({catalogue.page}) · what each state means: {states} · when it fails: {repairs}"
