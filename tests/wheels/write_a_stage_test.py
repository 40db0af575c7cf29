"""Somebody follows docs/write-a-stage.md to the letter, with nothing but the wheels, and gets the example."""

from __future__ import annotations

from pathlib import Path

from wheels.outsider import Outsider
from wheels.tutorial import blocks, follow

TUTORIAL = Path("docs/write-a-stage.md").read_text(encoding="utf-8")
EXAMPLE = Path("examples/quote-in-eur")


def test_whoever_follows_the_tutorial_gets_what_it_shows(tmp_path: Path) -> None:
    follow(TUTORIAL, Outsider(tmp_path), port=0)


def test_the_tutorial_makes_the_package_in_examples() -> None:
    made = {block.about: block.text for block in blocks(TUTORIAL) if block.language in ("python", "toml")}
    del made["coinlake.toml"]
    kept = {
        str(file.relative_to(EXAMPLE)): file.read_text(encoding="utf-8")
        for pattern in ("**/*.py", "*.toml")
        for file in EXAMPLE.glob(pattern)
        if file.name != "__init__.py"
    }
    assert made == kept
