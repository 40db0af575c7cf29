"""The `coinlake` program and its local page."""
