"""MongoDB, Kafka and PostgreSQL for people: up until Ctrl-C, and up again whenever one is killed."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from servers.for_people import until_ended
from servers.kafka import Kafka
from servers.mongod import Mongo
from servers.postgres import Postgres
from servers.server import Server

_LOOK_AGAIN_S = 0.5

SERVERS: dict[str, Callable[[Path], Server]] = {"mongo": Mongo, "kafka": Kafka, "postgres": Postgres}


def main() -> int:
    """Starts the servers that are named, or all; ends with 0 after Ctrl-C, with 1 where a part is missing."""
    wanted = _arguments().servers or list(SERVERS)
    return until_ended(lambda: _up(wanted))


def _up(wanted: Sequence[str]) -> NoReturn:
    with tempfile.TemporaryDirectory(prefix="coinlake-servers-") as folder, ExitStack() as stack:
        running = [stack.enter_context(SERVERS[name](Path(folder, name))) for name in wanted]
        print("\n".join(server.how_to_reach() for server in running))
        print(f"\nTheir files lie in {folder} until Ctrl-C, which stops them.", flush=True)
        _keep_up(running)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./pants run tests/servers:up --", description=__doc__)
    parser.add_argument("servers", nargs="*", metavar="SERVER", help=f"of {', '.join(SERVERS)}; default: all")
    arguments = parser.parse_args()
    unknown = set(arguments.servers) - set(SERVERS)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(SERVERS)}")
    return arguments


def _keep_up(running: Sequence[Server]) -> NoReturn:
    while True:
        time.sleep(_LOOK_AGAIN_S)
        for server in running:
            if not server.runs:
                server.kill()  # what is left of it: of several members one may have ended
                server.start()
                print(f"{type(server).__name__} had ended; it is up again.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
