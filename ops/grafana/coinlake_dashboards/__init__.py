"""Grafana's dashboards of Coinlake, written in Python; `write.py` makes the JSON that Grafana reads."""
