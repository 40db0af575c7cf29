"""One module a command of the `coinlake` program."""
