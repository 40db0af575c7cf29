"""The variables of `ops/compose`: what each is for, how a secret is made, and what is wrong with a `.env`.

They stand here and nowhere else. `coinlake env init` writes them with new secrets; without secrets they are
`ops/compose/.env.example`, which this module prints:

    ./pants run apps/cli/coinlake_cli/environment.py >ops/compose/.env.example
"""

from __future__ import annotations

import secrets
import stat
import textwrap
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_WIDTH = 110
_SHORTEST_SECRET = 16
_TELLTALE = ("change", "password", "secret", "admin", "default", "example", "postgres")
"""What a secret has in it that somebody made up to have one."""


def _password() -> str:
    return secrets.token_hex(24)


def _fernet_key() -> str:
    return urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii")


@dataclass(frozen=True)
class Variable:
    """A line of `.env`: with `made` a secret that must be there, else `example` behind a #."""

    name: str
    purpose: str
    made: Callable[[], str] | None = None
    example: str = ""


@dataclass(frozen=True)
class Section:
    """Variables of one part."""

    title: str
    variables: tuple[Variable, ...]


def _secret(name: str, purpose: str, made: Callable[[], str] = _password) -> Variable:
    return Variable(name, purpose, made)


SECTIONS = (
    Section(
        "MongoDB, the lake",
        (
            _secret("MONGO_KEY", "By this the members of the replica set know each other."),
            _secret("MONGO_ROOT_PASSWORD", "root may do all; only the services that set up have it."),
            _secret("MONGO_OWNER_PASSWORD", "owner makes collections, indexes and roles."),
            _secret("MONGO_WRITER_PASSWORD", "writer adds captures: Airflow's tasks and the page."),
            _secret("MONGO_READER_PASSWORD", "reader reads captures and keeps its mark: the producer."),
            _secret("MONGO_WATCHER_PASSWORD", "watcher sees how the server fares: Telegraf."),
        ),
    ),
    Section(
        "Kafka, the bus",
        (
            _secret("KAFKA_BROKER_PASSWORD", "The broker's own, within its container."),
            _secret("KAFKA_SETUP_PASSWORD", "setup makes the topic, and repairs it."),
            _secret(
                "KAFKA_LOOKER_PASSWORD", "looker sees how far the topic is: Airflow's tasks and the page."
            ),
            _secret("KAFKA_PRODUCER_PASSWORD", "producer writes to the topic, and is the only one."),
            _secret("KAFKA_SPARK_PASSWORD", "spark reads the topic."),
        ),
    ),
    Section(
        "PostgreSQL, the warehouse",
        (
            _secret("POSTGRES_PASSWORD", "postgres may do all; only the services that set up have it."),
            _secret("WAREHOUSE_OWNER_PASSWORD", "owner has the schema: Airflow's tasks and the page."),
            _secret("WAREHOUSE_LOADER_PASSWORD", "spark adds rows, and can drop nothing."),
            _secret(
                "WAREHOUSE_READER_PASSWORD", "reader sees every table and changes none: people, dashboards."
            ),
            _secret("AIRFLOW_DATABASE_PASSWORD", "airflow has a database of its own, and sees no other."),
        ),
    ),
    Section(
        "Airflow",
        (
            _secret("AIRFLOW_ADMIN_PASSWORD", "With the name admin, to enter Airflow's page."),
            _secret("AIRFLOW_FERNET_KEY", "Encrypts what Airflow keeps of connections.", _fernet_key),
            _secret("AIRFLOW_JWT_SECRET", "Signs what Airflow's parts say to each other."),
            _secret("AIRFLOW_SECRET_KEY", "Signs the sessions of Airflow's page."),
        ),
    ),
    Section(
        "Grafana, of observability.yaml",
        (_secret("GRAFANA_ADMIN_PASSWORD", "With the name admin, to enter Grafana."),),
    ),
    Section(
        "What you may set; a line that begins with # is left as it is",
        (
            Variable(
                "COINLAKE_SOURCES__COINGECKO__PLAN",
                "CoinGecko's plan: keyless, demo or pro. What else is captured is said in coinlake.toml.",
                example="demo",
            ),
            Variable("COINLAKE_SOURCES__COINGECKO__API_KEY", "The key of a demo or pro plan."),
            Variable("PAGE_PORT", "Where Coinlake's page is, on this machine only.", example="8377"),
            Variable("AIRFLOW_PORT", "Where Airflow's page is, on this machine only.", example="8080"),
            Variable("GRAFANA_PORT", "Where Grafana is, on this machine only.", example="3000"),
            Variable(
                "ENVIRONMENT", "Whom alerts wake: production, staging, or local for nobody.", example="local"
            ),
            Variable("IMAGE_TAG", "The version of Coinlake's four images.", example="0.1.0"),
            Variable(
                "IMAGE_PREFIX", "Where they come from, if not from this machine.", example="registry.example/"
            ),
            Variable("MONGO_IMAGE", "MongoDB, from a mirror or by digest.", example="mongo:6.0.27"),
            Variable("KAFKA_IMAGE", "Kafka, likewise.", example="apache/kafka:4.1.1"),
            Variable("POSTGRES_IMAGE", "PostgreSQL, likewise.", example="postgres:17.6-bookworm"),
        ),
    ),
)


