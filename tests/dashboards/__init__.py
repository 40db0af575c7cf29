"""The dashboards of ops/grafana, tried on the real thing as far as it can be had."""
