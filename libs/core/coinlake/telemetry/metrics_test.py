"""Metrics are declared so that whoever meets one in Prometheus knows what it is."""

from __future__ import annotations

import re

import pytest

from coinlake.errors import FixConfiguration, TryAgain
from coinlake.telemetry import metrics
from coinlake.telemetry.declaring import OTHER, Metric

_IS_A_MOMENT = re.compile(r"\.timestamp$")


def test_each_name_is_declared_once() -> None:
    for names in ([one.name for one in metrics.ALL], [one.prometheus_name for one in metrics.ALL]):
        assert len(names) == len(set(names))


@pytest.mark.parametrize("metric", metrics.ALL, ids=lambda metric: metric.name)
def test_a_metric_follows_the_conventions_of_both_worlds(metric: Metric) -> None:
    assert re.fullmatch(r"[a-z]+(\.[a-z_]+)+", metric.name)
    assert re.fullmatch(r"s|By|\{[a-z]+\}", metric.unit)
    assert re.fullmatch(r"[A-Z0-9].*\.", metric.help)
    assert metric.unit == "s" or not _IS_A_MOMENT.search(metric.name)
    # What the collector appends stands there once.
    assert not {"seconds", "bytes", "total", "ratio"} & set(re.split(r"[._]", metric.name))
    for label in metric.labels:
        assert re.fullmatch(r"[a-z]+([._][a-z]+)*", label.name)
        assert label.prometheus_name not in ("job", "instance", "le", "quantile")
        assert label.bound


def test_prometheus_names_carry_unit_and_type() -> None:
    assert metrics.FETCH_RETRIES.prometheus_name == "coinlake_fetch_retries_total"
    assert metrics.BYTES_STORED.prometheus_name == "coinlake_lake_body_size_bytes_total"
    assert metrics.HTTP_DURATION.prometheus_name == "http_client_request_duration_seconds"
    assert metrics.HELD_UNTIL.prometheus_name == "coinlake_source_held_until_timestamp_seconds"


def test_a_value_that_is_not_listed_makes_no_series_of_its_own() -> None:
    given = {"source": "coingecko", "dataset": "markets", "error": "a new one each time"}
    assert metrics.SLOTS.attributes(given)["error"] == OTHER


def test_a_label_that_is_empty_is_left_out() -> None:
    assert metrics.SLOTS.attributes({"source": "coingecko", "dataset": "markets", "error": ""}) == {
        "source": "coingecko",
        "dataset": "markets",
    }


def test_a_label_that_is_missing_or_not_declared_is_a_defect() -> None:
    with pytest.raises(ValueError, match=r"coinlake\.fetch\.retries has the labels \['source'\], not \[\]"):
        metrics.FETCH_RETRIES.attributes({})


def test_an_error_is_counted_by_what_it_asks_for() -> None:
    assert metrics.kind_of(TryAgain("away")) == "try_again"
    assert metrics.kind_of(FixConfiguration("no")) == "fix_configuration"
    assert metrics.kind_of(KeyError("x")) == "defect"
    assert metrics.kind_of(None) == ""
