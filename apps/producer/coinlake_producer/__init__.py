"""The `coinlake-producer` program: from the lake to the bus."""
