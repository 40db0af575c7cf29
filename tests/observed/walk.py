"""Takes the pictures of docs/from-alert-to-cause.md: a broker freezes, and somebody finds that out.

`./pants run tests/observed:walk -- docs/screenshots`
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from urllib.parse import quote, urlencode

from playwright.sync_api import Locator, Page

from observed.faults import FAULTS, Fault
from observed.hearing import quiet, until
from observed.scene import Scene
from screenshots.browser import DESK, chromium
from servers import fetch
from servers.fixtures import Spark

_WITHIN_S = 120
_OF_THE_PRODUCER = '"service.name":="coinlake-producer"'
"""In LogsQL, which is VictoriaLogs' own."""


def walk(folder: Path) -> None:
    """Writes the pictures into `folder`, and what was told to stdout."""
    folder = folder.absolute()
    with (
        tempfile.TemporaryDirectory(prefix="coinlake-walk-") as place,
        Scene.running(Path(place), Spark(fetch.spark(), fetch.jars("spark"))) as scene,
        chromium() as browser,
    ):
        scene.begin()
        scene.coinlake("verify")  # which should have run within the first minute
        until(scene, lambda: quiet(scene), _WITHIN_S, "nothing fires")
        fault = FAULTS["frozen-kafka"]
        fault.happen(scene)
        until(scene, lambda: fault.alert in _firing(scene), _WITHIN_S, "it is told")
        until(scene, lambda: _complaints(scene), _WITHIN_S, "the producer says why")
        page = browser.new_page(viewport=DESK, device_scale_factor=1.5)
        _alerts(page, scene, fault, folder / "walk-alert.png")
        _graph(page, scene, folder / "walk-waiting.png")
        _health(page, scene, folder / "walk-health.png")
        _logs(page, scene, folder / "walk-logs.png")
        print(*scene.watching.listener.notices, sep="\n")
        print(scene.coinlake("status").stdout)


def _alerts(page: Page, scene: Scene, fault: Fault, to: Path) -> None:
    """Prometheus: what fires, of what, and since when."""
    page.goto(f"{scene.watching.prometheus.url}/classic/alerts")
    page.get_by_text("Show annotations").click()
    header = page.locator(".alert_header", has_text=fault.alert)
    header.click()
    details = page.locator(".alert_header + tr", has_text=fault.text)
    details.wait_for()
    _both(page, header, details, to)


def _graph(page: Page, scene: Scene, to: Path) -> None:
    """Prometheus: before which hop captures wait."""
    asked = {"g0.expr": "coinlake:hop:lag_captures", "g0.tab": "0", "g0.range_input": "2m"}
    page.goto(f"{scene.watching.prometheus.url}/classic/graph?{urlencode(asked)}")
    page.locator(".legend").get_by_text("lake_to_topic").first.wait_for()
    page.screenshot(path=to, full_page=True)


def _health(page: Page, scene: Scene, to: Path) -> None:
    """Our page: the same, and that venues are asked all the while."""
    page.goto(f"{scene.page}/health")
    page.get_by_text("Watched by Prometheus").wait_for()
    titles = (page.get_by_role("heading", name=title, exact=True) for title in ("Feeds", "Lag"))
    feeds, lag = (page.locator("section.panel", has=title) for title in titles)
    lag.get_by_text("lake to topic").wait_for()
    _both(page, feeds, lag, to)


def _logs(page: Page, scene: Scene, to: Path) -> None:
    """The store of logs: what the producer says."""
    asked = {"query": _OF_THE_PRODUCER, "g0.range_input": "5m", "limit": 20}
    page.goto(f"{scene.watching.logs.url}/select/vmui/#/?{urlencode(asked, quote_via=quote)}")
    page.get_by_text("producing.broker_silent").first.wait_for()
    page.screenshot(path=to)


def _both(page: Page, upper: Locator, lower: Locator, to: Path) -> None:
    """A picture of what lies between the top of the one and the end of the other."""
    top, end = upper.bounding_box(), lower.bounding_box()
    assert top is not None
    assert end is not None
    page.screenshot(
        path=to,
        full_page=True,
        clip={
            "x": top["x"],
            "y": top["y"],
            "width": top["width"],
            "height": end["y"] + end["height"] - top["y"],
        },
    )


def _complaints(scene: Scene) -> bool:
    return bool(scene.watching.logs.ask(f"{_OF_THE_PRODUCER} event:=producing.broker_silent"))


def _firing(scene: Scene) -> set[str]:
    alerts = scene.watching.prometheus.alerts()
    return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: walk.py FOLDER")
    walk(Path(sys.argv[1]))
