"""A `.env` that `coinlake env init` writes is well; what can be wrong with one is named, and no secret."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from coinlake.errors import FixConfiguration
from coinlake.settings import Settings
from coinlake_cli import environment
from coinlake_cli.commands import env
from coinlake_cli.commands.doctor import doctor
from coinlake_cli.output import Output

_SECRETS = [variable.name for variable in environment.variables() if variable.made]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new .env, in the folder where we are."""
    monkeypatch.chdir(tmp_path)
    env.init(Output(as_json=False), Path(".env"))
    return tmp_path / ".env"


def change(file: Path, name: str, value: str) -> None:
    """Gives a variable another value."""
    lines = file.read_text().splitlines()
    assert sum(line.startswith(f"{name}=") for line in lines) == 1
    file.write_text(
        "\n".join(f"{name}={value}" if line.startswith(f"{name}=") else line for line in lines) + "\n"
    )


def test_what_is_written_is_its_owners_only_whatever_the_umask_and_has_new_secrets(
    tmp_path: Path,
) -> None:
    before = os.umask(0)
    try:
        for name in ("one", "other"):
            env.init(Output(as_json=False), tmp_path / name)
    finally:
        os.umask(before)
    one, other = (environment.read(tmp_path / name) for name in ("one", "other"))
    assert set(one) == set(other) == set(_SECRETS)
    assert not set(one.values()) & set(other.values())
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600
    assert environment.troubles(tmp_path / "one") == []


def test_a_file_that_is_there_is_left_as_it_is(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(FixConfiguration, match="is there already"):
        env.init(Output(as_json=False), file)
    assert file.read_bytes() == before


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FixConfiguration):
        env.init(Output(as_json=False), tmp_path / ".env")
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FixConfiguration, match=r"Cannot write .*: No such file or directory"):
        env.init(Output(as_json=False), tmp_path / "none" / ".env")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "POSTGRES_PASSWORD is missing"),
        ("changemechangemechangeme", "POSTGRES_PASSWORD can be guessed"),
        ("Password-of-the-warehouse-7391", "can be guessed"),
        ("f3c09a1", "can be guessed"),
        ("1212121212121212121212", "can be guessed"),
        ("8sk@dj/fhw:83hfw9f7h2", "letters, digits"),
    ],
)
def test_a_secret_that_is_none_is_named(file: Path, value: str, said: str) -> None:
    change(file, "POSTGRES_PASSWORD", value)
    (trouble,) = environment.troubles(file)
    assert said in trouble
    assert not value or value not in trouble


def test_two_logins_with_one_password_are_named(file: Path) -> None:
    change(file, "KAFKA_SPARK_PASSWORD", environment.read(file)["KAFKA_PRODUCER_PASSWORD"])
    (trouble,) = environment.troubles(file)
    assert trouble.startswith("KAFKA_PRODUCER_PASSWORD, KAFKA_SPARK_PASSWORD are the same")


def test_a_file_that_others_may_read_is_named(file: Path) -> None:
    file.chmod(0o640)
    assert environment.troubles(file) == [f"others may read it: chmod 600 {file}"]


def test_a_file_that_is_no_text_is_named(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    assert environment.troubles(file) == ["it cannot be read (it is no text)"]


def test_the_example_lacks_every_secret_and_says_so(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(environment.written(with_secrets=False))
    (tmp_path / ".env").chmod(0o600)
    (trouble,) = environment.troubles(tmp_path / ".env")
    assert trouble.startswith(", ".join(_SECRETS) + " are missing")


def test_doctor_finds_it_well_or_broken_where_nothing_else_was_begun(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(folder=file.parent / "nothing begun here")
    assert doctor(settings, Output(as_json=True), deep=False)
    change(file, "MONGO_KEY", "")
    assert not doctor(settings, Output(as_json=True), deep=False)
    assert "MONGO_KEY is missing" in capsys.readouterr().out
    file.unlink()
    with pytest.raises(FixConfiguration, match="no deployment"):
        doctor(settings, Output(as_json=True), deep=False)
