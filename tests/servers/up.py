"""MongoDB, Kafka and PostgreSQL for people: up until Ctrl-C, and up again whenever one is killed."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from servers.fetch import Missing
from servers.kafka import Kafka
from servers.mongod import Mongo
from servers.postgres import Postgres

_LOOK_AGAIN_S = 0.5

Server = Mongo | Kafka | Postgres

SERVERS: dict[str, Callable[[Path], Server]] = {"mongo": Mongo, "kafka": Kafka, "postgres": Postgres}


def main() -> int:
    """Starts the servers that are named, or all; ends with 0 after Ctrl-C, with 1 where a part is missing."""
    wanted = _arguments().servers or list(SERVERS)
    signal.signal(signal.SIGTERM, _interrupt)
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="coinlake-servers-") as folder:
        try:
            running = [stack.enter_context(SERVERS[name](Path(folder, name))) for name in wanted]
            print("\n".join(map(_how_to_use, running)))
            print(f"\nTheir files lie in {folder} until Ctrl-C, which stops them.", flush=True)
            while True:
                time.sleep(_LOOK_AGAIN_S)
                for server in running:
                    _keep_up(server)
        except Missing as missing:
            print(missing, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 0
        finally:
            stack.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./pants run tests/servers:up --", description=__doc__)
    parser.add_argument("servers", nargs="*", metavar="SERVER", help=f"of {', '.join(SERVERS)}; default: all")
    arguments = parser.parse_args()
    unknown = set(arguments.servers) - set(SERVERS)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(SERVERS)}")
    return arguments


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _keep_up(server: Server) -> None:
    if not server.runs:
        server.kill()
        server.start()
        print(f"{type(server).__name__} had ended; it is up again.", flush=True)


def _how_to_use(server: Server) -> str:
    match server:
        case Mongo():
            return f"MongoDB     {server.uri}\n            mongosh '{server.uri}'"
        case Kafka():
            address = server.bootstrap_servers
            return f"Kafka       {address}\n            kcat -b {address} -L"
        case Postgres():
            return f"PostgreSQL  {server.dsn}\n            psql '{server.dsn}'"


if __name__ == "__main__":
    sys.exit(main())
