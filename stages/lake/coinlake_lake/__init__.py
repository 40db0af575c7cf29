"""Lakes: where captures rest."""
