"""Shipped test kit: recordings, the replay server and contract tests."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinlake.testing.source_contract import SourceContract
    from coinlake.testing.stage_contract import StageContract

__all__ = ["SourceContract", "StageContract"]

_HOMES = {
    "SourceContract": "coinlake.testing.source_contract",
    "StageContract": "coinlake.testing.stage_contract",
}
"""Imported when asked for: they need pytest, which a program that replays recordings does not have."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
