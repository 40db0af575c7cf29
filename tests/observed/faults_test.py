"""What people may break is told by alerts that there are."""

from __future__ import annotations

import pytest

from observed.faults import FAULTS
from observed.shipped import OPS, alerts


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_by_an_alert_that_has_a_page(name: str) -> None:
    alert = FAULTS[name].alert
    assert alert in {one.name for one in alerts()}
    assert (OPS / f"runbooks/{alert}.md").exists()
