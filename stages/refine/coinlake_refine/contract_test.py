"""The steps that ship with Coinlake keep the contract of steps, in front of `validate` and behind it."""

from __future__ import annotations

from coinlake.testing import StageContract

PLUGIN = "coinlake_refine.plugin"


class TestValidate(StageContract):
    plugin = PLUGIN
    step = "validate"
    raw = True


class TestDeduplicate(StageContract):
    plugin = PLUGIN
    step = "deduplicate"


class TestDeduplicateOfRawRows(StageContract):
    plugin = PLUGIN
    step = "deduplicate"
    raw = True
