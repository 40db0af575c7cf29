"""Takes the pictures in the docs from a running page.

coinlake demo
./pants run tests/screenshots/take.py -- http://127.0.0.1:8377/ docs/screenshots
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import ViewportSize

from screenshots.browser import DESK, PHONE, chromium

SHOTS: tuple[tuple[str, str, ViewportSize, bool], ...] = (
    ("overview", "/", DESK, False),
    ("prices", "/prices", DESK, False),
    ("coin", "/coin/coingecko/bitcoin", DESK, True),
    ("gaps", "/venues", DESK, False),
    ("venues", "/venues/bitcoin?interval=1d", DESK, False),
    ("health", "/health", DESK, False),
    ("phone", "/prices", PHONE, False),
)
"""Name, path, size, dark."""


def take(url: str, folder: Path) -> None:
    """Writes `NAME.png` of every shot into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name, path, size, dark in SHOTS:
            tab = browser.new_page(
                viewport=size, color_scheme="dark" if dark else "light", device_scale_factor=1.5
            )
            tab.goto(url.rstrip("/") + path)
            tab.locator("#main .panel:visible, #main .empty:visible").first.wait_for()
            tab.evaluate("document.fonts.ready")
            for chart in tab.locator(".nicegui-echart:visible").all():
                chart.locator("svg path").first.wait_for(state="attached")
            tab.screenshot(path=folder / f"{name}.png")
            tab.close()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: take.py URL_OF_THE_PAGE FOLDER")
    take(sys.argv[1], Path(sys.argv[2]))
