"""Lets `lint` see a wrong import: Pants 2.17 checks its visibility rules only where some goal asks
for a target's dependencies, and no linter does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pants.core.goals.lint import LintResult, LintTargetsRequest
from pants.core.util_rules.partitions import PartitionerType
from pants.engine.addresses import Addresses
from pants.engine.internals.dep_rules import DependencyRulesError
from pants.engine.rules import Get, collect_rules, rule
from pants.engine.target import Dependencies, DependenciesRequest, FieldSet
from pants.option.option_types import SkipOption
from pants.option.subsystem import Subsystem
from pants.util.logging import LogLevel


class Walls(Subsystem):
    name = "walls"
    options_scope = "walls"
    help = "The check that no room imports what the root BUILD file forbids it."
    skip = SkipOption("lint")


@dataclass(frozen=True)
class WallsFieldSet(FieldSet):
    required_fields = (Dependencies,)
    dependencies: Dependencies


class WallsRequest(LintTargetsRequest):
    field_set_type = WallsFieldSet
    tool_subsystem = Walls
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION


@rule(desc="Check the walls between rooms", level=LogLevel.DEBUG)
async def check_walls(request: WallsRequest.Batch[WallsFieldSet, Any]) -> LintResult:
    broken = []
    for field_set in request.elements:
        try:
            await Get(Addresses, DependenciesRequest(field_set.dependencies))
        except DependencyRulesError as error:
            broken.append(str(error))
    return LintResult(
        exit_code=1 if broken else 0,
        stdout="\n\n".join(broken),
        stderr="",
        linter_name="walls",
    )


def rules():
    return [*collect_rules(), *WallsRequest.rules()]
