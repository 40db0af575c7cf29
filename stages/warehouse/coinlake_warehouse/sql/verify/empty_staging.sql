TRUNCATE staged_captures, staged_rejects, staged_assets, staged_spans, staged_quotes, staged_candles,
    staged_instruments, touched
