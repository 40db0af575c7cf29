"""Shipped test kit: recordings, the replay server and contract tests."""
