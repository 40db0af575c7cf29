"""`coinlake env init`: the `.env` of `ops/compose`, with secrets that nobody else has."""

from __future__ import annotations

import os
from pathlib import Path

from coinlake.errors import FixConfiguration
from coinlake_cli.environment import written
from coinlake_cli.output import Output, Table, talk

_COMPOSE = Path("ops/compose/compose.yaml")


def init(output: Output, file: Path) -> None:
    """Writes the file for its owner only, and says what to do next; writes over nothing.

    Raises `FixConfiguration` where the file is there, or cannot be written.
    """
    file = file.absolute()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise FixConfiguration(
            f"{file} is there already, and its secrets open servers that may hold captures: keep it, or name "
            "another file."
        ) from None
    except OSError as error:
        raise FixConfiguration(f"Cannot write {file}: {error.strerror}.") from None
    with open(descriptor, "w", encoding="ascii") as opened:
        os.fchmod(descriptor, 0o600)  # whatever the umask
        opened.write(written(with_secrets=True))
    output.show({"file": str(file)}, Table("Written", ("file",), [(str(file),)]))
    compose = file.parent / _COMPOSE.name
    talk.print(
        f"\nKeep a copy of it where backups are: without it their servers stay shut.\nNext:\n"
        f"  docker compose -f {compose if compose.exists() else _COMPOSE} up --wait",
        markup=False,
    )
