"""The distributed pipeline on real servers."""
