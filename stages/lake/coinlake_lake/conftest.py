"""The contract's assertions say what they compared, as those of a test file do."""

import pytest

pytest.register_assert_rewrite("coinlake.testing.lake_contract")
