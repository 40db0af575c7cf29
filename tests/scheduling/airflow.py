"""Airflow as the program it is, in a home of its own: its commands, its servers, and what they have noted.

States are read where Airflow keeps them, in its database; orders are given as people give them, by its
commands and its HTTP interface.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import class_row

from servers.ports import HOST, Port
from servers.process import Process

PROGRAM = next(
    (pex for pex in map(Path, ("apps.airflow/airflow.pex", "dist/apps.airflow/airflow.pex")) if pex.exists()),
    Path("apps.airflow/airflow.pex"),
).absolute()
"""Beside the tests where Pants runs them; else where `./pants package apps/airflow:airflow` puts it."""

TIMEOUT_S = 240
_LOOK_AGAIN_S = 0.2
_SERVERS = ("api-server", "dag-processor", "scheduler")
_QUICK = {
    "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "5",
    "AIRFLOW__CORE__PARALLELISM": "4",
    "AIRFLOW__API__WORKERS": "1",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3",
    "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "3",
}
"""What makes Airflow see a change in seconds, on two cores."""

T = TypeVar("T")


@dataclass(frozen=True)
class Try:
    """The last try of a task in a run, as Airflow keeps it."""

    run_id: str
    slot: datetime | None
    """The begin of the run's data interval."""
    state: str | None
    tries: int
    pool: str
    start_date: datetime | None
    why_skipped: str | None


class Airflow:
    """One Airflow with our DAGs; `program` is the command line of `coinlake`."""

    def __init__(self, home: Path, database: str, program: str) -> None:
        self.home = home
        self.catalogue = home / "catalogue.json"
        self._database = database
        self._port = Port(home / "port")
        url = _url(database)
        root = f"http://{HOST}:{self._port.number}"
        self._root = root
        # Its whole environment; what a test adds holds for what is started afterwards.
        self.variables = {
            "HOME": os.environ["HOME"],  # where Pex unpacks
            "PATH": os.environ.get("PATH", os.defpath),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__COINLAKE__PROGRAM": program,
            "AIRFLOW__COINLAKE__CATALOGUE": str(self.catalogue),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": url,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{root}/execution/",
            "AIRFLOW__API__BASE_URL": root,
            "AIRFLOW__API__HOST": HOST,
            "AIRFLOW__API__PORT": str(self._port.number),
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(16),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
            **_QUICK,
        }
        folders = self._run(variables={"PEX_MODULE": "coinlake_airflow.folders"})
        self.variables |= dict(re.findall(r"^export (\w+)=(\S+)$", folders, re.MULTILINE))

    def __call__(self, *arguments: str) -> str:
        """What a command of Airflow's prints, once it ended well."""
        return self._run(*arguments)

    def import_pools(self) -> None:
        """Makes the pools of the catalogue, as the docs say it."""
        file = self.home / "pools.json"
        file.write_text(self._run(variables={"PEX_MODULE": "coinlake_airflow.pools"}))
        self("pools", "import", str(file))

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Its three servers run meanwhile."""
        with ExitStack() as servers:
            for name in _SERVERS:
                if name == "scheduler":  # its tasks ask the API server, and count a refusal as a try
                    self.wait_until(self._answers)
                process = Process(self.home, name)
                process.launch(
                    self._command(name), {"OTEL_SERVICE_NAME": f"airflow-{name}", **self.variables}
                )
                servers.callback(process.kill)  # nothing of it is wanted any more
            yield

    def tries(self, dag_id: str, task_id: str = "capture") -> list[Try]:
        """All runs of a DAG's task, oldest first."""
        with psycopg.connect(self._database, row_factory=class_row(Try)) as session:
            return session.execute(
                """
                SELECT run.run_id, run.data_interval_start AS slot, task.state, task.try_number AS tries,
                    task.pool, task.start_date, said.value #>> '{}' AS why_skipped
                FROM task_instance AS task
                JOIN dag_run AS run ON run.dag_id = task.dag_id AND run.run_id = task.run_id
                LEFT JOIN xcom AS said ON said.dag_id = task.dag_id AND said.run_id = task.run_id
                    AND said.key = 'why_skipped'
                WHERE task.dag_id = %s AND task.task_id = %s ORDER BY run.run_after
                """,
                (dag_id, task_id),
            ).fetchall()

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What Airflow has noted."""
        with psycopg.connect(self._database) as session:
            return session.execute(sql.encode(), values).fetchall()

    def order(self, path: str, what: Mapping[str, object]) -> Any:
        """A POST below the HTTP interface's root."""
        with urlopen(f"{self._root}/auth/token", timeout=TIMEOUT_S) as answer:
            token = json.load(answer)["access_token"]
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        body = json.dumps(what).encode()
        with urlopen(Request(f"{self._root}/api/v2/{path}", body, headers), timeout=TIMEOUT_S) as answer:
            return json.load(answer)

    def wait_until(self, answer: Callable[[], T | None]) -> T:
        """The first answer that is not empty; an error with the ends of the servers' logs if none comes."""
        deadline = time.monotonic() + TIMEOUT_S
        while not (answered := answer()):
            assert time.monotonic() < deadline, self.last_words()
            time.sleep(_LOOK_AGAIN_S)
        return answered

    def last_words(self) -> str:
        """The ends of the servers' logs."""
        return "\n".join(f"{name}:\n{Process(self.home, name).last_words()}" for name in _SERVERS)

    def close(self) -> None:
        """Gives its port back."""
        self._port.release()

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self._root}/api/v2/version", timeout=TIMEOUT_S):
                return True
        except URLError:
            return False

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(PROGRAM), *arguments]

    def _run(self, *arguments: str, variables: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            self._command(*arguments),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            cwd=self.home,
            env={**self.variables, **(variables or {})},
        )
        assert done.returncode == 0, f"{shlex.join(arguments)}: {done.stdout}\n{done.stderr}"
        return str(done.stdout)


def _url(database: str) -> str:
    """A connection string of PostgreSQL's as SQLAlchemy wants it."""
    parts = {name: quote(str(value), safe="") for name, value in conninfo_to_dict(database).items()}
    return "postgresql+psycopg://{user}:{password}@{host}:{port}/{dbname}".format(**parts)
