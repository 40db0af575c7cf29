"""Whether the part of Airflow that its container runs does its work: what the container's HEALTHCHECK runs.

part                                    is well while
api-server                              it answers, and reaches Airflow's database
scheduler, dag-processor, triggerer     its heart beats in Airflow's database
any other command                       it runs
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

_API = "api-server"
_JOBS = {"scheduler": "SchedulerJob", "dag-processor": "DagProcessorJob", "triggerer": "TriggererJob"}
_AIRFLOWS_OWN_PORT = "8080"
_TIMEOUT_S = 20


def part(command: str) -> str:
    """The part that a process runs, by its command line; nothing if it is none of those that go on."""
    # Airflow names some of its processes anew, by one text with spaces.
    words = re.split(r"[\0 ]", command.replace("api_server", _API))
    return next((word for word in words if word == _API or word in _JOBS), "")


def api_trouble(environment: Mapping[str, str]) -> str | None:
    """What is wrong with the api-server of this container; None if nothing."""
    port = environment.get("AIRFLOW__API__PORT", _AIRFLOWS_OWN_PORT)
    root = urlsplit(environment.get("AIRFLOW__API__BASE_URL", "")).path.rstrip("/")
    url = f"http://127.0.0.1:{port}{root}/api/v2/monitor/health"
    try:
        with urlopen(url, timeout=_TIMEOUT_S) as answer:
            database = json.load(answer)["metadatabase"]["status"]
    except (OSError, ValueError, KeyError) as error:
        return f"The api-server does not answer at {url}: {error}"
    return None if database == "healthy" else f"Airflow's database is {database}."


def main() -> None:
    """Ends the process: with 0, or with 1 and a line that says what is wrong."""
    running = part(Path("/proc/1/cmdline").read_text(encoding="utf-8"))
    if running == _API:
        sys.exit(api_trouble(os.environ))
    if running:
        check = [sys.executable, "-m", "airflow", "jobs", "check", "--local", "--job-type", _JOBS[running]]
        os.execv(sys.executable, check)  # noqa: S606 (a shell would only stand between)


if __name__ == "__main__":
    main()
