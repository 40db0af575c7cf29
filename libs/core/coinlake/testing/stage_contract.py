"""What every refine step must keep, as tests to inherit: name the step, and get its checks.

    class TestQuoteInEur(StageContract):
        plugin = "coinlake_quote_in_eur.plugin"
        step = "quote-in-eur"

docs/contract.md lists the checks and what each promises.
"""

from __future__ import annotations

from typing import ClassVar

from coinlake.testing.contract.engines import EngineChecks
from coinlake.testing.contract.steps import StepChecks


class StageContract(StepChecks, EngineChecks):
    """Inherit in a pytest file; `plugin` and `step` must be given, the rest is for particular steps."""

    plugin: ClassVar[str]
    """The module whose `coinlake_stages` offers the step, by its name: engines load it so."""
    step: ClassVar[str]
    """The name that stands in `refine.steps`."""
    changes: ClassVar[frozenset[str]] = frozenset()
    """Columns that the step may change in a row that it does not make anew."""
    leaves_out: ClassVar[frozenset[str]] = frozenset()
    """Amounts that the step leaves null in rows that it makes anew."""
    raw: ClassVar[bool] = False
    """Whether it stands before `validate`: then it sees rows without a key, and amounts that are none."""
