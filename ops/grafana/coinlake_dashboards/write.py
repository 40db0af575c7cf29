"""Writes the dashboards' JSON: `./pants run ops/grafana:write`, from the root of the repository."""

from __future__ import annotations

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel, RowPanel

from coinlake_dashboards.drilldown import drilldown
from coinlake_dashboards.feeds import feeds
from coinlake_dashboards.markets import markets
from coinlake_dashboards.overview import overview
from coinlake_dashboards.pipeline import pipeline
from coinlake_dashboards.quality import quality

FOLDER = Path("ops/grafana/dashboards")


def written() -> dict[str, str]:
    """The text of each file, by its name."""
    made = [each().build() for each in (overview, markets, pipeline, feeds, quality, drilldown)]
    return {f"{one.uid}.json".removeprefix("coinlake-"): text_of(one) for one in made}


def main() -> None:
    """Writes each file, and removes what is none of them."""
    files = written()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.json"):
        if old.name not in files:
            old.unlink()
    for name, text in files.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def text_of(made: Dashboard) -> str:
    """The JSON of a dashboard, with its panels numbered from the top."""
    for number, panel in enumerate(made.panels or (), start=1):
        assert isinstance(panel, Panel | RowPanel)
        panel.id_val = number
    for variable in made.templating.list_val or ():
        # Of variables that choose an interval, which we have none of; the SDK gives them to all.
        variable.auto = variable.auto_min = variable.auto_count = None
    encoder = JSONEncoder(sort_keys=True, indent=1, ensure_ascii=False)
    return encoder.encode(made) + "\n"


if __name__ == "__main__":
    main()
