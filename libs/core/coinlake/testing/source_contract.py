"""What every source must keep, as tests to inherit: give recordings, and get some sixty named checks.

    class TestKraken(SourceContract):
        plugin = coinlake_sources()[0]
        recordings = Path(__file__).parent / "recordings"

docs/contract.md lists the checks, what each promises, and how to satisfy it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest

from coinlake.plugins import SourcePlugin
from coinlake.settings import parse_table
from coinlake.source import Source
from coinlake.testing.contract.answers import AnswerChecks, PagingChecks
from coinlake.testing.contract.digits import ValueChecks
from coinlake.testing.contract.package import PackageChecks, SecretChecks
from coinlake.testing.contract.planning import PlanningChecks
from coinlake.testing.contract.rows import RowChecks
from coinlake.testing.contract.subject import Subject, by_path
from coinlake.testing.mimic import Mimic
from coinlake.testing.recorded_mimic import RecordedMimic
from coinlake.testing.recordings import Recording, load


class SourceContract(
    RowChecks, ValueChecks, PagingChecks, AnswerChecks, PlanningChecks, SecretChecks, PackageChecks
):
    """Inherit in a pytest file; `plugin` and `recordings` must be given, the rest is for odd venues."""

    plugin: ClassVar[SourcePlugin]
    """What the package registers. Its settings table must have `root`, below which all is asked."""
    recordings: ClassVar[Path]
    """The folder of recorded answers (docs/recordings.md), errors too."""
    settings: ClassVar[Mapping[str, Any]] = {}
    """The table `[sources.<name>]` that fits the recordings: the instruments that were recorded, …"""
    settings_of: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Settings that differ for a dataset, where its recordings are of other instruments than the rest."""
    settings_with_key: ClassVar[Mapping[str, Any]] = {}
    """What must be set beside a key, such as the plan that the key is of."""
    zero_is_null: ClassVar[frozenset[str]] = frozenset()
    """Columns in which the venue writes zero where there was nothing, such as no trade."""
    history_step: ClassVar[timedelta] = timedelta(seconds=1)
    """How far apart the rows of a history are: windows that end so much before the next have no hole."""

    def mimic(self) -> Mimic:
        """How the venue answers; by default the newest recording of the same path and parameters."""
        return RecordedMimic(urlsplit(self._source().root).path.rstrip("/"))

    def dataset_of(self, recording: Recording) -> str | None:
        """The dataset whose answer a recording is; by default that with its path."""
        return by_path(self._source(), recording)

    @pytest.fixture(scope="class")
    @classmethod
    def subject(cls, tmp_path_factory: pytest.TempPathFactory) -> Subject:
        """What the checks are run on."""
        return cls().made_subject(tmp_path_factory.mktemp("contract"))

    def made_subject(self, folder: Path) -> Subject:
        """What the checks are run on; they may write into `folder`."""
        module = sys.modules[self.plugin.make.__module__]
        return Subject(
            plugin=self.plugin,
            settings=self.settings,
            settings_of=self.settings_of,
            settings_with_key=self.settings_with_key,
            recordings=load(self.recordings),
            mimic=self.mimic,
            dataset_of=self.dataset_of,
            zero_is_null=self.zero_is_null,
            history_step=self.history_step,
            package=Path(module.__file__ or "").parent,
            folder=folder,
        )

    def _source(self) -> Source:
        settings = parse_table(self.plugin.settings, self.settings, f"sources.{self.plugin.name}")
        source: Source = self.plugin.make(settings)
        return source
