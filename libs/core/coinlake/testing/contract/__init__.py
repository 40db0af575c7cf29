"""The checks of `coinlake.testing.SourceContract` and `StageContract`, by what they are about."""
