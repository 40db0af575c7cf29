"""The `coinlake` program as a task: what it is told, what it answered, and what state that is to Airflow.

outcome or exit code            state of the task
captured, had; 0                success
held, passed                    skipped, with the program's own reason
away; 4, 70, killed             up for retry, no sooner than the venue asked for; failed at last
refused, wrong; 1, 2, 3, 5      failed at once: another try would end the same
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.configuration import conf
from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from coinlake_airflow.catalogue import SECTION

_LEAVING_S = 30
_NOT_OURS = ("AIRFLOW_", "OTEL_SERVICE_NAME", "PEX", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
_PASSING = {4, 70}
_SKIPPED = {"held", "passed"}

WHY_SKIPPED = "why_skipped"
"""The XCom in which a task that was skipped says why; its log does too."""


class Away(AirflowException):
    """Something is away for now; `after_s` is how long it asked to be left alone, None where it did not."""

    def __init__(self, said: str, after_s: float | None = None) -> None:
        super().__init__(said)
        self.after_s = after_s


class HonourRetryAfter(RetryPolicy):
    """Tries again no sooner than the venue asked for, and not at all once the slot is over."""

    def __init__(self, slots_end: bool) -> None:
        """`slots_end`: the venue has its present only, so that a try behind the slot's end is none."""
        self._slots_end = slots_end

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """What to do after a try that failed."""
        after_s = getattr(exception, "after_s", None)
        if after_s is None:
            return RetryDecision.default()
        delay = timedelta(seconds=after_s)
        end = (context or {}).get("data_interval_end")
        if self._slots_end and end is not None and end.now("UTC") + delay >= end:
            return RetryDecision.fail(f"It may be asked again in {after_s:g} s, when the slot is over.")
        return RetryDecision.retry(delay=delay, reason=f"It asked to wait {after_s:g} s.")


class Coinlake(BaseOperator):
    """Runs `coinlake --json ARGUMENTS` to its end; its document is the task's result."""

    template_fields = ("arguments",)

    def __init__(self, *, arguments: Sequence[str], **given: Any) -> None:
        super().__init__(**given)
        self.arguments = arguments
        self._running: subprocess.Popen[str] | None = None

    def execute(self, context: Context) -> Any:
        """The program's document; its failure as the exception that stands for the state."""
        program = shlex.split(conf.get(SECTION, "program", fallback="coinlake"))
        command = [*program, "--json", *self.arguments]
        self.log.info("Running %s", shlex.join(command))
        self._running = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment() | present_trace(),
        )  # fmt: skip
        try:
            out, err = self._running.communicate()
        finally:
            self.on_kill()
        for line in err.splitlines():
            self.log.info("%s", line)
        try:
            return answered(self._running.returncode, out, err)
        except AirflowSkipException as skipped:
            context["ti"].xcom_push(WHY_SKIPPED, str(skipped))
            raise

    def on_kill(self) -> None:
        """Stops the program, which ends what it has in hand first."""
        if self._running is None or self._running.poll() is not None:
            return
        self._running.terminate()
        try:
            self._running.wait(_LEAVING_S)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()


def environment() -> dict[str, str]:
    """What the program sees of the environment: nothing of Airflow's packages, settings and secrets."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)}


def present_trace() -> dict[str, str]:
    """Variables by which the program's spans join the trace of the task run, where Airflow records one."""
    variables: dict[str, str] = {}
    if trace.get_current_span().is_recording():
        TraceContextTextMapPropagator().inject(variables)
    return {name.upper(): value for name, value in variables.items()}


def answered(code: int, out: str, err: str) -> Any:
    """The document of a call that went well; else raises what its end is to Airflow."""
    document = json.loads(out) if out.strip() else None
    slots = [entry for entry in document if "outcome" in entry] if isinstance(document, list) else []
    said = next((slot["trouble"] for slot in slots if slot["trouble"]), None) or _last_line(code, err)
    if slots and all(slot["outcome"] in _SKIPPED for slot in slots):
        raise AirflowSkipException(said)
    if code == 0:
        return document
    if code in _PASSING or code < 0:
        raise Away(said, next((slot["after_s"] for slot in slots), None))
    raise AirflowFailException(f"coinlake ended with exit code {code}: {said}")


def _last_line(code: int, err: str) -> str:
    nothing = f"it was ended by signal {-code}" if code < 0 else "it said nothing"
    return next((line for line in reversed(err.splitlines()) if line.strip()), nothing)
