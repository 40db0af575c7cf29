"""Servers, logins and captures that a lake in MongoDB cannot use: each says what to do, and no secret."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from coinlake.errors import FixConfiguration, Refused, TryAgain
from coinlake.settings import Secret
from coinlake.testing.lake_contract import DEADLINE_S, capture, positions
from coinlake_lake import mongo_server
from coinlake_lake.conftest import in_database
from coinlake_lake.mongo import MongoLake
from coinlake_lake.mongo_document import PLAIN_BODY_BYTES
from coinlake_lake.mongo_setup import set_up
from servers.fixtures import serving
from servers.mongod import Mongo

PASSWORD = "top-secret-7"


def client_of(url: Secret) -> MongoClient[dict[str, Any]]:
    """A bare client, as a stranger would use it; the caller closes it."""
    return MongoClient(url.get_secret_value())


@dataclass(frozen=True)
class Guarded:
    """A lake on a server with authentication, and who may do what."""

    server: Mongo
    database: str

    def url(self, user: str, password: str = PASSWORD) -> Secret:
        return in_database(self.server.uri_of(user, password), self.database)


@pytest.fixture(scope="module")
def guarded(request: pytest.FixtureRequest, mongod_program: Path) -> Iterator[Guarded]:
    for server in serving(request, lambda folder: Mongo(folder, authenticated=True)):
        guarded = Guarded(server, "coinlake")
        set_up(in_database(server.uri, guarded.database))
        with closing(client_of(Secret(server.uri))) as root:
            for user, role in (("writer", mongo_server.WRITER), ("reader", mongo_server.READER)):
                roles = [{"role": role, "db": guarded.database}]
                root.admin.command("createUser", user, pwd=PASSWORD, roles=roles)
            root.admin.command("createUser", "nobody", pwd=PASSWORD, roles=[])
        yield guarded


@pytest.mark.parametrize("user", ["writer", "reader"])
@pytest.mark.parametrize("forged", ["update", "delete", "drop", "find and modify", "drop the index"])
def test_no_role_may_change_or_remove_a_capture(guarded: Guarded, user: str, forged: str) -> None:
    with MongoLake(guarded.url("writer")) as lake:
        lake.append(capture())
        before = list(lake.scan())
    with closing(client_of(guarded.url(user))) as client:
        captures = client[guarded.database]["captures"]
        act: Callable[[], object] = {
            "update": lambda: captures.update_many({}, {"$set": {"url": "forged"}}),
            "delete": lambda: captures.delete_many({}),
            "drop": lambda: captures.database.command("drop", "captures"),
            "find and modify": lambda: captures.find_one_and_delete({}),
            "drop the index": lambda: captures.drop_index("position"),
        }[forged]
        with pytest.raises(OperationFailure, match="not authorized"):
            act()
    with MongoLake(guarded.url("reader")) as lake:
        assert list(lake.scan()) == before


def test_the_reader_reads_and_waits_and_may_not_write(guarded: Guarded) -> None:
    with MongoLake(guarded.url("reader")) as lake:
        assert lake.wait(lake.end(), 0.05) is False
        no_right = (
            r"gives user reader no right to this: not authorized on coinlake to insert\. Grant the role"
        )
        with pytest.raises(FixConfiguration, match=no_right):
            lake.append(capture(77))


@pytest.mark.parametrize(
    ("user", "password", "said"),
    [
        ("writer", "wrong-secret", r"MongoDB at 127.0.0.1:\d+/coinlake refuses the login of user writer: .*"),
        ("stranger", PASSWORD, r"refuses the login of user stranger"),
        ("nobody", PASSWORD, r"gives user nobody no right to this: .*Grant the role coinlake_writer"),
    ],
)
def test_a_wrong_login_is_named_without_its_password(
    guarded: Guarded, user: str, password: str, said: str
) -> None:
    with pytest.raises(FixConfiguration, match=said) as raised:
        MongoLake(guarded.url(user, password))
    assert password not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    ["", "localhost", "mongodb://", "mongodb://u:top/secret@h/", "mongodb://u:top@secret@h/x", "http://h"],
)
def test_a_url_that_is_none_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(FixConfiguration, match=r"lake\.url is no connection string of MongoDB") as raised:
        MongoLake(Secret(url))
    assert "secret" not in str(raised.value)


def test_a_server_that_is_not_there_is_a_passing_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongo_server, "_AWAY_AFTER_MS", 200)
    places = "127.0.0.1:1,127.0.0.1:2/x"
    with pytest.raises(TryAgain) as raised:
        MongoLake(Secret(f"mongodb://u:{PASSWORD}@{places}?replicaSet=rs0"))
    assert str(raised.value) == (
        f"Cannot use the lake at {places} now: Connection refused. Check that MongoDB runs there; of a "
        "replica set, a majority."
    )


def test_a_database_that_is_no_lake_is_named(mongo_replica_set: Mongo) -> None:
    with pytest.raises(FixConfiguration, match=r"There is no lake at .*/empty: run `coinlake lake init`"):
        MongoLake(in_database(mongo_replica_set.uri, "empty"))


def test_a_lake_of_a_newer_coinlake_is_left_to_it(database: Secret) -> None:
    with closing(client_of(database)) as client:
        client.get_default_database()["lake"].update_one({}, {"$set": {"version": 2}})
    for use in (MongoLake, set_up):
        with pytest.raises(FixConfiguration, match=r"newer Coinlake \(version 2; this one knows 1\)"):
            use(database)


def test_a_body_over_the_servers_limit_is_kept_packed_and_one_that_does_not_pack_is_refused(
    database: Secret,
) -> None:
    large = capture(1, body=b"[" + b" " * (PLAIN_BODY_BYTES + 2_000_000) + b"]")
    with MongoLake(database) as lake:
        assert lake.append(large)
        with pytest.raises(Refused, match=r"cannot keep a capture: .*16 MB"):
            lake.append(capture(2, body=random.Random(1).randbytes(17_000_000)))
        assert lake.append(capture(3))
        assert [one.capture for one in lake.scan()] == [large, capture(3)]
        assert list(lake.audit()) == []


@pytest.mark.parametrize("changes", [{"url": 1}, {"slot": "tomorrow"}, {"position": 0}, {"more": 1}])
def test_what_is_no_capture_does_not_enter(database: Secret, changes: dict[str, object]) -> None:
    with (
        MongoLake(database) as lake,
        closing(client_of(database)) as client,
    ):
        lake.append(capture())
        captures = client.get_default_database()["captures"]
        found = captures.find_one({}) or {}
        with pytest.raises(OperationFailure, match="failed validation"):
            captures.insert_one({**found, "_id": b"x", "position": 2, "page": 9, **changes})


def test_the_shell_shows_a_capture_as_text(database: Secret) -> None:
    with (
        MongoLake(database) as lake,
        closing(client_of(database)) as shell,
    ):
        lake.append(capture(slot=datetime(2026, 3, 1, 12, 3, 0, 1, tzinfo=UTC)))
        found = shell.get_default_database()["captures"].find_one({"slot": {"$gt": "2026-03-01"}}) or {}
        assert found["slot"] == "2026-03-01T12:03:00.000001+00:00"
        assert found["body"] == '[{"id":"ether","symbol":"Ξ","price":1.10}]'
        assert found["headers"][1] == ["x-name", "Ξ “naïve”"]


def test_the_audit_names_a_body_that_was_changed(database: Secret) -> None:
    with (
        MongoLake(database) as lake,
        closing(client_of(database)) as root,
    ):
        for number in (1, 2, 3):
            lake.append(capture(number))
        root.get_default_database()["captures"].update_one({"position": 2}, {"$set": {"body": "[]"}})
        assert [one.capture.id for one in lake.audit()] == [capture(2).id]


def test_dropped_captures_are_told_and_never_begun_anew(guarded: Guarded) -> None:
    root = in_database(guarded.server.uri, guarded.database)
    with (
        MongoLake(guarded.url("writer")) as writer,
        MongoLake(guarded.url("reader")) as reader,
        closing(client_of(root)) as administrator,
    ):
        writer.append(capture(1))
        database = administrator.get_default_database()
        database["captures"].drop()
        try:
            for use in (
                lambda: writer.append(capture(2)),
                reader.end,
                lambda: reader.wait(1, DEADLINE_S),
                lambda: set_up(root),
            ):
                with pytest.raises(FixConfiguration, match=r"has lost its captures: .*Restore it"):
                    use()
            assert "captures" not in database.list_collection_names()
        finally:
            database["positions"].drop()
            set_up(root)
        assert writer.append(capture(2))


def test_a_capture_stored_while_all_others_were_dropped_begins_no_lake(database: Secret) -> None:
    with (
        MongoLake(database) as lake,
        closing(client_of(database)) as administrator,
    ):
        for number in (1, 2):
            lake.append(capture(number))
        captures = administrator.get_default_database()["captures"]
        last = captures.find_one({"position": 2}) or {}
        captures.drop()
        captures.insert_one(last)  # by a writer who had read where the lake ends
        with pytest.raises(FixConfiguration, match=r"lacks an index .* restore it from a backup"):
            lake.append(capture(3))
        with pytest.raises(FixConfiguration, match=r"has lost its captures: .*Restore it"):
            set_up(database)


def test_a_collection_without_the_index_of_positions_takes_no_capture(database: Secret) -> None:
    with (
        MongoLake(database) as lake,
        closing(client_of(database)) as administrator,
    ):
        lake.append(capture(1))
        administrator.get_default_database()["captures"].drop_index("position")
        with pytest.raises(FixConfiguration, match=r"lacks an index .* Run `coinlake lake init`"):
            lake.append(capture(2))
        set_up(database)
        assert lake.append(capture(2))


def test_setting_up_says_what_it_did_and_does_nothing_twice(mongo_replica_set: Mongo) -> None:
    url = in_database(mongo_replica_set.uri, "set up")
    with pytest.raises(FixConfiguration):
        set_up(url)
    url = in_database(mongo_replica_set.uri, "set-up")
    said = set_up(url)
    with MongoLake(url) as lake:
        assert said[0].startswith(f"Made the lake {lake.id} at 127.0.0.1:")
        assert said[1:] == [
            "Made the collection captures.",
            "Made the collection positions.",
            "Made the unique index position on position.",
            "Made the unique index identity on source, dataset, slot, page, sha256.",
            "Made the unique index entries on position, _id.",
            "Made the role coinlake_writer of the database set-up.",
            "Made the role coinlake_reader of the database set-up.",
        ]
        assert set_up(url) == []
    with closing(client_of(url)) as root:
        database = root.get_default_database()
        database["captures"].drop_index("position")
        database.command("collMod", "captures", validator={})
        database.command("updateRole", mongo_server.WRITER, privileges=[])
    assert set_up(url) == [
        "Changed what is checked of a document in captures.",
        "Made the unique index position on position.",
        "Changed the rights of the role coinlake_writer.",
    ]


def test_a_collection_of_another_program_is_left_alone(mongo_replica_set: Mongo) -> None:
    url = in_database(mongo_replica_set.uri, "others")
    with closing(client_of(url)) as other:
        other.get_default_database()["captures"].insert_one({"_id": 1})
        with pytest.raises(FixConfiguration, match="a collection captures that is not Coinlake's"):
            set_up(url)
        assert list(other.get_default_database()["captures"].find()) == [{"_id": 1}]


def test_a_step_down_and_a_kill_of_the_server_lose_and_skip_nothing(
    request: pytest.FixtureRequest, mongod_program: Path
) -> None:
    for server in serving(request, Mongo):
        url = in_database(server.uri, "coinlake")
        set_up(url)
        acknowledged: list[UUID] = []
        stop = threading.Event()

        def write(
            writer: int,
            url: Secret = url,
            stop: threading.Event = stop,
            acknowledged: list[UUID] = acknowledged,
        ) -> None:
            with MongoLake(url) as lake:
                number = 0
                while not stop.is_set():
                    one = capture(number, source=f"s{writer}")
                    with suppress(TryAgain):
                        lake.append(one)
                        acknowledged.append(one.id)
                        number += 1

        writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
        with MongoLake(url) as lake:
            for one in writers:
                one.start()
            try:
                for fault in ("kill", "step down", "kill"):
                    assert lake.wait(lake.end() + 20, DEADLINE_S)
                    if fault == "kill":
                        server.kill()
                        server.start()
                    else:
                        with server.wait_for_primary().client() as admin, suppress(PyMongoError):
                            admin.admin.command("replSetStepDown", 1, force=True)
                        server.wait_for_primary()
            finally:
                stop.set()
                for one in writers:
                    one.join(DEADLINE_S)
            held = list(lake.scan())
            assert positions(held) == list(range(1, len(held) + 1))
            assert set(acknowledged) <= {one.capture.id for one in held}
            assert list(lake.audit()) == []