def variables() -> Iterator[Variable]:
    """All of them, in the order of the file."""
    for section in SECTIONS:
        yield from section.variables


def written(*, with_secrets: bool) -> str:
    """The text of a `.env`: with new secrets, or with none, as an example."""
    lines = [
        "# What ops/compose/compose.yaml needs to know, and who may read this file may do all with it.",
        "# `coinlake env init` makes it with new secrets; `coinlake doctor` checks it.",
    ]
    for section in SECTIONS:
        lines += ["", f"# --- {section.title}"]
        for variable in section.variables:
            lines += textwrap.wrap(variable.purpose, _WIDTH, initial_indent="# ", subsequent_indent="# ")
            if variable.made is None:
                lines.append(f"#{variable.name}={variable.example}")
            else:
                lines.append(f"{variable.name}={variable.made() if with_secrets else ''}")
    return "\n".join(lines) + "\n"


def read(file: Path) -> dict[str, str]:
    """The variables that a file sets. Raises `OSError`, and `UnicodeDecodeError` where it is no text."""
    found = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            found[name.removeprefix("export ").strip()] = value.strip().strip("\"'")
    return found


def troubles(file: Path) -> list[str]:
    """What is wrong with a `.env`, a sentence each and no secret shown; nothing where it is well."""
    try:
        mode, given = stat.S_IMODE(file.stat().st_mode), read(file)
    except (OSError, UnicodeDecodeError) as error:
        return [f"it cannot be read ({getattr(error, 'strerror', None) or 'it is no text'})"]
    found = []
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        found.append(f"others may read it: chmod 600 {file}")
    return found + _troubles_of(given)


def _troubles_of(given: Mapping[str, str]) -> list[str]:
    found = []
    needed = [variable.name for variable in variables() if variable.made]
    if missing := [name for name in needed if not given.get(name)]:
        found.append(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing: `coinlake env init FILE` "
            "writes another file to copy from"
        )
    there = {name: given[name] for name in needed if given.get(name)}
    if weak := [name for name, value in there.items() if _looks_made_up(value)]:
        found.append(f"{', '.join(weak)} can be guessed: write {_SHORTEST_SECRET} random characters or more")
    values = list(there.values())
    if twice := [name for name, value in there.items() if values.count(value) > 1]:
        found.append(f"{', '.join(twice)} are the same: each login has a password of its own")
    if harmful := [name for name, value in there.items() if not _is_plain(value)]:
        found.append(f"{', '.join(harmful)}: write letters, digits, - and _ only, as they stand in URLs too")
    return found


def _looks_made_up(value: str) -> bool:
    folded = value.lower()
    has_word = any(word in folded for word in _TELLTALE)
    return len(value) < _SHORTEST_SECRET or has_word or len(set(value)) < _SHORTEST_SECRET // 2


def _is_plain(value: str) -> bool:
    return all(sign.isascii() and (sign.isalnum() or sign in "-_=") for sign in value)


if __name__ == "__main__":
    print(written(with_secrets=False), end="")
