"""What ends a stream is said in a line."""

from __future__ import annotations

from coinlake_spark.loading import why_it_ended

TRACE = """An exception was raised by the Python Proxy. Return Message: Traceback (most recent call last):
  File "java_gateway.py", line 644, in _call_proxy
: org.apache.spark.SparkException: Job aborted due to stage failure: Lost task 0.0 in stage 2.0
\tat org.apache.spark.scheduler.DAGScheduler.abortStage(DAGScheduler.scala:2)
Caused by: org.apache.spark.SparkException: Python worker exited (crashed).
\t... 21 more
Caused by: java.io.EOFException
"""


def test_the_cause_is_said_and_not_the_trace() -> None:
    assert why_it_ended(TRACE) == "org.apache.spark.SparkException: Python worker exited (crashed)."


def test_without_a_cause_it_is_the_first_line() -> None:
    assert why_it_ended("\nQuery stopped\n\tat Somewhere") == "Query stopped"
    assert why_it_ended(" ") == "it did not say why"
