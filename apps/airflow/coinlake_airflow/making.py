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


def dag(catalogue: Catalogue, dag_id: str, docs: str, *tags: str, **given: Any) -> DAG:
    """A DAG that runs once at a time and never makes good runs that went by."""
    return DAG(
        dag_id,
        description=docs.split(". ")[0],
        doc_md=f"{docs}\n\n{_links(catalogue)}",
        tags=["coinlake", *tags],
        start_date=STARTED_AT,
        catchup=False,
        is_paused_upon_creation=False,  # what is to be captured was decided in Coinlake's settings
        max_active_runs=1,
        owner_links={OWNER: catalogue.page},
        default_args={"owner": OWNER},
        **given,
    )


def _links(catalogue: Catalogue) -> str:
    docs = conf.get(SECTION, "docs", fallback="")
    pages = ("airflow.md", "operations.md")
    named = [f"[{page}]({docs.rstrip('/')}/{page})" if docs else f"`docs/{page}`" for page in pages]
    return f"[The page]({catalogue.page}) · what each state means: {named[0]} · repairs: {named[1]}"
