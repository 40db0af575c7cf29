"""Recordings, read from real files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from coinlake.errors import FixConfiguration
from coinlake.testing.recordings import load


def test_the_time_is_read_from_anywhere_in_the_name(tmp_path: Path) -> None:
    (tmp_path / "ids_bitcoin_2021-05-15T160104Z_1rows.json").write_bytes(b"[]")
    assert [r.recorded_at for r in load(tmp_path)] == [datetime(2021, 5, 15, 16, 1, 4, tzinfo=UTC)]


def test_recordings_of_several_folders_come_in_order_of_time_and_timeless_ones_last(tmp_path: Path) -> None:
    for name in ("a/error.json", "a/deep/2024-01-03T000000Z.json", "b/2024-01-02T000000Z.html"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(name.encode())
    assert [r.body.decode() for r in load([tmp_path / "a", tmp_path / "b"])] == [
        "b/2024-01-02T000000Z.html",
        "a/deep/2024-01-03T000000Z.json",
        "a/error.json",
    ]


def test_a_folder_given_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "2024-01-02T000000Z.json").write_bytes(b"[]")
    assert len(load([tmp_path, tmp_path / "below"])) == 1


def test_status_url_and_headers_come_from_the_file_beside_the_body(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"{}")
    (tmp_path / "x.json.headers.json").write_text(
        json.dumps({"status": 429, "url": "https://h/api/v3/c?a=1,%202&b=", "headers": {"Vary": ["A", "B"]}})
    )
    [recording] = load(tmp_path)
    assert (recording.status, recording.headers) == (429, {"vary": "A, B"})
    assert (recording.endpoint, recording.params) == ("/api/v3/c", {"a": "1, 2", "b": ""})


def test_a_body_alone_is_an_answer_of_status_200_to_an_unknown_request(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"\xff not JSON")
    [recording] = load(tmp_path)
    assert (recording.status, recording.url, recording.endpoint, recording.params) == (200, None, None, {})
    assert recording.body == b"\xff not JSON"


def test_notes_and_hidden_files_are_no_recordings(tmp_path: Path) -> None:
    for name in ("2024-01-02T000000Z.json", "README.md", "PROVENANCE.tsv", ".git/HEAD", ".hidden.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert [r.path.name for r in load(tmp_path)] == ["2024-01-02T000000Z.json"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FixConfiguration, match=r"no folder .*nowhere"):
        load(tmp_path / "nowhere")


def test_an_empty_folder_is_named_even_among_full_ones(tmp_path: Path) -> None:
    for name in ("full", "empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "full" / "x.json").write_bytes(b"")
    with pytest.raises(FixConfiguration, match=r"no recording in .*empty"):
        load([tmp_path / "full", tmp_path / "empty"])


@pytest.mark.parametrize("text", ["{", '{"status": "ok"}', '{"headers": {"a": "b"}}', "\udcff"])
def test_a_sidecar_that_cannot_be_read_is_named_with_the_form_it_should_have(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "x.json").write_bytes(b"")
    (tmp_path / "x.json.headers.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(FixConfiguration, match=r'x\.json\.headers\.json.*"status": 200'):
        load(tmp_path)


def test_a_sidecar_without_its_body_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"")
    (tmp_path / "y.json.headers.json").write_bytes(b"{}")
    with pytest.raises(FixConfiguration, match=r"named y\.json"):
        load(tmp_path)


def test_a_time_that_does_not_exist_is_named(tmp_path: Path) -> None:
    (tmp_path / "2024-02-30T000000Z.json").write_bytes(b"")
    with pytest.raises(FixConfiguration, match="2024-02-30T000000Z in the name"):
        load(tmp_path)


def test_a_recording_that_vanished_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"")
    [recording] = load(tmp_path)
    recording.path.unlink()
    with pytest.raises(FixConfiguration, match=r"x\.json: No such file"):
        recording.body  # noqa: B018
