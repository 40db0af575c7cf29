"""The faster copy of the rules differs from what is shipped by times alone, and in all of them."""

from __future__ import annotations

import pytest

from observed.accelerated import faster


@pytest.mark.parametrize(
    ("name", "shipped", "made"),
    [
        ("A", "x > 300", "x > 10"),
        ("A", "x < bool on (source) clamp_min(2 * y, 300)", "x < bool on (source) clamp_min(2 * y, 10)"),
        ("A", "a > 3 * b + 60", "a > 3 * b + 2"),
        ("A", "min_over_time(x[15m]) > 0 and deriv(x[15m]) * 60 > 3", None),
        (
            "A",
            "x - last_over_time(x[1h] offset 15m) >= 0",
            "x - last_over_time(x[120000ms] offset 30000ms) >= 0",
        ),
        ("A", "predict_linear(a[1h], 24 * 3600) < 0 and a / b < 0.4", None),
        ("A", "x > 129600", "x > 4320"),
        ("A", 'b{le="60"} > 14.4 * 0.05', 'b{le="60"} > 14.4 * 0.05'),
        ("A", "quantile by (asset) (0.5, x > -1)", "quantile by (asset) (0.5, x > -1)"),
        ("DeadLettersRising", "x > 10", "x > 10"),
        ("NeverVerified", "a unless max(b[36h])", "a unless max(b[60000ms])"),
        (
            "coinlake:quota:left_at_months_end",
            "a + deriv(a[6h]) * ((days_in_month() + 1) * 86400 - hour() * 3600)",
            "a + deriv(a[30000ms]) * ((days_in_month() + 1) * 86400 - hour() * 3600)",
        ),
    ],
)
def test_times_and_nothing_else_are_shorter(name: str, shipped: str, made: str | None) -> None:
    expected = made or shipped.replace("15m", "30000ms").replace("1h", "120000ms")
    assert faster(name, shipped) == expected
