"""A new server becomes a replica set with logins by one command, and what was done stays done."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from coinlake.errors import FixConfiguration, TryAgain
from coinlake.settings import Secret
from coinlake_lake.mongo_logins import ROLES, OwnMachine
from coinlake_lake.mongo_setup import set_up
from servers.mongod import Member

ROOT = Secret("root-of-all")


@pytest.fixture
def server(tmp_path: Path, mongod_program: object) -> Iterator[Member]:
    """A member of a set that nobody made yet, with no user."""
    key = tmp_path / "key"
    key.write_text(secrets.token_hex(24))
    key.chmod(0o600)
    member = Member(tmp_path / "member", ["--replSet=rs0", f"--keyFile={key}", "--oplogSize=128"])
    member.start()
    yield member
    member.close()


def url_of(server: Member, user: str = "owner", password: str = "the-owners") -> Secret:
    return Secret(f"mongodb://{user}:{password}@{server.address}/coinlake?replicaSet=rs0&authSource=admin")


def passwords(word: str) -> dict[str, Secret]:
    return {name: Secret(f"{word}-{name}") for name in ROLES}


def make(server: Member, word: str = "first") -> list[str]:
    """What `coinlake lake init --logins` does."""
    own = OwnMachine(url_of(server), ROOT)
    return [*own.begin(), *set_up(url_of(server)), *own.give_logins(passwords(word))]


def captures(url: Secret) -> int:
    with MongoClient[dict[str, object]](url.get_secret_value()) as client:
        return client.get_default_database()["captures"].count_documents({})


def test_each_login_is_made_once_and_may_do_what_its_role_may(server: Member) -> None:
    said = make(server)
    assert said[:3] == [
        f"Made the replica set rs0 of {server.address}.",
        "Made the login root.",
        "Made the login owner with the role dbOwner.",
    ]
    assert said[-2:] == [
        "Made the login reader with the role coinlake_reader.",
        "Made the login watcher with the role clusterMonitor.",
    ]
    assert make(server) == []
    assert captures(url_of(server, "writer", "first-writer")) == 0
    with MongoClient[dict[str, object]](
        url_of(server, "reader", "first-reader").get_secret_value()
    ) as client:
        with pytest.raises(OperationFailure, match="not authorized"):
            client.get_default_database()["captures"].insert_one({})
        with pytest.raises(OperationFailure, match="not authorized"):
            client.admin["system.users"].find_one()


def test_the_watcher_sees_how_the_server_fares_and_no_document(server: Member) -> None:
    make(server)
    with MongoClient[dict[str, object]](
        url_of(server, "watcher", "first-watcher").get_secret_value()
    ) as watcher:
        assert watcher.admin.command("serverStatus")["ok"] == 1.0
        database = watcher.get_default_database()
        assert database.command("dbStats")["ok"] == 1.0
        for forbidden in (
            database["captures"].find_one,
            lambda: database["positions"].insert_one({}),
            lambda: watcher.admin["system.users"].find_one(),
        ):
            with pytest.raises(OperationFailure, match="not authorized"):
                forbidden()


def test_a_new_password_takes_the_place_of_the_old_one(server: Member) -> None:
    make(server)
    make(server, "second")
    assert captures(url_of(server, "writer", "second-writer")) == 0
    with pytest.raises(OperationFailure, match="Authentication failed"):
        captures(url_of(server, "writer", "first-writer"))


def test_another_password_of_root_is_refused_in_a_sentence(server: Member) -> None:
    make(server)
    with pytest.raises(FixConfiguration, match=r"refuses root: it was made with another password\.$") as told:
        OwnMachine(url_of(server), Secret("wrong")).begin()
    assert "wrong" not in str(told.value)


def test_a_server_that_is_away_is_tried_again_later(server: Member) -> None:
    own = OwnMachine(url_of(server), ROOT)
    server.stop()
    with pytest.raises(TryAgain, match=f"No MongoDB answers at {server.address}"):
        own.begin()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mongodb://owner:x@127.0.0.1/coinlake", "one host and"),
        ("mongodb://owner:x@a:1,b:2/coinlake?replicaSet=rs0", "one host and"),
        ("postgres://", "no connection string"),
    ],
)
def test_an_address_that_cannot_be_is_refused(url: str, said: str) -> None:
    with pytest.raises(FixConfiguration, match=said):
        OwnMachine(Secret(url), ROOT)
