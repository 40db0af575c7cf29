"""The shipped recordings are the ones whose origin is written down, byte for byte."""

from __future__ import annotations

import csv
import hashlib

from coinlake.testing.recordings import SIDECAR, load
from coinlake_coinbase import recordings


def test_every_recording_is_byte_for_byte_what_its_provenance_says() -> None:
    with (recordings.FOLDER / "PROVENANCE.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        recorded = {row["file"].removeprefix("coinbase/"): row["sha256"] for row in rows}
    found = {
        file.relative_to(recordings.FOLDER).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in recordings.FOLDER.rglob("*.json")
        if not file.name.endswith(SIDECAR)
    }
    assert found == recorded


def test_all_folders_together_load_as_one_list() -> None:
    loaded = load(recordings.FOLDER)
    assert len(loaded) == 10
    assert all(recording.url for recording in loaded if recording.status == 200)
