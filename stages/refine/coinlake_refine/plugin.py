"""Registers the refine steps that ship with Coinlake."""

from __future__ import annotations

from collections.abc import Mapping

from coinlake.plugins import Step, hookimpl
from coinlake_refine.deduplicate import deduplicate
from coinlake_refine.validate import validate


@hookimpl
def coinlake_stages() -> Mapping[str, Step]:
    """The steps, by the names used in `refine.steps`."""
    return {"validate": validate, "deduplicate": deduplicate}
