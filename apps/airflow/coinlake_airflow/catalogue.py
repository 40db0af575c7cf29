"""The catalogue that `coinlake catalogue -o FILE` writes: all that DAGs are made of.

It is a file so that parsing DAGs opens no connection, starts no program and imports no plugin.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import Asset
from airflow.sdk.configuration import conf

SECTION = "coinlake"
"""Of Airflow's configuration: `AIRFLOW__COINLAKE__CATALOGUE` and so on."""


class NoCatalogue(Exception):
    """The catalogue cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Feed:
    """One dataset of one source, captured once a slot of `cadence`."""

    source: str
    dataset: str
    cadence: timedelta
    has_past: bool
    """Whether the venue can still be asked for a slot that is over."""
    at_once: int
    """How many slots of this source may be captured side by side."""
    root: str

    @property
    def name(self) -> str:
        """As people choose it."""
        return f"{self.source}/{self.dataset}"

    @property
    def key(self) -> str:
        """The name as ids of Airflow's may be written."""
        return re.sub(r"\W", "_", f"{self.source}_{self.dataset}")

    @property
    def pool(self) -> str:
        """The pool that bounds what asks this source at once."""
        return f"coinlake_{self.source}"

    @property
    def landed(self) -> Asset:
        """What a capture adds to: this feed's captures in the lake."""
        return Asset(name=f"lake {self.name}", uri=f"x-coinlake://lake/{self.name}", group="coinlake")


@dataclass(frozen=True)
class Catalogue:
    """What is to be captured, and what is broken."""

    page: str
    feeds: Sequence[Feed]
    prunes: bool
    """Whether anything is ever to leave the warehouse."""
    broken: Sequence[str]
    """What is wrong with each plugin that is left out; it names the plugin."""


def read(file: Path | None = None) -> Catalogue:
    """The catalogue in a file, or in the one that Airflow's configuration names. Raises `NoCatalogue`."""
    file = file or Path(conf.get(SECTION, "catalogue", fallback="catalogue.json"))
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        feeds = [_feed(each) for each in document["feeds"]]
        return Catalogue(document["page"], feeds, document["prunes"], document["broken"])
    except (OSError, ValueError, KeyError) as error:
        raise NoCatalogue(
            f"Cannot read the catalogue {file}: {type(error).__name__}: {error}. Write it by "
            f"`coinlake catalogue -o {file}`, and name it by AIRFLOW__COINLAKE__CATALOGUE."
        ) from error


def _feed(given: Mapping[str, Any]) -> Feed:
    return Feed(
        source=given["source"],
        dataset=given["dataset"],
        cadence=timedelta(seconds=given["every_s"]),
        has_past=given["has_past"],
        at_once=given["at_once"],
        root=given["root"],
    )
