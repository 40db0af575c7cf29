"""What each command is called, told and said to do, by theme; `commands` does it."""
