TRUNCATE staged_captures, staged_quotes, staged_rejects, touched
