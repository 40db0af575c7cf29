"""The distributed pipeline while its parts are killed, paused and started again."""
