"""What Grafana reads is what the sources here make."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from coinlake_dashboards.write import FOLDER, text_of, written

_MADE = {name: json.loads(text) for name, text in written().items()}
_UNITS = {value for value in vars(units).values() if isinstance(value, str)}


def _panels() -> list[tuple[str, dict[str, Any]]]:
    """Every panel that is no row, by the name of its file."""
    return [
        (name, panel) for name, made in _MADE.items() for panel in made["panels"] if panel["type"] != "row"
    ]


def test_the_files_are_those_that_the_sources_make() -> None:
    files = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir()}
    made = written()
    assert files.keys() == made.keys(), "run ./pants run ops/grafana:write"
    for name, text in made.items():
        assert files[name] == text, f"{name} is not what is made: run ./pants run ops/grafana:write"


def test_each_dashboard_is_one_by_grafanas_types() -> None:
    register_default_plugins()
    for name, made in _MADE.items():
        read = Dashboard.from_json(made)
        assert json.loads(text_of(read)) == made, f"{name} has what the types do not know"


def test_every_panel_says_what_it_shows_and_in_which_unit() -> None:
    for name, panel in _panels():
        where = f"{name}: {panel['title']}"
        assert panel["description"].endswith("."), where
        assert panel["targets"], where
        if panel["type"] in ("stat", "timeseries", "bargauge", "candlestick"):
            assert panel["fieldConfig"]["defaults"]["unit"] in _UNITS, where
        for override in panel.get("fieldConfig", {}).get("overrides", []):
            for given in override["properties"]:
                assert given["id"] != "unit" or given["value"] in _UNITS, where


def test_lines_are_never_drawn_over_what_is_missing() -> None:
    drawn = [(name, panel) for name, panel in _panels() if panel["type"] == "timeseries"]
    assert drawn
    for name, panel in drawn:
        custom = panel["fieldConfig"]["defaults"]["custom"]
        assert custom["spanNulls"] is False, f"{name}: {panel['title']}"


def test_panels_fill_the_screen_and_never_overlap() -> None:
    for name, made in _MADE.items():
        lines: dict[int, list[dict[str, int]]] = {}
        for panel in made["panels"]:
            lines.setdefault(panel["gridPos"]["y"], []).append(panel["gridPos"])
        for y, places in lines.items():
            places.sort(key=lambda place: place["x"])
            assert sum(place["w"] for place in places) == 24, f"{name}, line {y}"
            assert len({place["h"] for place in places}) == 1, f"{name}, line {y}"
            assert places[0]["x"] == 0
            assert all(one["x"] + one["w"] == other["x"] for one, other in pairwise(places)), f"{name} {y}"
