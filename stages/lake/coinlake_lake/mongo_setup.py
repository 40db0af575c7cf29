"""What `coinlake lake init` does in MongoDB: collections, the validator, indexes and roles.

Done again, it does nothing; done after an upgrade or a kill, it does what is missing. The lake's id is
written first, so that a collection `captures` without one is known to be somebody else's.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from pymongo.errors import DuplicateKeyError, OperationFailure

from coinlake.errors import FixConfiguration
from coinlake.settings import Secret
from coinlake_lake.mongo_document import VALIDATOR
from coinlake_lake.mongo_server import (
    CAPTURES,
    ENTRIES,
    LAKE,
    POSITIONS,
    READER,
    VERSION,
    WRITER,
    Document,
    MongoServer,
    lost_captures,
)

_INDEXES: dict[str, Sequence[str]] = {
    "position": ("position",),
    "identity": ("source", "dataset", "slot", "page", "sha256"),
    ENTRIES: ("position", "_id"),
}

_RIGHTS = {
    WRITER: {CAPTURES: ["find", "insert"], LAKE: ["find"], POSITIONS: ["find"]},
    READER: {
        CAPTURES: ["changeStream", "find"],
        LAKE: ["find"],
        POSITIONS: ["find", "insert", "update"],
    },
}
"""What each role may do with which collection; nobody may update or delete a capture."""

_COLLECTION_IS_THERE = 48
_ROLE_IS_THERE = 51002


def set_up(url: Secret) -> list[str]:
    """Makes a lake of the database, or completes it; returns a sentence for each thing that it did.

    Needs the role dbOwner. Raises `FixConfiguration` for a database that holds something else, and for a lake
    that has lost captures: made anew, it would give away their positions once more.
    """
    server = MongoServer(url)
    try:
        with server.explained():
            said = _name(server)
            if not said:
                _check_whole(server)
            return [*said, *_collections(server), *_indexes(server), *_roles(server)]
    finally:
        server.close()


def _name(server: MongoServer) -> list[str]:
    lake = server.database[LAKE]
    named = lake.find_one({"_id": "lake"})
    if named is None:
        if CAPTURES in server.database.list_collection_names():
            raise FixConfiguration(
                f"{server.name} has a collection {CAPTURES} that is not Coinlake's: name another database "
                "behind the slash of lake.url."
            )
        new = {"_id": "lake", "lake_id": uuid4(), "version": VERSION}
        try:
            lake.insert_one(new)
        except DuplicateKeyError:  # another `lake init` was faster
            return []
        return [f"Made the lake {new['lake_id']} at {server.name}."]
    if named["version"] > VERSION:
        raise FixConfiguration(
            f"The lake at {server.name} was made by a newer Coinlake (version {named['version']}; "
            f"this one knows {VERSION}): use that one."
        )
    return []


def _check_whole(server: MongoServer) -> None:
    """Refuses a lake whose captures were dropped, and one that has only what was stored after that.

    MongoDB makes a collection of what is inserted, so a writer may have made one; that of the positions is
    made last by us (`_collections`).
    """
    first = server.database[CAPTURES].find_one({}, {"position": 1}, sort=[("position", 1)])
    if first is not None:
        is_whole = first["position"] == 1
    else:
        there = server.database.list_collection_names()
        is_whole = CAPTURES in there or POSITIONS not in there
    if not is_whole:
        raise FixConfiguration(lost_captures(server.name))


def _collections(server: MongoServer) -> list[str]:
    said = []
    checks: dict[str, Document] = {CAPTURES: VALIDATOR, POSITIONS: {}}
    for name, validator in checks.items():
        found = next(server.database.list_collections(filter={"name": name}), None)
        if found is None:
            try:
                server.database.command("create", name, validator=validator)
            except OperationFailure as error:
                if error.code != _COLLECTION_IS_THERE:
                    raise
                continue  # another `lake init` was faster
            said.append(f"Made the collection {name}.")
        elif found["options"].get("validator", {}) != validator:
            server.database.command("collMod", name, validator=validator, validationLevel="strict")
            said.append(f"Changed what is checked of a document in {name}.")
    return said


def _indexes(server: MongoServer) -> list[str]:
    captures = server.database[CAPTURES]
    there = captures.index_information()
    said = []
    for name, fields in _INDEXES.items():
        if name not in there:
            captures.create_index([(field, 1) for field in fields], name=name, unique=True)
            said.append(f"Made the unique index {name} on {', '.join(fields)}.")
    return said


def _roles(server: MongoServer) -> list[str]:
    said = []
    database = server.database
    for role, rights in _RIGHTS.items():
        wanted = [
            {"resource": {"db": database.name, "collection": collection}, "actions": actions}
            for collection, actions in rights.items()
        ]
        (found,) = database.command("rolesInfo", role, showPrivileges=True)["roles"] or [None]
        if found is None:
            try:
                database.command("createRole", role, privileges=wanted, roles=[])
            except OperationFailure as error:
                if error.code != _ROLE_IS_THERE:
                    raise
            else:
                said.append(f"Made the role {role} of the database {database.name}.")
        elif _comparable(found["privileges"]) != _comparable(wanted):
            database.command("updateRole", role, privileges=wanted, roles=[])
            said.append(f"Changed the rights of the role {role}.")
    return said


def _comparable(privileges: Sequence[Document]) -> set[tuple[str, frozenset[str]]]:
    return {(one["resource"].get("collection", ""), frozenset(one["actions"])) for one in privileges}
