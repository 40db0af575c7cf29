"""The shipped recordings are the ones whose origin is written down, byte for byte."""

from __future__ import annotations

import csv
import hashlib

from coinlake.testing.recordings import SIDECAR, load
from coinlake_coingecko import recordings


def test_every_recording_is_byte_for_byte_what_its_provenance_says() -> None:
    with (recordings.FOLDER / "PROVENANCE.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        recorded = {row["file"].removeprefix("coingecko/"): row["sha256"] for row in rows}
    found = {
        file.relative_to(recordings.FOLDER).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in recordings.FOLDER.rglob("*.json")
        if not file.name.endswith(SIDECAR)
    }
    assert found == recorded


def test_the_demo_has_sixty_days_of_a_hundred_coins_each() -> None:
    days = load(recordings.DAILY)
    assert len({r.recorded_at.date() for r in days if r.recorded_at}) == len(days) == 60
    assert all(r.body.count(b'"current_price":') == 100 for r in days)


def test_all_folders_together_load_as_one_list() -> None:
    assert len(load(recordings.FOLDER)) == 133
