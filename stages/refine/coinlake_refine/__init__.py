"""Refine steps: pure functions over Arrow batches."""
